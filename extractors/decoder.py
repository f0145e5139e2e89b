"""Bytes of records -> Arrow columns: one compiled driver over a plan table, a kernel for each usage.

The driver walks tiles of records so that a tile's bytes stay in cache while every field of it is decoded, releases the
GIL once a batch, and reaches records through `pos`, the place of each: the same kernels serve every framing, every
record kind and the occurrences of a table. Kernels write Arrow buffers directly; a validity bitmap is made only for a
column that lost a value, and policies look at the odd records only.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets.contract import Charset, composed
from extractors.dialects import DEFAULT
from extractors.dialects.contract import Dialect
from extractors.kernels import plan as p
from extractors.kernels.memory import SLACK, be64, byte_at, call, inner, int_at, jit, kernel, put64
from extractors.kernels.plan import argument, end_of
from extractors.layout import Field
from extractors.usages import BY_NAME, usage_of
from extractors.usages.contract import LOST, NUMBER, TEXT, WHOLE, Prepared, Rules, Texts, Usage, kernel_type

TILE = 512
"""Records a tile: of 100 to 800 bytes each they fill between 50 and 400 KB, a core's own cache."""

CACHE_LINE = 64

Blank = Literal["finding", "null", "zero"]
Padded = Literal["refuse", "read"]


@dataclasses.dataclass(frozen=True, slots=True)
class Blanks:
    """What a number is whose bytes are all spaces, LOW-VALUES or HIGH-VALUES: a finding, null, or zero.

    A binary field cannot tell: there such bytes are a number. `padded` says whether digits among spaces or LOW-VALUES
    are read as the number they are, which is an alert, or refused as no number.
    """

    spaces: Blank = "finding"
    low_values: Blank = "finding"
    high_values: Blank = "finding"
    padded: Padded = "refuse"


AS_FINDINGS = Blanks()


@dataclasses.dataclass(frozen=True, slots=True)
class Oddity:
    """What one field's kernel found odd: records (indexes into the batch) that carry one flag."""

    field: Field
    flag: int
    code: str | None
    rows: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class Decoded:
    """A batch of decoded columns, in the order of the decoder's fields, and what was odd in them.

    `filled` tells of each other field in how many records it holds anything but spaces, LOW-VALUES or zeros.
    """

    columns: tuple[pa.Array, ...]
    oddities: tuple[Oddity, ...]
    filled: Mapping[str, int]


@jit
def _drive(plan, fields, count, data, pos, touch, stride):
    """Run every field's kernel over every tile."""
    kept = np.uint64(0)
    for first in range(0, count, TILE):
        last = min(first + TILE, count)
        if touch > 0:
            # Bringing a tile's lines in with one sequential read lets the fetcher run ahead of the field loops.
            for r in range(first, last):
                start = data + int_at(pos + 8 * r)
                for line in range(0, touch, CACHE_LINE):
                    kept ^= byte_at(start + line)
        for number in range(fields):
            row = plan + number * stride
            found = call(argument(row, p.KERNEL), row, np.int64(first), np.int64(last), argument(row, p.FOUND))
            put64(row + 8 * p.FOUND, found)
    # What was read ahead must be stored somewhere: a loop without a result is optimised away.
    put64(plan + fields * stride, np.int64(kept))


REFUSED, BLANK, NULL, ZERO = range(4)
"""What becomes of bytes that are no number: a finding, the finding of a blank one, null without, or zero without."""


@inner
def kind_of_bytes(data, at, width, blank):
    """What the bytes of a lost number are: 0 not all alike, 1 all spaces, 2 all LOW-VALUES, 3 all HIGH-VALUES."""
    first = data[at]
    kind = 1 if first == blank else 2 if first == 0 else 3 if first == 0xFF else 0
    if kind > 0:
        for k in range(1, width):
            if data[at + k] != first:
                return 0
    return kind


@jit
def _judge(data, pos, rows, offset, width, blank, policies, valid, verdicts):
    """Tell what becomes of each lost number, and take its bit out of `valid` unless it becomes zero.

    `policies` are the verdicts by `kind_of_bytes`.
    """
    for i in range(len(rows)):
        verdicts[i] = policies[kind_of_bytes(data, pos[rows[i]] + offset, width, blank)]
        if verdicts[i] != 3:
            valid[rows[i] >> 3] &= ~(np.uint8(1) << np.uint8(rows[i] & 7))
    return 0


@kernel
def count_filled(plan, first, last, found):
    """Count the records in which a field that is not decoded holds any byte that says something."""
    pos, width, empty = argument(plan, p.POS), argument(plan, p.WIDTH), argument(plan, p.SINGLE)
    blanks = np.uint64(argument(plan, p.BLANK))
    data, limits = argument(plan, p.DATA), argument(plan, p.LIMITS)
    base = data + argument(plan, p.OFFSET)
    filled = np.int64(0)
    for r in range(first, last):
        at = base + int_at(pos + 8 * r)
        stop = end_of(at, width, data, limits, r)
        while stop - at >= 8 and be64(at) == blanks:
            at += 8
        while at < stop:
            if byte_at(empty + np.int64(byte_at(at))) == np.uint64(0):
                filled += 1
                break
            at += 1
    put64(argument(plan, p.OUT), int_at(argument(plan, p.OUT)) + filled)
    return found


class Decoder:
    """Decodes some fields of a layout under a charset; made once, used for every batch."""

    def __init__(
        self,
        fields: Sequence[Field],
        charset: Charset,
        dialect: Dialect = DEFAULT,
        blanks: Blanks = AS_FINDINGS,
        others: Sequence[Field] = (),
    ) -> None:
        self.fields = tuple(fields)
        self.others = tuple(others)
        self.charset = charset
        self._blanks = blanks
        self._rules = Rules(charset, dialect, blanks.padded == "read")
        self._usages = tuple(usage_of(field, charset) for field in fields)
        self._driven = [
            n for n, (f, usage) in enumerate(zip(self.fields, self._usages, strict=True)) if not _is_whole(f, usage)
        ]
        self._plan = np.zeros((len(self._driven) + len(self.others) + 1, p.COLUMNS), np.int64)
        # What was prepared holds the tables that the plan points to: they must live as long as it does.
        self._prepared = [self._prepare(self._plan[at], n) for at, n in enumerate(self._driven)]
        for at, field in enumerate(self.others, len(self._driven)):
            self._prepared.append(self._prepare_count(self._plan[at], field))
        self._touch = _touched([*(self.fields[n] for n in self._driven), *self.others])
        # By field, the verdicts on bytes that are no number, as `_judge` takes them.
        self.policies = [self._policy(f, u) for f, u in zip(self.fields, self._usages, strict=True)]
        self._places = {n: at for at, n in enumerate(self._driven)}

    def decode(self, data: np.ndarray, pos: np.ndarray, limits: np.ndarray | None = None) -> Decoded:
        """Decode records.

        Args:
            data: uint8, with `SLACK` bytes before the first record and after the last.
            pos: int64, where each record begins in `data`.
            limits: int64, where each record ends, if some end before their fields do: texts are read no further. What
                the other usages make of bytes beyond is for the caller to take back.

        Returns:
            One Arrow array a field, null where the bytes are no value, and the oddities.
        """
        count = len(pos)
        pos = np.ascontiguousarray(pos)
        plan = self.arguments(data)
        plan[:, p.POS] = pos.ctypes.data
        if limits is not None:
            limits = np.ascontiguousarray(limits)
            plan[:, p.LIMITS] = limits.ctypes.data
        listed = np.empty((len(self._driven), count + 1), np.int64)
        plan[: len(self._driven), p.LIST] = listed.ctypes.data + 8 * (count + 1) * np.arange(len(self._driven))
        buffers: list[tuple[np.ndarray, np.ndarray | None]] = []
        for at, number in enumerate(self._driven):
            row = plan[at]
            if self._usages[number].value == TEXT:
                arena = np.empty(self.fields[number].width * self._prepared[at].growth * count + SLACK, np.uint8)
                ends = np.empty(count + 1, np.int32)
                ends[0] = 0
                row[p.OUT], row[p.ENDS] = arena.ctypes.data, ends.ctypes.data
                buffers.append((arena, ends))
            else:
                values = np.empty(count * row[p.STRIDE], np.int64)
                row[p.OUT] = values.ctypes.data
                buffers.append((values, None))
        filled = np.zeros(len(self.others), np.int64)
        plan[len(self._driven) : -1, p.OUT] = filled.ctypes.data + 8 * np.arange(len(self.others))
        if count and len(plan) > 1:
            _drive(
                plan.ctypes.data,
                len(plan) - 1,
                count,
                data.ctypes.data,
                pos.ctypes.data,
                self._touch,
                8 * p.COLUMNS,
            )
        columns: list[pa.Array] = []
        oddities: list[Oddity] = []
        for number, (field, usage) in enumerate(zip(self.fields, self._usages, strict=True)):
            if number not in self._places:
                assert usage.read is not None
                column, rows, flags = usage.read(field, data, pos + field.offset, self._rules)
                valid, zero, found = self._settle(number, data, pos, rows, flags)
                oddities.extend(found)
                columns.append(_scaled(_replaced(column, valid, zero), field))
                continue
            place = self._places[number]
            buffer, text_ends = buffers[place]
            rows, flags = p.unpack(listed[place, : plan[place, p.FOUND]])
            if text_ends is not None:
                parts = [None, pa.py_buffer(text_ends), pa.py_buffer(buffer[: int(text_ends[count])])]
                text = pa.Array.from_buffers(pa.string(), count, parts)
                columns.append(_finished_text(text, field, compose=self.charset.compose))
                oddities.extend(_split(field, usage, rows, flags))
                continue
            bitmap = None
            if len(rows):
                valid, zero, found = self._settle(number, data, pos, rows, flags)
                oddities.extend(found)
                buffer.reshape(count, -1)[zero] = 0
                bitmap = None if valid is None else pa.py_buffer(valid)
            column = pa.Array.from_buffers(kernel_type(field), count, [bitmap, pa.py_buffer(buffer)])
            columns.append(_scaled(column, field))
        return Decoded(
            tuple(columns), tuple(oddities), {f.name: int(n) for f, n in zip(self.others, filled, strict=True)}
        )

    def arguments(self, data: np.ndarray) -> np.ndarray:
        """The kernels' arguments, a row a field, for whoever calls them record by record: without places and room."""
        plan = self._plan.copy()
        plan[:-1, p.KERNEL] = self._addresses
        plan[:, p.DATA] = data.ctypes.data
        return plan

    @functools.cached_property
    def _addresses(self) -> list[int]:
        """Of the kernels, row by row: compiled for the first batch, and never for whoever asks only for the schema."""
        return [prepared.kernel.address for prepared in self._prepared]

    def codes(
        self, data: np.ndarray, starts: np.ndarray, limits: np.ndarray, field: Field, flag: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """List the codes behind a flag of a character class: (index into starts, code), in order.

        Args:
            data: uint8, as `decode` takes it.
            starts: where the texts begin in it.
            limits: where their records end.
            field: the field that they are of.
            flag: of the class.
        """
        usage = usage_of(field, self.charset)
        assert usage.codes is not None

        def read(charset: Charset) -> pa.Array:
            again = Decoder((field,), charset, self._rules.dialect, self._blanks)
            return again.decode(data, starts - field.offset, limits).columns[0]

        return usage.codes(field, self._rules, flag, Texts(data, starts, limits, read))

    def _prepare(self, row: np.ndarray, number: int) -> Prepared:
        field, usage = self.fields[number], self._usages[number]
        assert usage.prepare is not None
        self._place(row, field)
        return usage.prepare(row, field, self._rules)

    def _prepare_count(self, row: np.ndarray, field: Field) -> Prepared:
        empty = np.zeros(256, np.uint8)
        empty[list(BY_NAME[field.usage].empty)] = 1
        self._place(row, field)
        row[p.SINGLE] = empty.ctypes.data
        return Prepared(count_filled, (empty,))

    def _place(self, row: np.ndarray, field: Field) -> None:
        row[p.OFFSET], row[p.WIDTH] = field.offset, field.width
        row[p.BLANK] = _eight(self.charset.blank)

    def _settle(
        self, number: int, data: np.ndarray, pos: np.ndarray, rows: np.ndarray, flags: np.ndarray
    ) -> tuple[np.ndarray | None, np.ndarray, list[Oddity]]:
        """What becomes of the odd numbers of a field: the validity bitmap, the rows that become zero, the findings."""
        field, usage = self.fields[number], self._usages[number]
        oddities: list[Oddity] = []
        valid = None
        zero = _NONE
        lost = rows if not (flags & ~LOST).any() else rows[(flags & LOST) != 0]
        if len(lost):
            valid = np.full((len(pos) + 7) // 8, 0xFF, np.uint8)
            verdicts = np.empty(len(lost), np.uint8)
            policies = self.policies[number]
            _judge(data, pos, lost, field.offset, field.width, self.charset.blank, policies, valid, verdicts)
            for verdict, code in ((REFUSED, usage.flags[LOST]), (BLANK, usage.blank_code)):
                chosen = verdicts == verdict
                if chosen.any():
                    oddities.append(Oddity(field, LOST, code, lost if chosen.all() else lost[chosen]))
            if ZERO in policies:
                zero = lost[verdicts == ZERO]
        return valid, zero, oddities + _split(field, usage, rows, flags & ~LOST)

    def _policy(self, field: Field, usage: Usage) -> np.ndarray:
        """The verdicts on lost bytes of each kind, as `_judge` takes them."""
        said = {"null": NULL, "zero": ZERO}
        spaces = "zero" if field.blank_when_zero or _prints_blank(field) else self._blanks.spaces
        blank = BLANK if usage.blank_code is not None else REFUSED
        low, high = (said.get(policy, REFUSED) for policy in (self._blanks.low_values, self._blanks.high_values))
        return np.array([REFUSED, said.get(spaces, blank), low, high], np.uint8)


_NONE = np.zeros(0, np.int64)


def _eight(byte: int) -> int:
    """A byte eight times, as an int64."""
    return int.from_bytes(bytes([byte]) * 8, "big", signed=True)


def _is_whole(field: Field, usage: Usage) -> bool:
    return usage.value == WHOLE or (usage.read is not None and pa.types.is_decimal256(field.arrow_type))


def _scaled(column: pa.Array, field: Field) -> pa.Array:
    """Add the zeros that a P on the right of the PICTURE stands for."""
    if field.picture.scale >= 0 or BY_NAME[field.usage].value != NUMBER:
        return column
    if pa.types.is_integer(field.arrow_type):
        return pc.multiply(column, 10**-field.picture.scale)
    # A decimal of scale -n has the same digits; read as text it is the number with its zeros.
    factor = pa.scalar(10**-field.picture.scale, pa.decimal256(-field.picture.scale + 1, 0))
    product = pc.multiply(column.cast(pa.decimal256(38, 0)), factor)
    return product.cast(field.arrow_type)


def _prints_blank(field: Field) -> bool:
    """Whether an edited picture prints zero as spaces: one that suppresses every digit."""
    symbols = field.picture.symbols
    return bool(symbols) and not set(symbols) & {"9", "*"}


def _finished_text(column: pa.Array, field: Field, *, compose: bool) -> pa.Array:
    if compose:
        column = composed(column)
    return pc.utf8_ltrim(column, " \u3000") if field.justified else column


def _replaced(column: pa.Array, valid: np.ndarray | None, zero: np.ndarray) -> pa.Array:
    """A column with nulls where `valid` says so and zeros at some rows."""
    if len(zero):
        zeros = np.zeros(len(column), bool)
        zeros[zero] = True
        column = pc.if_else(pa.array(zeros), pa.scalar(0, column.type), column)
    if valid is None:
        return column
    return pa.Array.from_buffers(column.type, len(column), [pa.py_buffer(valid), column.buffers()[1]])


def _split(field: Field, usage: Usage, rows: np.ndarray, flags: np.ndarray) -> list[Oddity]:
    found = []
    for flag, code in usage.flags.items() if len(rows) else ():
        at = rows[(flags & flag) != 0]
        if len(at):
            found.append(Oddity(field, flag, code, at))
    return found


def _touched(fields: Sequence[Field]) -> int:
    """How far into a record the tile is read ahead: worth it where most of its cache lines are used anyway."""
    if not fields:
        return 0
    stop = max(f.offset + f.width for f in fields)
    lines = {line for f in fields for line in range(f.offset // CACHE_LINE, (f.offset + f.width - 1) // CACHE_LINE + 1)}
    return stop if stop >= 2 * CACHE_LINE and len(lines) * CACHE_LINE >= stop // 2 else 0
