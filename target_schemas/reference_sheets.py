"""Dated reference tables, shared by all systems: limits, rates and scales that rules look up, each line with its source.

`reference_tables.csv` has one line a table, `items.csv` one line a column as items of systems have it (its `key` columns
are what a rule looks up by), and each table is a sheet of its own:

    table,ja,en,source
    consumption_tax,消費税率,consumption tax rates,

    table,item,ja,en,type,length,must,key
    consumption_tax,rate_class,税率区分,rate class,C,1,1,1
    consumption_tax,rate,税率,rate,R,5.3,1,

    rate_class,rate,valid_from,valid_to,source
    1,0.08,2014-04-01,2019-09-30,消費税法 第29条

A time is a day, YYYY-MM-DD, and both days are included; an empty one has no end. A key may stand on several lines whose
times do not overlap. A line without a source has the table's. A rule names the table `joint.consumption_tax`; on a row's
day it takes the line that holds then.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from migration_reports.items import Item, Period, Table
from migration_reports.trouble import Position, Problem, did_you_mean
from target_schemas.code_sheets import is_day
from target_schemas.csv_sheets import Row, read_rows, read_text
from target_schemas.item_sheets import NAME, ItemReader, Line, check_lines
from target_schemas.model import SHARED
from target_schemas.physical import Described, make_table

INDEX, ITEMS = "reference_tables.csv", "items.csv"
TABLES = ("table", "ja", "en", "source")
COLUMNS = ("table", "item", "ja", "en", "type", "length", "must", "key")
TIME = ("valid_from", "valid_to", "source")
PERIOD = Period("valid_from", "valid_to")
FIRST, LAST = "00000000", "99999999"
KINDS = "NAKJCIMRDT"
FORMS: Mapping[str, str] = MappingProxyType({"N": "[0-9]*", "A": "[ -~｡-ﾟ]*", "T": "([0-3][0-9]|4[0-7])[0-5][0-9]"})

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "S040": "a reference table that is not listed, listed twice, without columns or without its file",
        "S041": "a column that a reference table cannot have",
        "S042": "a line of a reference table whose time ends before it begins, or whose key holds twice at some time",
        "S043": "a line of a reference table without a source",
    }
)
"""What each problem code of reference tables means."""


@dataclasses.dataclass(frozen=True, slots=True)
class ReferenceLine:
    """One line: its cells by item, from when to when it holds (YYYYMMDD; empty: no end), its source and its place."""

    cells: Mapping[str, str]
    valid_from: str
    valid_to: str
    source: str
    place: Position = dataclasses.field(compare=False)

    def holds(self, first: str, last: str) -> bool:
        """Whether it holds on any of the days from `first` to `last`."""
        return self.valid_from <= last and first <= (self.valid_to or LAST)


@dataclasses.dataclass(frozen=True, slots=True)
class ReferenceTable:
    """A dated reference table.

    Attributes:
        table: what it is called, and its columns: those of its sheet, and from when to when a line holds.
        by: the items that a line is looked up by.
        lines: in the order of the sheet.
    """

    table: Table
    by: tuple[str, ...]
    lines: tuple[ReferenceLine, ...]

    @property
    def name(self) -> str:
        """Its name, without the schema's."""
        return self.table.name

    @property
    def items(self) -> tuple[Item, ...]:
        """The items that its sheet has, without the time."""
        return tuple(item for item in self.table.items if item.name not in TIME)

    def key_of(self, line: ReferenceLine) -> tuple[str, ...]:
        """What a line is looked up by."""
        return tuple(line.cells[name] for name in self.by)

    def gaps(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """The keys for which no line holds between two that do: the key, the last day before and the first day after."""
        for key, lines in _by_key(self).items():
            ordered = sorted(lines, key=lambda line: line.valid_from)
            for before, after in itertools.pairwise(ordered):
                if before.valid_to and next_day(before.valid_to) < after.valid_from:
                    yield key, before.valid_to, after.valid_from


def next_day(day: str, days: int = 1) -> str:
    """The day after one (YYYYMMDD), or so many days after it."""
    return (datetime.date.fromisoformat(day) + datetime.timedelta(days)).strftime("%Y%m%d")


def read_reference_tables(folder: Path, problems: list[Problem]) -> Mapping[str, ReferenceTable]:
    """Read every reference table of a folder, by its name with its schema's."""
    shown = f"{folder.name}/{INDEX}"
    text = read_text(folder / INDEX, shown, problems)
    index = () if text is None else read_rows(text, shown, TABLES, ("table", "ja", "en"), problems)
    items = _items(folder, index, problems)
    made: dict[str, ReferenceTable] = {}
    for row in index:
        name, before = row["table"], len(problems)
        if not NAME.fullmatch(name):
            problems.append(Problem("S003", row.at("table"), f"`{name[:60]}` is no name of a table"))
        elif f"{SHARED}.{name}" in made:
            problems.append(Problem("S040", row.at("table"), f"reference table `{name}` stands twice"))
        elif not items.get(name):
            problems.append(Problem("S040", row.at("table"), f"reference table `{name}` has no column in {ITEMS}"))
        else:
            table = _table(row, items[name], problems)
            where = f"{folder.name}/{name}.csv"
            sheet = read_text(folder / f"{name}.csv", where, problems) if len(problems) == before else None
            lines = () if sheet is None else read_lines(table, sheet, where, problems, source=row["source"])
            made[f"{SHARED}.{name}"] = dataclasses.replace(table, lines=lines)
    _unlisted(folder, index, problems)
    return made


def _items(folder: Path, index: Sequence[Row], problems: list[Problem]) -> Mapping[str, Sequence[Line]]:
    """The columns of each table that is listed."""
    shown, listed = f"{folder.name}/{ITEMS}", [row["table"] for row in index]
    text = read_text(folder / ITEMS, shown, problems)
    rows = () if text is None else read_rows(text, shown, COLUMNS, ("table", "item", "ja", "type", "key"), problems)
    reader = ItemReader(("",), {}, problems)
    found: dict[str, list[Line]] = {}
    for row in rows:
        if row["table"] not in listed:
            hint = did_you_mean(row["table"], listed) or f"add a line for it to {INDEX}"
            problems.append(Problem("S040", row.at("table"), f"`{row['table'][:60]}` is not listed", (), hint))
        elif (line := reader.line(row)) is not None:
            found.setdefault(row["table"], []).append(line)
    return found


def _table(row: Row, lines: Sequence[Line], problems: list[Problem]) -> ReferenceTable:
    """A table without its lines."""
    for line in lines:
        if line.item.kind not in KINDS or line.item.name in TIME:
            message = f"a reference table has no column `{line.item.name}` of type {line.item.kind}"
            problems.append(Problem("S041", line.row.at("item"), message, tuple(KINDS)))
        if line.key and not line.item.must:
            message = f"`{line.item.name}` is looked up by, and not mandatory"
            problems.append(Problem("S041", line.row.at("must"), message))
    check_lines(lines, ("",), problems)
    times = (Item("valid_from", "適用開始日", "valid from", "D"), Item("valid_to", "適用終了日", "valid to", "D"))
    items = (*(line.item for line in lines), *times)
    by = tuple(line.item for line in lines if line.key)
    key = (*(f"{item.name}_key" if item.kind == "D" else item.name for item in by), "valid_from_key")
    described = Described(SHARED, row["table"], row["ja"], row["en"], row["source"], key, critical=False, period=PERIOD)
    return ReferenceTable(make_table(described, items, (), items), tuple(item.name for item in by), ())


def read_lines(
    table: ReferenceTable, text: str, shown: str, problems: list[Problem], *, source: str = ""
) -> tuple[ReferenceLine, ...]:
    """Read the lines of a table: those of its sheet, or a municipality's own.

    Args:
        table: the table.
        text: the CSV.
        shown: how positions call the file.
        problems: is added to.
        source: that of a line which names none.
    """
    names = [item.name for item in table.items]
    columns = (*names, *TIME)
    required = [item.name for item in table.items if item.must]
    before: dict[tuple[str, ...], list[ReferenceLine]] = {}
    lines = []
    for row in read_rows(text, shown, columns, required, problems):
        line = _line(table, row, source, problems)
        known = before.setdefault(table.key_of(line), [])
        twice = next((other for other in known if other.holds(line.valid_from, line.valid_to or LAST)), None)
        if line.valid_to and line.valid_from > line.valid_to:
            problems.append(Problem("S042", row.at("valid_to"), "the line ends before it begins"))
        elif twice is not None:
            message = "its key holds twice for some time"
            problems.append(Problem("S042", row.at(), message, hint=f"line {twice.place.line} has the same key"))
        known.append(line)
        lines.append(line)
    return tuple(lines)


def _line(table: ReferenceTable, row: Row, source: str, problems: list[Problem]) -> ReferenceLine:
    for item in table.items:
        if wrong := _wrong(item, row[item.name]):
            cell = f"`{row[item.name][:40]}`" if row[item.name] else "the cell"
            problems.append(Problem("S003", row.at(item.name), f"{cell} {wrong}"))
    for column in ("valid_from", "valid_to"):
        if row[column] and not is_day(row[column]):
            problems.append(Problem("S003", row.at(column), f"`{row[column][:20]}` is no day", ("YYYY-MM-DD",)))
    if not (row["source"] or source):
        hint = "name the law, ordinance or table that says so"
        problems.append(Problem("S043", row.at("source"), "the line has no source", hint=hint))
    first, last = (row[column].replace("-", "") for column in ("valid_from", "valid_to"))
    cells = {item.name: row[item.name] for item in table.items}
    return ReferenceLine(MappingProxyType(cells), first, last, row["source"] or source, row.at())


def _wrong(item: Item, cell: str) -> str:
    """What is wrong with a cell; empty where nothing is."""
    if not cell:
        return f"is empty, and `{item.name}` is mandatory" if item.must else ""
    if item.kind == "D":
        return "" if is_day(cell) else "is no day: YYYY-MM-DD"
    if item.kind in "IMR":
        return _wrong_number(item, cell)
    if item.length and len(cell) > item.length:
        return f"is longer than {item.length}"
    return "" if re.fullmatch(FORMS.get(item.kind, ".*"), cell) else f"has not the form of type {item.kind}"


def _wrong_number(item: Item, cell: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,38}(\.[0-9]{1,38})?", cell):
        return "is no number"
    scale = len(cell.partition(".")[2])
    if scale > item.scale:
        return f"has {scale} decimals, and `{item.name}` {item.scale}"
    room = Decimal(10) ** ((item.length or 13) - item.scale)
    return "" if abs(Decimal(cell)) < room else f"has more digits than `{item.name}`"


def _by_key(table: ReferenceTable) -> Mapping[tuple[str, ...], list[ReferenceLine]]:
    found: dict[tuple[str, ...], list[ReferenceLine]] = {}
    for line in table.lines:
        found.setdefault(table.key_of(line), []).append(line)
    return found


def _unlisted(folder: Path, index: Sequence[Row], problems: list[Problem]) -> None:
    listed = {row["table"] for row in index} | {Path(INDEX).stem, Path(ITEMS).stem}
    for file in sorted(folder.glob("*.csv")) if index else ():
        if file.stem not in listed:
            hint = f"add a line for `{file.stem}` to {INDEX}"
            problems.append(Problem("S040", index[-1].at(), f"{file.name} is not listed", hint=hint))
