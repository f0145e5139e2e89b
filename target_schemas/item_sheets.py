"""データ項目一覧表 (`items.csv`): one line an item, with the edition that the line begins with.

    table,item,ja,en,type,length,must,gaiji,codes,check,words,since,until,official,reference,key,sensitive
    residents,relationship,続柄,relationship to the head,C,8,1,,relationship*2,,ZOKU,1.0,,,,,

type and length:
    N digits · A half-width · K kana · J Japanese text · C code: length in characters
    I whole number · M amount (length 13 where none is said; `M*1000`: in units of 1,000 yen) · R decimal, length 11.2
    D date · T time HHMM · S timestamp · L long text · G geometry · B attachment: without a length
codes: `sex`; `relationship*2` where a value joins codes of two characters; `change_reason@changed` where a code must hold on
    the day of the date item `changed`, else on the reference date (基準日)
must, gaiji: 1 or empty
sensitive: empty; 1 where only those see it who were granted it; `sealed` where nobody does. Neither is ever in a sample.
key: 1 or empty; the items of the key make it in the order of their lines. A date of it is 00000000 where nothing is known.
    `seq` is a whole number of the key that no mapping fills: the program numbers by it, in the order of their arrival, the
    rows of one key whose dates are not known to the day; it is 0 elsewhere
reference: the table that the item names a row of; `tax.taxpayers` of another system

A line holds from the edition `since` to the edition `until`. Where a later edition says something else of an item, a second
line of it says so with its own `since`, and ends the first; the type stays. `until` ends an item that has no later line.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from migration_reports.codes import CodeSet
from migration_reports.items import KINDS, Access, Item
from migration_reports.slips import slip_in
from migration_reports.trouble import Position, Problem, did_you_mean
from target_schemas.csv_sheets import Row
from target_schemas.physical import LINEAGE

COLUMNS = (
    "table", "item", "ja", "en", "type", "length", "must", "gaiji", "codes", "check", "words", "since", "until",
    "official", "reference", "key", "sensitive",
)  # fmt: skip
REQUIRED = ("table", "item", "ja", "type", "since")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
CODES = re.compile(r"(?P<set>[a-z][a-z0-9_]*)(?:\*(?P<width>[1-9]))?(?:@(?P<on>[a-z][a-z0-9_]*))?")
MONEY = re.compile(r"M\*(?P<unit>10+)")
TEXTS, NUMBERS, UNMEASURED = frozenset("NAKJC"), frozenset("IMR"), frozenset("DTSGB")
MOST = {"I": 18, "M": 38, "R": 38}
MOST_CHARACTERS = 10_000
SEQ = "seq"

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "S010": "an edition that the system does not have",
        "S011": "an item that stands twice in one edition",
        "S012": "an item that changes its type from one edition to another",
        "S013": "a code set that is not known, or does not fit the item",
        "S014": "a date item that is not known",
        "S015": "an item whose column has the name of another",
    }
)
"""What each problem code of items means."""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet."""

    table: str
    item: Item
    reference: str
    key: bool
    row: Row


@dataclasses.dataclass(slots=True)
class ItemReader:
    """Reads the lines of one system's items.

    Attributes:
        editions: its editions in order.
        code_sets: every code set there is.
        problems: is added to.
    """

    editions: tuple[str, ...]
    code_sets: Mapping[str, CodeSet]
    problems: list[Problem]

    def line(self, row: Row) -> Line | None:
        """Read a line; None where it has no item of a known type, of which nothing more can be said."""
        for column in ("table", "item"):
            if not NAME.fullmatch(row[column]):
                self._wrong(
                    row, column, "is no name", "a small Latin letter, then such letters, digits and _; at most 40"
                )
        if not row["ja"]:
            self._add("S003", row, "ja", "an item needs its Japanese name")
        money = MONEY.fullmatch(row["type"])
        kind = "M" if money else row["type"]
        if kind not in KINDS:
            self._wrong(row, "type", "is no type", *KINDS, "M*1000")
            return None
        length, scale = self._length(row, kind)
        code_set, width, judged_on = self._codes(row, kind, length)
        if row["check"] and kind not in ("N", "A"):
            self._add("S003", row, "check", "only digits and half-width text have a check digit")
        since, until = self._edition(row, "since"), self._edition(row, "until")
        if since and until and self.editions.index(since) > self.editions.index(until):
            self._add("S010", row, "until", "the line ends before it begins")
        item = Item(
            row["item"],
            row["ja"],
            row["en"] or row["item"].replace("_", " "),
            kind,
            length,
            scale,
            int(money["unit"]) if money else 1,
            must=self._mark(row, "must"),
            gaiji=self._mark(row, "gaiji"),
            code_set=code_set,
            width=width,
            judged_on=judged_on,
            check=row["check"],
            words=tuple(row["words"].split()),
            since=since or self.editions[0],
            until=until,
            official=row["official"],
            access=self._access(row),
            arrival=row["key"] == SEQ,
        )
        return Line(row["table"], item, row["reference"], item.arrival or self._mark(row, "key", SEQ), row)

    def _length(self, row: Row, kind: str) -> tuple[int, int]:
        text = row["length"]
        form = r"([0-9]+)\.([0-9]+)" if kind == "R" else r"([0-9]+)(?:\.([0-9]+))?" if kind == "M" else r"([0-9]+)()"
        if kind in UNMEASURED:
            if text:
                self._add("S003", row, "length", f"type {kind} ({KINDS[kind]}) has no length")
            return 0, 0
        if not text:
            if kind in TEXTS or kind == "R":
                example = "11.2" if kind == "R" else "15"
                self._add(
                    "S003", row, "length", f"type {kind} ({KINDS[kind]}) needs a length", hint=f"such as {example}"
                )
            return 0, 0
        found = re.fullmatch(form, text)
        if found is None:
            self._wrong(
                row, "length", "is no length", "digits and decimals, such as 11.2" if kind == "R" else "a number"
            )
            return 0, 0
        length, scale = int(found[1]), int(found[2] or 0)
        most = MOST.get(kind, MOST_CHARACTERS)
        if not 1 <= length <= most or scale >= length:
            self._wrong(row, "length", "is no length", f"1 to {most:,}, and fewer decimals than digits")
        return length, scale

    def _codes(self, row: Row, kind: str, length: int) -> tuple[str, int, str]:
        if not row["codes"]:
            return "", 0, ""
        found = CODES.fullmatch(row["codes"])
        if found is None:
            self._wrong(row, "codes", "names no code set", "sex", "relationship*2", "change_reason@changed")
            return "", 0, ""
        name, width, on = found["set"], int(found["width"] or 0), found["on"] or ""
        if kind != "C":
            self._add("S013", row, "codes", f"type {kind} ({KINDS[kind]}) has no codes", hint="the type of a code is C")
        known = self.code_sets.get(name)
        if known is None:
            hint = did_you_mean(name, self.code_sets) or "add it to codes/code_sets.csv"
            self._add("S013", row, "codes", f"there is no code set `{name}`", hint=hint)
            return "", 0, ""
        if width and on:
            self._add(
                "S013", row, "codes", "joined codes are judged on the reference date only", hint="leave out the @"
            )
        self._fits(row, known, width, length)
        return name, width, on

    def _fits(self, row: Row, known: CodeSet, width: int, length: int) -> None:
        """That codes fit the item, and where they are joined, all have the width of one."""
        wrong = sorted(code for code in known.ever if (len(code) != width if width else len(code) > length))
        if wrong and (width or length):
            room = f"{width} characters each" if width else f"at most {length}"
            self._add("S013", row, "codes", f"code `{wrong[0][:20]}` of {known.name} does not fit: {room}")
        if width and length % width:
            self._add("S013", row, "length", f"a length of {length} does not hold codes of {width}")

    def _edition(self, row: Row, column: str) -> str:
        name = row[column]
        if name in self.editions or (not name and column == "until"):
            return name
        message = f"there is no edition `{name[:20]}`" if name else "a line says the edition that it begins with"
        self._add("S010", row, column, message, *self.editions)
        return ""

    def _access(self, row: Row) -> Access:
        if row["sensitive"] == "sealed":
            return "sealed"
        return "sensitive" if self._mark(row, "sensitive", "sealed") else ""

    def _mark(self, row: Row, column: str, *besides: str) -> bool:
        if row[column] not in ("", "1"):
            self._wrong(row, column, "is not allowed", "1", *besides, "an empty cell")
        return row[column] == "1"

    def _wrong(self, row: Row, column: str, what: str, *allowed: str) -> None:
        self._add("S003", row, column, f"`{row[column][:40]}` {what}", *allowed, hint=slip_in(row[column]))

    def _add(self, code: str, row: Row, column: str, message: str, *allowed: str, hint: str = "") -> None:
        self.problems.append(Problem(code, row.at(column), message, allowed, hint))


def check_lines(lines: Sequence[Line], editions: tuple[str, ...], problems: list[Problem]) -> None:
    """Check the lines of one table against each other."""
    first: dict[str, Line] = {}
    columns: dict[str, str] = dict.fromkeys(LINEAGE, "the columns that every table has")
    for line in lines:
        item, before = line.item, first.setdefault(line.item.name, line)
        at = line.row.at("item")
        if before is line:
            for column in item.columns:
                if column in columns:
                    hint = f"`{columns[column]}` has it" if column not in LINEAGE else "every table has it by itself"
                    problems.append(Problem("S015", at, f"column `{column}` stands twice", hint=hint))
                columns[column] = item.name
            continue
        if (item.kind, item.scale, item.unit) != (before.item.kind, before.item.scale, before.item.unit):
            place = line.row.at("type")
            hint = f"it is {before.item.kind} on line {before.row.line}; an item of another type is another item"
            problems.append(Problem("S012", place, f"item `{item.name}` changes its type", hint=hint))
        if line.key != before.key:
            problems.append(
                Problem("S012", line.row.at("key"), f"item `{item.name}` is of the key in some editions only")
            )
    for edition in editions:
        for name, several in _standing(lines, edition).items():
            if len(several) > 1:
                message = f"item `{name}` stands twice in edition {edition}"
                hint = f"line {several[0].row.line} has the same since"
                problem = Problem("S011", several[1].row.at("since"), message, hint=hint)
                if problem.position not in [p.position for p in problems]:
                    problems.append(problem)
    _check_days(lines, editions, problems)


def check_key(lines: Sequence[Line], editions: tuple[str, ...], place: Position, problems: list[Problem]) -> None:
    """That there is a key, and that in every edition that has the table its items are there and mandatory."""
    if lines and not any(line.key for line in lines):
        message, hint = "the table has no key", "mark its items with 1 in the column key"
        problems.append(Problem("S031", place, message, hint=hint))
    for line in lines:
        if line.key and not line.item.must:
            problems.append(
                Problem("S031", line.row.at("must"), f"`{line.item.name}` is of the key, and not mandatory")
            )
        if line.key and line.item.kind in ("G", "B"):
            problems.append(Problem("S031", line.row.at("key"), f"`{line.item.name}` cannot be of a key"))
    given = [line for line in lines if line.item.arrival]
    dated = any(line.key and line.item.kind == "D" for line in lines)
    for line in given:
        if line.item.kind != "I" or line.item.length or not dated or line.item.name != given[0].item.name:
            message = f"`{line.item.name}` cannot number the rows of a key"
            hint = "one whole number (I) without a length, in a table whose key has a date"
            problems.append(Problem("S031", line.row.at("key"), message, hint=hint))
    for edition in editions:
        here = {line.item.name for line in in_edition(lines, edition, editions)}
        for line in lines:
            if line.key and here and line.item.name not in here:
                message = f"`{line.item.name}` is of the key, and edition {edition} does not have it"
                problems.append(Problem("S031", line.row.at("since"), message))


def _check_days(lines: Sequence[Line], editions: tuple[str, ...], problems: list[Problem]) -> None:
    """That a code is judged on the day of a date item that stands wherever the code does."""
    for line in lines:
        on = line.item.judged_on
        dates = sorted({other.item.name for other in lines if other.item.kind == "D"})
        if on and on not in dates:
            problems.append(
                Problem(
                    "S014", line.row.at("codes"), f"there is no date item `{on}`", tuple(dates), did_you_mean(on, dates)
                )
            )
        for edition in editions if on in dates else ():
            here = in_edition(lines, edition, editions)
            if line in here and on not in {other.item.name for other in here}:
                problems.append(Problem("S014", line.row.at("codes"), f"edition {edition} has no date item `{on}`"))
                break


def _standing(lines: Sequence[Line], edition: str) -> Mapping[str, list[Line]]:
    """The lines that begin with an edition, by item."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line.item.since == edition:
            found.setdefault(line.item.name, []).append(line)
    return found


def in_edition(lines: Sequence[Line], edition: str, editions: tuple[str, ...]) -> tuple[Line, ...]:
    """The lines that hold in an edition: of each item the last that has begun, where it has not ended."""
    at = editions.index(edition)
    last: dict[str, Line] = {}
    for line in sorted(lines, key=lambda line: editions.index(line.item.since)):
        if editions.index(line.item.since) <= at:
            last[line.item.name] = line
    order = list(dict.fromkeys(line.item.name for line in lines))
    held = [last[name] for name in order if name in last]
    return tuple(line for line in held if not line.item.until or editions.index(line.item.until) >= at)


def union(lines: Sequence[Line], editions: tuple[str, ...]) -> tuple[Item, ...]:
    """Every item of a table: as its last line says it, as long as the longest, mandatory where every edition asks for it."""
    by_edition = [{line.item.name: line.item for line in in_edition(lines, e, editions)} for e in editions]
    there = [items for items in by_edition if items]
    made = []
    for name in dict.fromkeys(line.item.name for line in lines):
        lines_of = [line.item for line in lines if line.item.name == name]
        last = max(lines_of, key=lambda item: editions.index(item.since))
        must = all(name in items and items[name].must for items in there)
        # A text of which an edition says no length has none.
        length = 0 if any(not item.length for item in lines_of) else max(item.length for item in lines_of)
        made.append(dataclasses.replace(last, must=must, length=length))
    return tuple(made)
