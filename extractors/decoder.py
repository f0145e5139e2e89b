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
from extractors.columns import holding, replaced, scaled
from extractors.dialects import DEFAULT
from extractors.dialects.contract import Dialect
from extractors.kernels import plan as p
from extractors.kernels.lost import BLANK, KEPT, NULL, REFUSED, ZERO, judge
from extractors.kernels.memory import SLACK, be64, byte_at, call, inner, int32_of, int64_of, int_at, jit, kernel, put64
from extractors.kernels.plan import argument, end_of
from extractors.layout import Field
from extractors.usages import BY_NAME, usage_of
from extractors.usages.contract import (
    LOST,
    OUT_OF_PICTURE,
    TEXT,
    WHOLE,
    Prepared,
    Rules,
    Texts,
    Usage,
    kernel_type,
)

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

    `filled` tells of each column in how many records its value says anything: a text not empty, a number not zero; and
    `others` of each other field in how many it holds anything but spaces, LOW-VALUES or zeros.
    """

    columns: tuple[pa.Array, ...]
    oddities: tuple[Oddity, ...]
    filled: tuple[int, ...]
    others: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class _Column:
    """A decoded column, what was odd in it, and in how many records it says anything."""

    array: pa.Array
    oddities: list[Oddity]
    filled: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a column's odd numbers.

    `bitmap` is its validity, None where nothing is null; `zero` the records that are zero now; `held` how many of the
    lost values were anything else before.
    """

    oddities: list[Oddity]
    bitmap: pa.Buffer | None
    zero: np.ndarray
    held: int


@inner
def _filled(row, first, last):
    """How many values of a tile say anything, by what its kernel wrote: a text not empty, a number not zero."""
    filled = np.int64(0)
    out, ends, stride = argument(row, p.OUT), argument(row, p.ENDS), argument(row, p.STRIDE)
    if ends != 0:
        for r in range(first, last):
            filled += int32_of(ends, r) != int32_of(ends, r + 1)
    elif stride == 1:
        for r in range(first, last):
            filled += int64_of(out, r) != 0
    elif stride == 2:
        for r in range(first, last):
            filled += int64_of(out, 2 * r) | int64_of(out, 2 * r + 1) != 0
    return filled


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
            put64(row + 8 * p.HOLDING, argument(row, p.HOLDING) + _filled(row, first, last))
    # What was read ahead must be stored somewhere: a loop without a result is optimised away.
    put64(plan + fields * stride, np.int64(kept))


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
        # By field, the verdicts on bytes that are no number, as `judge` takes them.
        self.policies = [self._policy(f, u) for f, u in zip(self.fields, self._usages, strict=True)]
        self._places = {n: at for at, n in enumerate(self._driven)}
        texts = (at for at, n in enumerate(self._driven) if self._usages[n].value == TEXT)
        self._texts = {at: text for text, at in enumerate(texts)}
        # Bytes that a record needs of each column's room.
        self._sizes = (8 * self._plan[: len(self._driven), p.STRIDE]).tolist()
        for at in self._texts:
            self._sizes[at] = self.fields[self._driven[at]].width * self._prepared[at].growth

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
        driven = len(self._driven)
        listed = np.empty((driven, count + 1), np.int64)
        plan[:driven, p.LIST] = listed.ctypes.data + 8 * (count + 1) * np.arange(driven)
        plan[driven:-1, p.OUT] = plan.ctypes.data + 8 * (p.COLUMNS * np.arange(driven, len(plan) - 1) + p.HOLDING)
        values = [pa.allocate_buffer(size * count + SLACK) for size in self._sizes]
        plan[:driven, p.OUT] = [buffer.address for buffer in values]
        ends = np.empty((len(self._texts), count + 1), np.int32)
        ends[:, 0] = 0
        plan[list(self._texts), p.ENDS] = ends.ctypes.data + ends.strides[0] * np.arange(len(ends))
        if count and len(plan) > 1:
            row = 8 * p.COLUMNS
            _drive(plan.ctypes.data, len(plan) - 1, count, data.ctypes.data, pos.ctypes.data, self._touch, row)
        found, filled = plan[:-1, p.FOUND].tolist(), plan[:-1, p.HOLDING].tolist()
        columns: list[_Column] = []
        for number in range(len(self.fields)):
            at = self._places.get(number)
            if at is None:
                columns.append(self._whole(number, data, pos))
            elif at in self._texts:
                columns.append(
                    self._text(number, values[at], ends[self._texts[at]], listed[at, : found[at]], filled[at])
                )
            else:
                columns.append(self._number(number, data, pos, values[at], listed[at, : found[at]], filled[at]))
        return Decoded(
            tuple(column.array for column in columns),
            tuple(oddity for column in columns for oddity in column.oddities),
            tuple(column.filled for column in columns),
            dict(zip((f.name for f in self.others), filled[driven:], strict=True)),
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

    def _text(self, number: int, arena: pa.Buffer, ends: np.ndarray, words: np.ndarray, filled: int) -> _Column:
        field = self.fields[number]
        parts = [None, pa.py_buffer(ends), arena.slice(0, int(ends[-1]))]
        column = pa.Array.from_buffers(pa.string(), len(ends) - 1, parts)
        if self.charset.compose:
            column = composed(column)
        if field.justified:
            column = pc.utf8_ltrim(column, " \u3000")
            filled = holding(column)
        return _Column(column, _split(field, self._usages[number], *p.unpack(words)) if len(words) else [], filled)

    def _number(
        self, number: int, data: np.ndarray, pos: np.ndarray, values: pa.Buffer, words: np.ndarray, filled: int
    ) -> _Column:
        field, oddities, bitmap = self.fields[number], _NO_ODDITIES, None
        if len(words):
            settled = self._settle(number, data, pos, words, values.address, self._sizes[self._places[number]] // 8)
            oddities, bitmap, filled = settled.oddities, settled.bitmap, filled - settled.held
        column = pa.Array.from_buffers(kernel_type(field), len(pos), [bitmap, values])
        return _Column(scaled(column, field), oddities, filled)

    def _whole(self, number: int, data: np.ndarray, pos: np.ndarray) -> _Column:
        field, usage = self.fields[number], self._usages[number]
        assert usage.read is not None
        column, rows, flags = usage.read(field, data, pos + field.offset, self._rules)
        oddities = _NO_ODDITIES
        if len(rows):
            settled = self._settle(number, data, pos, flags.astype(np.int64) << 32 | rows)
            oddities, column = settled.oddities, replaced(column, settled.bitmap, settled.zero)
        return _Column(scaled(column, field), oddities, holding(column))

    def _settle(
        self, number: int, data: np.ndarray, pos: np.ndarray, words: np.ndarray, values: int = 0, stride: int = 0
    ) -> _Settled:
        """What becomes of the odd numbers of a field, whose values stand at an address, so many words each."""
        field, usage = self.fields[number], self._usages[number]
        valid = np.full((len(pos) + 63) // 64, -1, np.int64).view(np.uint64)
        rows, counts = np.empty((5, len(words)), np.int64), np.zeros(6, np.int64)
        judge(
            data.ctypes.data + field.offset, pos, words, field.width, self.charset.blank, self.policies[number],
            values, stride, valid, rows, counts,
        )  # fmt: skip
        refused, blank, null, zero, kept, held = counts.tolist()
        said = (
            (LOST, usage.flags.get(LOST), REFUSED, refused),
            (LOST, usage.blank_code, BLANK, blank),
            (OUT_OF_PICTURE, usage.flags.get(OUT_OF_PICTURE), KEPT, kept),
        )
        oddities = [Oddity(field, flag, code, rows[which, :count]) for flag, code, which, count in said if count]
        return _Settled(oddities, pa.py_buffer(valid) if refused + blank + null else None, rows[ZERO, :zero], held)

    def _policy(self, field: Field, usage: Usage) -> np.ndarray:
        """The verdicts on lost bytes of each kind, as `judge` takes them."""
        said = {"null": NULL, "zero": ZERO}
        spaces = "zero" if field.blank_when_zero or _prints_blank(field) else self._blanks.spaces
        blank = BLANK if usage.blank_code is not None else REFUSED
        low, high = (said.get(policy, REFUSED) for policy in (self._blanks.low_values, self._blanks.high_values))
        return np.array([REFUSED, said.get(spaces, blank), low, high], np.uint8)


_NO_ODDITIES: list[Oddity] = []


def _eight(byte: int) -> int:
    """A byte eight times, as an int64."""
    return int.from_bytes(bytes([byte]) * 8, "big", signed=True)


def _is_whole(field: Field, usage: Usage) -> bool:
    return usage.value == WHOLE or (usage.read is not None and pa.types.is_decimal256(field.arrow_type))


def _prints_blank(field: Field) -> bool:
    """Whether an edited picture prints zero as spaces: one that suppresses every digit."""
    symbols = field.picture.symbols
    return bool(symbols) and not set(symbols) & {"9", "*"}


def _split(field: Field, usage: Usage, rows: np.ndarray, flags: np.ndarray) -> list[Oddity]:
    met = int(np.bitwise_or.reduce(flags))
    return [Oddity(field, flag, code, rows[(flags & flag) != 0]) for flag, code in usage.flags.items() if met & flag]


def _touched(fields: Sequence[Field]) -> int:
    """How far into a record the tile is read ahead: worth it where most of its cache lines are used anyway."""
    if not fields:
        return 0
    stop = max(f.offset + f.width for f in fields)
    lines = {line for f in fields for line in range(f.offset // CACHE_LINE, (f.offset + f.width - 1) // CACHE_LINE + 1)}
    return stop if stop >= 2 * CACHE_LINE and len(lines) * CACHE_LINE >= stop // 2 else 0
