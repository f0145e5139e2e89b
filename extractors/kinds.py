"""Record kinds: which records are read as what, by the bytes of one field or several.

A condition compares a field with values and ranges. Text and plain digits are compared as bytes, in one pass over all
kinds; any other number is decoded and compared as what it is, with all its digits and decimals. Bytes that no text says,
such as LOW-VALUES behind a letter, are given as hexadecimal digits, ``X'C300'``, all of the field.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets.contract import Charset
from extractors.decoder import Decoder
from extractors.dialects.contract import Dialect
from extractors.kernels.memory import jit
from extractors.layout import Field, Layout
from extractors.writing.encode import encode
from migration_reports.findings import Position, Problem, SpecError, did_you_mean


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A record kind: the records whose `field` holds one of `values`, read as the REDEFINES view `group`.

    Attributes:
        name: how rows and findings call it.
        field: the field that tells kinds apart; a kind without one takes every record.
        values: its values; `10..19` is a range, both ends included, and `X'C300'` the field's bytes.
        group: the REDEFINES view to read.
        wanted: the fields and list columns to decode (None: all but FILLER); the others are only looked at for whether
            they are filled.
        also: more fields that must fit, each with its values.
        parent: the kind whose last record before this one it belongs to.
        lists: whether every OCCURS is a list column, rather than a column an occurrence.
        cut: texts that are told of where they fill their field to its last byte.
    """

    name: str
    field: str | None = None
    values: tuple[str, ...] = ()
    group: str | None = None
    wanted: frozenset[str] | None = None
    also: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    parent: str | None = None
    lists: bool = False
    cut: frozenset[str] = frozenset()

    @property
    def conditions(self) -> Mapping[str, tuple[str, ...]]:
        """Every field that must fit, with its values."""
        return {**({self.field: self.values} if self.field is not None else {}), **self.also}


@jit
def _choose(data, pos, limits, conditions, low, high, kinds):
    """Write each record's kind: the first all of whose conditions fit, or -1.

    A row of `conditions` is (kind, group, place of the values, offset, width); rows of one group are alternatives.
    """
    for r in range(len(pos)):
        kinds[r] = -1
        row = 0
        while row < len(conditions):
            kind = conditions[row, 0]
            fits = True
            while row < len(conditions) and conditions[row, 0] == kind:
                group = conditions[row, 1]
                one = False
                while row < len(conditions) and conditions[row, 0] == kind and conditions[row, 1] == group:
                    if not one and conditions[row, 4] >= 0 and fits:
                        at = pos[r] + conditions[row, 3]
                        width = conditions[row, 4]
                        place = conditions[row, 2]
                        above = below = False
                        inside = at + width <= limits[r]
                        if inside:
                            for i in range(width):
                                byte = data[at + i]
                                if not above:
                                    if byte < low[place + i]:
                                        inside = False
                                        break
                                    above = byte > low[place + i]
                                if not below:
                                    if byte > high[place + i]:
                                        inside = False
                                        break
                                    below = byte < high[place + i]
                        one = inside
                    elif conditions[row, 4] < 0:
                        one = True
                    row += 1
                fits = fits and one
            if fits:
                kinds[r] = kind
                break
    return 0


@jit
def _part(kinds, ends, order):
    """Sort records by their kind, in the order in which they came; -1 is the last. `ends` takes where each kind's end."""
    for kind in kinds:
        ends[kind] += 1
    total = np.int64(0)
    for kind in range(len(ends)):
        total, ends[kind] = total + ends[kind], total
    for r in range(len(kinds)):
        order[ends[kinds[r]]] = r
        ends[kinds[r]] += 1
    return 0


def parted(kinds: np.ndarray, count: int) -> list[np.ndarray]:
    """The records of each of so many kinds, and last those of none (-1)."""
    ends, order = np.zeros(count + 1, np.int64), np.empty(len(kinds), np.int64)
    _part(kinds, ends, order)
    return [order[first:last] for first, last in itertools.pairwise((0, *ends.tolist()))]


class Chooser:
    """Tells the kind of every record of a batch.

    Raises:
        SpecError: a kind names a field that the layout does not have, or a value that the field cannot hold.
    """

    def __init__(self, kinds: Sequence[Kind], layout: Layout, charset: Charset, dialect: Dialect) -> None:
        self.always = len(kinds) == 1 and not kinds[0].conditions
        rows: list[tuple[int, int, int, int, int]] = []
        low: list[bytes] = []
        high: list[bytes] = []
        self._slow: list[tuple[int, Field, Decoder, list[tuple[pa.Scalar, pa.Scalar]]]] = []
        place = 0
        for number, kind in enumerate(kinds):
            if not kind.conditions:
                rows.append((number, 0, 0, 0, -1))
                continue
            by_name = {f.name: f for f in layout.segment(kind.group).sections[0].fields}
            for group, (name, values) in enumerate(kind.conditions.items()):
                if name not in by_name:
                    allowed = tuple(n for n in by_name if not n.startswith("FILLER@"))[:40]
                    what = f"the layout has no field `{name}` of record kind `{kind.name}` at a fixed place"
                    raise SpecError(
                        [Problem("L905", Position(layout.file), what, allowed, did_you_mean(name, allowed))]
                    )
                field = by_name[name]
                if not compared_as_bytes(field):
                    alone = Decoder((field,), charset, dialect)
                    numbers = [_numbers(layout, kind, field, _range(value)) for value in values]
                    self._slow.append((number, field, alone, [pair for pair in numbers if pair is not None]))
                    rows.append((number, group, 0, 0, -1))
                    continue
                for value in values:
                    one, two = bytes_of(layout, kind, field, value, charset)
                    rows.append((number, group, place, field.offset, field.width))
                    low.append(one)
                    high.append(two)
                    place += field.width
        self._rows = np.array(rows or [(0, 0, 0, 0, -1)], np.int64).reshape(-1, 5)
        self._low = np.frombuffer(b"".join(low) or b"\0", np.uint8)
        self._high = np.frombuffer(b"".join(high) or b"\0", np.uint8)

    def choose(self, data: np.ndarray, pos: np.ndarray, limits: np.ndarray) -> np.ndarray:
        """The number of each record's kind, -1 where none fits."""
        kinds = np.empty(len(pos), np.int64)
        if not self._slow:
            _choose(data, pos, limits, self._rows, self._low, self._high, kinds)
            return kinds
        # With a decoded condition the kinds are tried one after the other.
        kinds[:] = -1
        for number in range(int(self._rows[:, 0].max()) + 1):
            fits = np.empty(len(pos), np.int64)
            _choose(data, pos, limits, self._rows[self._rows[:, 0] == number], self._low, self._high, fits)
            free = (kinds < 0) & (fits == number)
            for of_kind, field, decoder, ranges in self._slow:
                if of_kind == number:
                    column = decoder.decode(data, pos).columns[0]
                    one = np.zeros(len(pos), bool)
                    for first, last in ranges:
                        inside = pc.and_(pc.greater_equal(column, first), pc.less_equal(column, last))
                        one |= inside.fill_null(False).to_numpy(zero_copy_only=False)
                    free &= one & (pos + field.offset + field.width <= limits)
            kinds[free] = number
        return kinds


def _range(text: str) -> tuple[str, str]:
    first, dots, last = text.partition("..")
    return (first, last) if dots and first and last else (text, text)


def compared_as_bytes(field: Field) -> bool:
    """Whether the values of a field are in the order of their bytes: text, and whole numbers of plain digits."""
    if field.is_text:
        return True
    plain = field.usage == "zoned" and not field.picture.signed and field.picture.scale == 0
    return plain and bool(field.arrow_type == pa.int64())


_EXACT = Context(prec=200, Emin=-999, Emax=999)


def _numbers(layout: Layout, kind: Kind, field: Field, pair: tuple[str, str]) -> tuple[pa.Scalar, pa.Scalar] | None:
    """The range as values of the field's own type, None where no value of it lies in the range.

    Raises:
        SpecError: the field holds no numbers, or the range is none.
    """
    try:
        first, last = (_EXACT.create_decimal(text) for text in pair)
    except InvalidOperation:
        first = last = Decimal("NaN")
    type_ = field.arrow_type
    if pa.types.is_fixed_size_binary(type_) or not (first.is_finite() and last.is_finite()):
        raise SpecError([_misfit(layout, kind, field, "..".join(dict.fromkeys(pair)))])
    if pa.types.is_floating(type_):
        return pa.scalar(float(first), type_), pa.scalar(float(last), type_)
    # The nearest values that the type can hold, within the range.
    step = Decimal(1).scaleb(-type_.scale if pa.types.is_decimal(type_) else 0)
    most = Decimal(10**type_.precision - 1) * step if pa.types.is_decimal(type_) else Decimal((1 << 63) - 1)
    first = max(first.quantize(step, ROUND_CEILING, _EXACT), _EXACT.minus(most))
    last = min(last.quantize(step, ROUND_FLOOR, _EXACT), most)
    if first > last:
        return None
    made = (int(n) if pa.types.is_integer(type_) else n for n in (first, last))
    low, high = (pa.scalar(n, type_) for n in made)
    return low, high


_HEXADECIMAL = re.compile("[Xx]'((?:[0-9A-Fa-f]{2})+)'")


def bytes_of(layout: Layout, kind: Kind, field: Field, value: str, charset: Charset) -> tuple[bytes, bytes]:
    """The least and the most bytes of a field that a value of a kind, or a range, stands for.

    Raises:
        SpecError: the field cannot hold it.
    """
    said = _HEXADECIMAL.fullmatch(value)
    if said is None:
        first, last = _range(value)
        return _bytes_of(layout, kind, field, first, charset), _bytes_of(layout, kind, field, last, charset)
    content = bytes.fromhex(said[1])
    if len(content) != field.width:
        raise SpecError([_misfit(layout, kind, field, value, f"it needs {2 * field.width} hexadecimal digits")])
    return content, content


def _bytes_of(layout: Layout, kind: Kind, field: Field, text: str, charset: Charset) -> bytes:
    column: np.ndarray
    if field.arrow_type == pa.string():
        column = np.array([text], object)
    elif text.isascii() and text.isdigit() and len(text) <= 18:
        column = np.array([int(text)], np.int64)
    else:
        raise SpecError([_misfit(layout, kind, field, text)])
    placed = dataclasses.replace(field, offset=0)
    try:
        cells = encode([placed], {field.name: column}, charset=charset, length=field.width, count=1)
    except ValueError:
        raise SpecError([_misfit(layout, kind, field, text)]) from None
    return bytes(cells[0].tobytes())


def _misfit(layout: Layout, kind: Kind, field: Field, text: str, hint: str = "") -> Problem:
    message = f"`{text[:40]}` of record kind `{kind.name}` does not fit {field.name} (PICTURE {field.picture.text})"
    return Problem("L908", Position(layout.file), message, hint=hint)


def check_families(kinds: Sequence[Kind], file: str) -> None:
    """Prove that kinds fit together.

    Raises:
        SpecError: two of one name, a parent that is no kind, or one that is its own ancestor.
    """
    names = [kind.name for kind in kinds]
    by_name = {kind.name: kind for kind in kinds}
    problems = []
    for number, kind in enumerate(kinds):
        if kind.name in names[:number]:
            problems.append(f"two record kinds are called `{kind.name[:40]}`")
        if kind.parent is not None and kind.parent not in by_name:
            problems.append(f"`{kind.parent[:40]}`, the parent of record kind `{kind.name[:40]}`, is no record kind")
        above, seen = kind.parent, {kind.name}
        while above in by_name and above not in seen:
            seen.add(above)
            above = by_name[above].parent
        if above == kind.name:
            problems.append(f"record kind `{kind.name[:40]}` would belong to itself")
    if problems:
        raise SpecError(Problem("L909", Position(file), problem, tuple(by_name)) for problem in problems)


class Family:
    """Which record each child belongs to: the last one of its parent kind, if no other ancestor came since.

    Args:
        kinds: the record kinds.
        last: the number of the last record of each before those to come (`last` of those that came); (): none came.
    """

    def __init__(self, kinds: Sequence[Kind], last: Sequence[int] = ()) -> None:
        names = {kind.name: number for number, kind in enumerate(kinds)}
        self._parents = [names.get(kind.parent, -1) if kind.parent is not None else -1 for kind in kinds]
        self._last = np.array(last or (0,) * len(kinds), np.int64)
        self.any = any(parent >= 0 for parent in self._parents)

    @property
    def last(self) -> tuple[int, ...]:
        """The number of the last record of each kind that is a parent; 0 where none came or it is none."""
        return tuple(self._last.tolist())

    def ancestors(self, kind: int) -> list[int]:
        """The kinds above a kind, nearest first; a circle ends where it closes."""
        found: list[int] = []
        at = self._parents[kind]
        while at >= 0 and at not in found:
            found.append(at)
            at = self._parents[at]
        return found

    def parents(self, kinds: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """The record number of each record's parent; 0 where its kind has none or none came before it."""
        result = np.zeros(len(kinds), np.int64)
        last = {}
        for kind in {p for p in self._parents if p >= 0}:
            seen = np.where(kinds == kind, numbers, 0)
            last[kind] = np.maximum(np.maximum.accumulate(seen) if len(seen) else seen, self._last[kind])
        for kind in range(len(self._parents)):
            above = self.ancestors(kind)
            if not above:
                continue
            mine = kinds == kind
            nearest = last[above[0]][mine]
            valid = nearest > 0
            for further in above[1:]:
                valid &= nearest > last[further][mine]
            result[mine] = np.where(valid, nearest, 0)
        for kind, seen in last.items():
            if len(seen):
                self._last[kind] = seen[-1]
        return result


def check_cut(kind: Kind, layout: Layout) -> None:
    """Prove that what is to be told of where it is full is text.

    Raises:
        SpecError: it is not, or the layout does not have it.
    """
    segment = layout.segment(kind.group)
    fields = (*segment.fields, *(field for table in segment.deep_tables for field in table.element.fields))
    texts = list(dict.fromkeys(name for f in fields if f.is_text for name in (f.name, f.data_name)))
    problems = []
    for name in sorted(kind.cut - set(texts)):
        message = f"the layout has no text `{name[:60]}` of record kind `{kind.name}`"
        problems.append(Problem("L905", Position(layout.file), message, tuple(texts)[:40], did_you_mean(name, texts)))
    if problems:
        raise SpecError(problems)
