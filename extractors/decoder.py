"""Bytes of records -> Arrow columns: one compiled driver over a plan table, a kernel for each usage.

The driver walks tiles of records so that a tile's bytes stay in cache while every field of it is decoded, releases the
GIL once a batch, and reaches records through `pos`, the byte offset of each: the same kernels serve every framing.
Kernels write Arrow buffers directly; a validity bitmap is made only for a column that lost a value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numba as nb
import numpy as np
import pyarrow as pa

from extractors.characters import Charset, decode_tables
from extractors.digits import MAX_INT64_DIGITS
from extractors.layout import Field
from extractors.memory import SLACK, load_be64, load_byte
from extractors.usage import EXTENDED, LOST, TEXT_FLAGS, UNDEFINED, USER_DEFINED, VARIANT, Usage
from extractors.usages import BY_NAME, binary, mixed, packed, zoned

TILE = 512
"""Records a tile: of 100 to 800 bytes each they fill between 50 and 400 KB, a core's own cache."""

CACHE_LINE = 64
_PACKED, _ZONED, _BINARY, _TEXT = 1, 2, 3, 4
_KINDS = {"packed": _PACKED, "zoned": _ZONED, "binary": _BINARY, "mixed": _TEXT, "text": _TEXT, "national": _TEXT}
_MAX_UTF8_PER_BYTE = 3

KIND, OFFSET, WIDTH, SLOT, DIGITS, SIGNED, WIDE, MODE = range(8)
"""Columns of the plan table. MODE of a text: 0 single-byte, 1 mixed, 2 double-byte."""


@dataclasses.dataclass(frozen=True, slots=True)
class Oddity:
    """What one field's kernel found odd: records (indexes into the batch) that carry one flag."""

    field: Field
    flag: int
    code: str | None
    rows: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class Decoded:
    """A batch of decoded columns, in the order of the decoder's fields, and what was odd in them."""

    columns: tuple[pa.Array, ...]
    oddities: tuple[Oddity, ...]


@nb.njit(nogil=True, cache=True)
def _drive(data, pos, count, plan, low, high, ends, arena, bases, single, double, shifts, touch, fields, rows, flags):
    """Decode `count` records; returns how many oddities were listed. Compiled."""
    found = 0
    kept = np.uint64(0)
    at = bases.copy()
    no_shifts = np.zeros(256, np.uint8)
    for first in range(0, count, TILE):
        last = min(first + TILE, count)
        if touch > 0:
            # Bringing a tile's lines in with one sequential read lets the fetcher run ahead of the field loops.
            for r in range(first, last):
                for line in range(0, touch, CACHE_LINE):
                    kept ^= load_byte(data, pos[r] + line)
        for number in range(plan.shape[0]):
            kind, offset, width, slot = (
                plan[number, KIND],
                plan[number, OFFSET],
                plan[number, WIDTH],
                plan[number, SLOT],
            )
            digits, signed, wide = plan[number, DIGITS], plan[number, SIGNED] != 0, plan[number, WIDE] != 0
            if kind == _PACKED:
                found = packed.decode(
                    data,
                    pos,
                    first,
                    last,
                    offset,
                    width,
                    digits,
                    signed,
                    wide,
                    low[slot],
                    high[slot if wide else 0],
                    fields,
                    rows,
                    flags,
                    found,
                    number,
                )
            elif kind == _ZONED:
                found = zoned.decode(
                    data,
                    pos,
                    first,
                    last,
                    offset,
                    width,
                    digits,
                    signed,
                    wide,
                    low[slot],
                    high[slot if wide else 0],
                    fields,
                    rows,
                    flags,
                    found,
                    number,
                )
            elif kind == _BINARY:
                found = binary.decode(
                    data,
                    pos,
                    first,
                    last,
                    offset,
                    width,
                    digits,
                    signed,
                    wide,
                    low[slot],
                    high[slot if wide else 0],
                    fields,
                    rows,
                    flags,
                    found,
                    number,
                )
            else:
                mode = plan[number, MODE]
                at[slot], found = mixed.decode(
                    data,
                    pos,
                    first,
                    last,
                    offset,
                    width,
                    single,
                    double,
                    shifts if mode == 1 else no_shifts,
                    mode == 2,
                    arena,
                    at[slot],
                    bases[slot],
                    ends[slot],
                    fields,
                    rows,
                    flags,
                    found,
                    number,
                )
    flags[-1] = np.uint16(kept & np.uint64(0xFF))
    return found


@nb.njit(nogil=True, cache=True)
def _count_filled(data, pos, count, offset, width, empty):
    """Count the records in which a field holds any byte that says something. Compiled."""
    filled = 0
    for r in range(count):
        start = pos[r] + offset
        i = start
        stop = start + width
        while stop - i >= 8 and load_be64(data, i) == np.uint64(0x4040404040404040):
            i += 8
        some = False
        while i < stop:
            if empty[load_byte(data, i)] == 0:
                some = True
                break
            i += 1
        filled += some
    return filled


@nb.njit(nogil=True, cache=True)
def _all_spaces(data, starts, width):
    """Which fields are spaces throughout. Compiled."""
    result = np.ones(len(starts), np.bool_)
    for r in range(len(starts)):
        for i in range(width):
            if load_byte(data, starts[r] + i) != 0x40:
                result[r] = False
                break
    return result


@dataclasses.dataclass(frozen=True)
class Decoder:
    """Decodes some fields of a layout under a charset; made once a record kind, used for every batch."""

    fields: tuple[Field, ...]
    charset: Charset
    plan: np.ndarray
    single: np.ndarray
    double: np.ndarray
    shifts: np.ndarray
    touch: int

    def decode(self, data: np.ndarray, pos: np.ndarray) -> Decoded:
        """Decode records.

        Args:
            data: uint8, with `SLACK` bytes before the first record and after the last.
            pos: int64, where each record begins in `data`.

        Returns:
            One Arrow array a field, null where the bytes are no value, and the oddities.
        """
        count = len(pos)
        numbers = [f for f in self.fields if _KINDS[f.usage] != _TEXT]
        texts = [f for f in self.fields if _KINDS[f.usage] == _TEXT]
        low = np.empty((max(len(numbers), 1), count), np.int64)
        high = np.empty((max(len(numbers), 1), count if any(self.plan[:, WIDE]) else 1), np.int64)
        rooms = np.array([f.width * _MAX_UTF8_PER_BYTE * count + SLACK for f in texts] or [1], np.int64)
        bases = np.concatenate(([0], np.cumsum(rooms)[:-1])).astype(np.int64)
        arena = np.empty(int(rooms.sum()) + SLACK, np.uint8)
        ends = np.empty((max(len(texts), 1), count + 1), np.int32)
        ends[:, 0] = 0
        room = count * len(self.fields) + 2
        fields, rows, flags = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.uint16)
        found = _drive(
            data,
            pos,
            count,
            self.plan,
            low,
            high,
            ends,
            arena,
            bases,
            self.single,
            self.double,
            self.shifts,
            self.touch,
            fields,
            rows,
            flags,
        )
        by_field = self._oddities(data, pos, fields[:found], rows[:found], flags[:found])
        columns = []
        for number, field in enumerate(self.fields):
            slot = int(self.plan[number, SLOT])
            if _KINDS[field.usage] == _TEXT:
                base, size = int(bases[slot]), int(ends[slot, count])
                buffers = [None, pa.py_buffer(ends[slot]), pa.py_buffer(arena[base : base + size])]
                columns.append(pa.Array.from_buffers(pa.string(), count, buffers))
                continue
            lost = [o.rows for o in by_field if o.field is field and o.flag == LOST]
            validity = _bitmap(count, np.concatenate(lost)) if lost else None
            if pa.types.is_integer(field.arrow_type):
                columns.append(pa.Array.from_buffers(pa.int64(), count, [validity, pa.py_buffer(low[slot])]))
                continue
            pairs = np.empty((count, 2), np.int64)
            pairs[:, 0] = low[slot]
            pairs[:, 1] = high[slot] if self.plan[number, WIDE] else low[slot] >> 63
            columns.append(pa.Array.from_buffers(field.arrow_type, count, [validity, pa.py_buffer(pairs)]))
        return Decoded(tuple(columns), tuple(by_field))

    def codes(self, data: np.ndarray, starts: np.ndarray, field: Field, flag: int) -> tuple[np.ndarray, np.ndarray]:
        """List the codes behind a flag of a character class: (index into starts, code), in order."""
        wanted = {UNDEFINED: 1 << 1, USER_DEFINED: 1 << 2, EXTENDED: 1 << 3, VARIANT: 1 << 6}[flag]
        room = len(starts) * field.width + 1
        rows, codes = np.empty(room, np.int64), np.empty(room, np.int64)
        shifts = self.shifts if field.usage == "mixed" else np.zeros(256, np.uint8)
        found = mixed.list_codes(
            data,
            starts,
            field.width,
            self.single,
            self.double,
            shifts,
            field.usage == "national",
            np.uint64(wanted),
            rows,
            codes,
        )
        return rows[:found], codes[:found]

    def _oddities(
        self, data: np.ndarray, pos: np.ndarray, fields: np.ndarray, rows: np.ndarray, flags: np.ndarray
    ) -> list[Oddity]:
        result: list[Oddity] = []
        for number in np.unique(fields):
            field = self.fields[number]
            usage = BY_NAME[field.usage]
            of_field = fields == number
            for flag, code in usage.flags.items():
                at = rows[of_field & (flags & flag != 0)].astype(np.int64)
                if not len(at):
                    continue
                if flag == LOST and usage.blank_code is not None and usage.flags is not TEXT_FLAGS:
                    blank = _all_spaces(data, pos[at] + field.offset, field.width)
                    if blank.any():
                        result.append(Oddity(field, flag, usage.blank_code, at[blank]))
                    at = at[~blank]
                if len(at):
                    result.append(Oddity(field, flag, code, at))
        return result


def make_decoder(fields: Sequence[Field], charset: Charset) -> Decoder:
    """Plan the decoding of some fields."""
    tables = decode_tables(charset, shifted=True)
    plan = np.zeros((len(fields), 8), np.int64)
    slots = {True: 0, False: 0}
    for number, field in enumerate(fields):
        is_text = _KINDS[field.usage] == _TEXT
        plan[number] = (
            _KINDS[field.usage],
            field.offset,
            field.width,
            slots[is_text],
            field.picture.size,
            field.picture.signed,
            field.picture.size > MAX_INT64_DIGITS,
            {"mixed": 1, "national": 2}.get(field.usage, 0),
        )
        slots[is_text] += 1
    return Decoder(tuple(fields), charset, plan, tables.single, tables.double, tables.shifts, _touched(fields))


def count_filled(data: np.ndarray, pos: np.ndarray, field: Field) -> int:
    """Count the records in which a field that is not decoded holds anything but spaces, LOW-VALUES or zeros."""
    usage: Usage = BY_NAME[field.usage]
    empty = np.zeros(256, np.uint8)
    empty[list(usage.empty)] = 1
    return int(_count_filled(data, pos, len(pos), field.offset, field.width, empty))


def _touched(fields: Sequence[Field]) -> int:
    """How far into a record the tile is read ahead: worth it where most of its cache lines are used anyway."""
    if not fields:
        return 0
    stop = max(f.offset + f.width for f in fields)
    lines = {line for f in fields for line in range(f.offset // CACHE_LINE, (f.offset + f.width - 1) // CACHE_LINE + 1)}
    return stop if stop >= 2 * CACHE_LINE and len(lines) * CACHE_LINE >= stop // 2 else 0


def _bitmap(count: int, lost: np.ndarray) -> pa.Buffer:
    valid = np.ones(count, np.bool_)
    valid[lost] = False
    return pa.py_buffer(np.packbits(valid, bitorder="little"))
