"""Records without descriptor words, whose length follows from a field of their own.

    field: SHUBETSU, lengths: 1=64 2=108        the length by the field's value
    field: KENSU, expression: 100 + 12 * N      the length by arithmetic; N is the field's value

The field is a whole number at a fixed place of the record. A value without a length (a negative one has none), or a
length that does not hold the field itself, is a finding. What follows it is left over, or, with `resynchronise: yes`,
bytes are skipped and counted up to the next place from which lengths lead from record to record.
"""

from __future__ import annotations

import ast

import numpy as np

from extractors.dialects.contract import Dialect
from extractors.framings._walks import WALK_OPTIONS
from extractors.framings._words import CHAIN, Recovery
from extractors.framings.contract import MAX_LENGTH, MOST_RECORDS, Framed, Framing, FramingFamily, State
from extractors.kernels.memory import inner, jit
from extractors.layout import Field, Layout
from extractors.options import Options
from migration_reports.findings import Position, Problem, SpecError, did_you_mean

_KINDS = {"zoned": 0, "packed": 1, "binary": 2, "binary_little": 3}

_WIDEST = {"zoned": 18, "packed": 9, "binary": 8, "binary_little": 8}
"""Bytes of the widest field of each whose value is a number of 64 bits."""

_MOST = 1 << 37
"""The largest value that is believed: with any expression it stays a number of 64 bits."""


@inner
def _length(buffer, at, width, kind, signs, factor, added, values, lengths, most):
    """The length that the field at this place stands for; -1 where it is no number or has none."""
    value = np.int64(0)
    bad = False
    for i in range(width):
        byte = np.int64(buffer[at + (width - 1 - i if kind == 3 else i)])
        if kind == 0:
            zone = byte >> 4
            bad |= (byte & 0xF) > 9 or (zone != 0xF and zone != 3 and i < width - 1) or not signs >> zone & 1
            value = value * 10 + (byte & 0xF)
        elif kind == 1:
            bad |= byte >> 4 > 9 or ((byte & 0xF) > 9 if i < width - 1 else not signs >> (byte & 0xF) & 1)
            value = value * 10 + (byte >> 4)
            if i < width - 1:
                value = value * 10 + (byte & 0xF)
        else:
            value = value << 8 | byte
    if bad:
        return np.int64(-1)
    for i in range(len(values)):
        if values[i] == value:
            return lengths[i]
    if len(values) > 0 or value < 0 or value > most:
        return np.int64(-1)
    return value * factor + added


@jit
def _walk(buffer, first, stop, offset, width, kind, signs, factor, added, values, lengths, most, longest, pos, limits):
    """Step from record to record by a field of each. Returns (records, where it stopped, why)."""
    at = first
    found = 0
    while found < len(pos) and at + offset + width <= stop:
        length = _length(buffer, at + offset, width, kind, signs, factor, added, values, lengths, most)
        if length < offset + width or length > longest:
            return found, at, 1
        if at + length > stop:
            return found, at, 0
        pos[found] = at
        limits[found] = at + length
        found += 1
        at += length
    return found, at, 0


@jit
def _seek(buffer, first, stop, ends, chain, offset, width, kind, signs, factor, added, values, lengths, most, longest):
    """The first place from which lengths may lead on (the end where there is none), and whether it is sure."""
    for begin in range(first, stop):
        at = begin
        fits = True
        for _ in range(chain):
            if at + offset + width > stop:
                break
            length = _length(buffer, at + offset, width, kind, signs, factor, added, values, lengths, most)
            if length < offset + width or length > longest:
                fits = False
                break
            at += length
        else:
            if at <= stop:
                return begin, True
        if fits and not ends:
            return begin, False
        if fits and at == stop:
            return begin, True
    return stop, False


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing.

    Raises:
        SpecError: no field is named that is a whole number.
    """
    longest = options.number("longest", max(32_760, layout.length), 1, MAX_LENGTH)
    again = options.choice("resynchronise", "no", ("yes", "no")) == "yes"
    linear, lengths = _linear(options), _lengths(options)
    field = _field(options.get("field", ""), layout)
    signs = _signs(field, layout.dialect)
    by = (field.offset, field.width, _KINDS[field.usage], signs, *linear, *lengths, _MOST, longest)

    def seek(buffer: np.ndarray, first: int, stop: int, ends: bool) -> tuple[int, bool]:
        return _seek(buffer, first, stop, ends, CHAIN, *by)  # type: ignore[no-any-return]

    recovery = Recovery(seek if again else None)
    damage = f"no length follows from {field.name}"

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        lost = recovery.goes_on(buffer, first, stop, ends, state, damage)
        if lost is not None:
            return lost
        room = min((stop - first) // (field.offset + field.width) + 1, MOST_RECORDS)
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        found, at, why = _walk(buffer, first, stop, *by, pos, limits)
        framed = Framed(pos[:found], limits[:found], at - first, again=found == room)
        return recovery.damaged(framed, buffer, at, stop, ends, 0, damage) if why else framed

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        room = len(sizes) + 1
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        found, _, _ = _walk(data, 0, len(data), *by, pos, limits)
        if not np.array_equal((limits - pos)[:found], sizes):
            raise ValueError(f"{field.name} says another length than a record has")
        return data

    return Framing("length_field", longest, index, wrap)


def _field(name: str, layout: Layout) -> Field:
    fields = [
        f
        for f in layout.segment().sections[0].fields
        if f.usage in _KINDS and f.picture.scale == 0 and f.width <= _WIDEST[f.usage] and not f.filler
    ]
    for field in fields:
        if field.name == name:
            return field
    allowed = tuple(f.name for f in fields)
    message = f"field `{name[:60]}` is no whole number"
    raise SpecError([Problem("L904", Position("(options)"), message, allowed[:40], did_you_mean(name, allowed))])


def _linear(options: Options) -> tuple[int, int]:
    """An expression of N as factor and summand."""
    text = options.get("expression", "N")
    try:
        factor, added = _value(ast.parse(text, mode="eval").body) if len(text) <= 200 else (0, MAX_LENGTH + 1)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        factor, added = 0, MAX_LENGTH + 1
    if max(abs(factor), abs(added)) > MAX_LENGTH:
        options.refuse(f"expression `{text[:60]}` does not fit", ("100 + 12 * N", "N * 2 - 4", "N"))
        return 1, 0
    return factor, added


def _value(node: ast.expr) -> tuple[int, int]:
    match node:
        case ast.Constant(value=int(constant)) if not isinstance(constant, bool) and constant <= MAX_LENGTH:
            return 0, constant
        case ast.Name(id="N"):
            return 1, 0
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            factor, added = _value(operand)
            return -factor, -added
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            (a, b), (c, d) = _value(left), _value(right)
            return a + c, b + d
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            (a, b), (c, d) = _value(left), _value(right)
            return a - c, b - d
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            (a, b), (c, d) = _value(left), _value(right)
            if not (a and c):
                return a * d + c * b, b * d
    raise ValueError("not linear in N")


def _lengths(options: Options) -> tuple[np.ndarray, np.ndarray]:
    found: dict[int, int] = {}
    for pair in options.get("lengths", "").replace(",", " ").split():
        value, _, length = pair.partition("=")
        digits = value.isascii() and value.isdigit() and length.isascii() and length.isdigit()
        if digits and len(value) <= 18 and len(length) <= 9 and int(length) <= MAX_LENGTH and int(value) not in found:
            found[int(value)] = int(length)
        else:
            options.refuse(
                f"lengths `{pair[:40]}` does not fit", ("1=64 2=108, each value once", f"lengths to {MAX_LENGTH:,}")
            )
    return np.array(list(found), np.int64), np.array(list(found.values()), np.int64)


def _signs(field: Field, dialect: Dialect) -> int:
    """The half bytes that may stand where the field's sign does, a bit each: plus or none, of ASCII digits 3."""
    none = {"F", "3"} if field.usage == "zoned" else {"F"}
    return sum(1 << int(nibble, 16) for nibble in {*dialect.plus_signs, *none} - {*dialect.minus_signs})


FRAMING = FramingFamily(
    name="length_field",
    doc=__doc__ or "",
    options={
        "field": "the field that the length follows from",
        "expression": "how: + - * with N for its value (N)",
        "lengths": "or the length of each value: 1=64 2=108",
        **{name: text for name, text in WALK_OPTIONS.items() if name != "shortest"},
    },
    make=make,
)
