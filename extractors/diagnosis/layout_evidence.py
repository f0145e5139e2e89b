"""What a layout says of a way to read a dump: how many of its numbers are none, how much of its text is not read.

Where several views describe the same bytes (REDEFINES), each record counts by the view that suits it best, because
nobody has said yet which records are of which kind.
"""

from __future__ import annotations

import dataclasses
import io
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from extractors.batches import extract
from extractors.charsets.contract import Charset
from extractors.framings.contract import Framing
from extractors.layout import Field, Item, Layout, every_item
from migration_reports.findings import SpecError

RECORDS = 400
BYTES = 1 << 19

_NO_NUMBER = frozenset(("D201", "D202", "D204", "D205", "D206", "D209", "D233"))
_BLANK = frozenset(("D203", "D210"))
_NO_TEXT = frozenset(("D211", "D212", "D213", "D215", "D216"))
_UNBOUND = ("float", "raw")
"""Usages under which nearly any bytes are a value: they say little."""

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What decoding some records found.

    Attributes:
        records: how many were decoded.
        numbers, bad_numbers: numeric values whose bytes could be none, and those that are none.
        texts, bad_texts: text values, and those with codes or shifts that the charset does not know.
        short, long: records that end before their layout does, and that go on behind it.
    """

    records: int = 0
    numbers: int = 0
    bad_numbers: int = 0
    texts: int = 0
    bad_texts: int = 0
    short: int = 0
    long: int = 0

    @property
    def wrong(self) -> float:
        """How much speaks against the reading, 0 to 1."""
        if not self.records:
            return 0.0
        share = self.bad_numbers / max(self.numbers, 1) + 0.6 * self.bad_texts / max(self.texts, 1)
        return float(min(share + (0.5 * self.long + 0.03 * self.short) / self.records, 1.0))

    @property
    def weight(self) -> float:
        """How much it can say at all, 0 to 1."""
        return float(1 - 2.0 ** -((self.numbers + self.texts / 8) / 8))

    def weigh(self, strength: float) -> float:
        """A strength with this evidence in it: what is wrong lowers it, what is right may raise it."""
        right = 1 - self.wrong
        return strength * right**2 + self.weight * right**8 * max(0.98 - strength, 0) * 0.5

    def describe(self) -> tuple[str, ...]:
        """The same in words."""
        if not self.records:
            return ()
        parts = [f"of {self.records:,} records read by the layout"]
        if self.numbers:
            parts.append(f"{self.bad_numbers / self.numbers:.1%} of numbers are none")
        if self.texts:
            parts.append(f"{self.bad_texts / self.texts:.1%} of texts are not read")
        if self.short or self.long:
            parts.append(f"{self.short:,} are shorter and {self.long:,} longer than it")
        return (parts[0] + ": " + ", ".join(parts[1:]),) if len(parts) > 1 else ()


def judge(sample: bytes, framing: Framing, layout: Layout, charset: Charset) -> Evidence:
    """Decode the first records of a sample."""
    try:
        extraction = extract(
            io.BytesIO(sample[:BYTES]),
            name="sample",
            layout=layout,
            framing=framing,
            charset=charset,
            batch_records=RECORDS,
        )
    except SpecError:
        return Evidence()
    paths = _paths(layout)
    for extracted in extraction:
        records = extracted.batch.num_rows
        if not records:
            continue
        first = int(extracted.batch.column("_record")[0].as_py())
        found = extracted.findings
        codes = Counter(found.column("code").to_pylist())
        bad: dict[Path, list[np.ndarray]] = {}
        rows = zip(
            *(found.column(name).to_pylist() for name in ("code", "field", "record")),
            strict=True,
        )
        for code, field, record in rows:
            which = 0 if code in _NO_NUMBER else 1 if code in _BLANK else 2 if code in _NO_TEXT else None
            if which is None or field is None or record is None:
                continue
            path = paths.get(field) or paths.get(field.split("(")[0], ())
            bad.setdefault(path, [np.zeros(records, np.int64) for _ in range(3)])[which][record - first] += 1
        cost = _cost(layout.record, (), bad, _cells(layout), records)
        if () in bad:
            cost = cost.plus(_Cost.of(records, (0, 0), bad[()]))
        return Evidence(
            records,
            int(np.maximum(cost.numbers - cost.blank, cost.bad_numbers).sum()),
            int(cost.bad_numbers.sum()),
            int(np.maximum(cost.texts, cost.bad_texts).sum()),
            int(cost.bad_texts.sum()),
            0 if framing.padded else codes["D231"],
            codes["D232"],
        )
    return Evidence()


@dataclasses.dataclass(frozen=True, slots=True)
class _Cost:
    """Of each record: its numbers and texts, and the bad ones among them."""

    numbers: np.ndarray
    texts: np.ndarray
    bad_numbers: np.ndarray
    blank: np.ndarray
    bad_texts: np.ndarray

    @classmethod
    def of(cls, records: int, cells: tuple[int, int], bad: list[np.ndarray] | None) -> _Cost:
        none = np.zeros(records, np.int64)
        numbers, texts = (np.full(records, count, np.int64) for count in cells)
        return cls(numbers, texts, *(bad or [none, none, none]))

    def plus(self, other: _Cost) -> _Cost:
        return _Cost(*(getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(self)))

    def where(self, chosen: np.ndarray, other: _Cost) -> _Cost:
        """This where chosen, the other elsewhere."""
        names = [f.name for f in dataclasses.fields(self)]
        return _Cost(*(np.where(chosen, getattr(self, n), getattr(other, n)) for n in names))

    @property
    def share(self) -> np.ndarray:
        # A view that says nothing is no better than one half of whose values are bad.
        bad = self.bad_numbers + self.bad_texts + 0.5 * self.blank
        return np.asarray((bad + 0.5) / (self.numbers + self.texts + 1))


def _cost(
    item: Item, above: Path, bad: Mapping[Path, list[np.ndarray]], cells: Mapping[Path, tuple[int, int]], records: int
) -> _Cost:
    path = (*above, item.name)
    cost = _Cost.of(records, cells.get(path, (0, 0)), bad.get(path))
    views: dict[str, list[_Cost]] = {}
    origin: dict[str, str] = {}
    seen: set[Path] = set()
    for child in item.children:
        base = origin.get(child.redefines, child.redefines) if child.redefines else child.name
        origin[child.name] = base
        if (*path, child.name) in seen:
            # Items of one name are counted together.
            continue
        seen.add((*path, child.name))
        views.setdefault(base, []).append(_cost(child, path, bad, cells, records))
    for alternatives in views.values():
        best = alternatives[0]
        for other in alternatives[1:]:
            best = best.where(best.share <= other.share, other)
        cost = cost.plus(best)
    return cost


def _paths(layout: Layout) -> Mapping[str, Path]:
    """Where the field of a name stands, by its unique name and, for those in tables, its data name."""
    found: dict[str, Path] = {}

    def visit(item: Item, above: Path) -> None:
        path = (*above, item.name)
        found.setdefault(item.name, path)
        for child in item.children:
            visit(child, path)

    visit(layout.record, ())
    found.update({field.name: (*field.within, field.data_name) for field in _fields(layout)})
    return found


def _fields(layout: Layout) -> Iterator[Field]:
    return (field for field in layout.segment().fields if not field.asked_only)


def _cells(layout: Layout) -> Mapping[Path, tuple[int, int]]:
    """How many numbers and texts of each name a record has."""
    cells: dict[Path, tuple[int, int]] = {}
    for field in _fields(layout):
        path = (*field.within, field.data_name)
        numbers, texts = cells.get(path, (0, 0))
        text = field.is_text
        number = not text and not field.usage.startswith(_UNBOUND)
        cells[path] = numbers + number, texts + text
    return cells


def same_reading(layout: Layout, *, in_ascii: bool = False) -> tuple[object, ...]:
    """What decides how the layout's bytes are read; two dialects that give the same cannot be told apart by any dump.

    `in_ascii`: of a dump whose digits are ASCII.
    """
    items = tuple(
        (i.name, i.offset, i.width, i.usage, i.occurs, i.least, i.depending, i.leading, in_ascii and i.ascii_signs)
        for i in every_item(layout.record)
    )
    return items, layout.dialect.plus_signs, layout.dialect.minus_signs
