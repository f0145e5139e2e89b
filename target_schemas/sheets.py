"""A system's folder of sheets -> the system: read and checked, every problem of every file at once.

systems/<system>/system.yaml    what it is called, editions, tables, references, rules
systems/<system>/items.csv      データ項目一覧表, one line an item
codes/code_sets.csv, codes/<set>.csv    コード構成表 and コード一覧, shared by all systems

The head, of a system of one table:

    title: {ja: 図書館, en: library}
    based_on: 図書館業務 標準仕様書
    editions: {"1.0": 2025-04-01, "2.0": 2027-04-01}
    tables:
      loans:
        ja: 貸出
        en: loans
        references:
          book_no: {orphan: falls, because: Nobody can return what is no book.}
    rules:
      lent_after_bought: {not_after: [bought, lent], of: loans, severity: alert, source: 図書館規則 第3条}

A rejected row of a table with `critical: yes` holds the run. Where that is so of some rows only, `critical_when` says of
which, by what stands in them, or by a condition as of `holds`; a rejected row that does not say counts as one of them:

      victims: {ja: 被災者, en: victims, critical_when: {disclose: "0"}}
      reservations: {ja: 予約, en: reservations, critical_when: "state = '1' and day >= '20270401'"}

A reference of several items names the others `beside:` the first. A rule begins with its shape; `of` and `source` are asked
for, `severity` may be said, and what else stands there are the shape's parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from migration_reports.candidates import Candidates
from migration_reports.codes import CodeSet
from migration_reports.items import Item, Reference
from migration_reports.specs import Located, checked
from migration_reports.trouble import Position, Problem, SpecError, did_you_mean
from migration_reports.yaml_text import read_yaml
from target_schemas import candidate_sheets, code_sheets, csv_sheets, item_sheets, periods, rule_sheets
from target_schemas.code_sheets import is_day, read_code_sets
from target_schemas.csv_sheets import read_rows, read_text
from target_schemas.item_sheets import NAME, ItemReader, Line, check_key, check_lines, in_edition, union
from target_schemas.model import Edition, RuleSpec, System
from target_schemas.physical import Described, make_table
from target_schemas.rule_sheets import read_rules
from target_schemas.system_yaml import ReferenceSheet, SystemSheet, TableSheet

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        **csv_sheets.PROBLEMS,
        **item_sheets.PROBLEMS,
        **code_sheets.PROBLEMS,
        **candidate_sheets.PROBLEMS,
        **periods.PROBLEMS,
        **rule_sheets.PROBLEMS,
        "S030": "a table that is not known, or has no items",
        "S031": "a key that cannot be one",
        "S032": "a reference that cannot be made",
    }
)
"""What each problem code of a system's sheets means."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """A system as it was read: its head, and the lines of each table."""

    name: str
    sheet: SystemSheet
    located: Located
    lines: Mapping[str, tuple[Line, ...]]

    @property
    def editions(self) -> tuple[str, ...]:
        return tuple(self.sheet.editions)


def read_systems(folder: Path, names: Sequence[str], codes: Path) -> tuple[System, ...]:
    """Read systems, each a folder of that name.

    Args:
        folder: where their folders stand.
        names: the systems.
        codes: the folder of the code sets.

    Raises:
        SpecError: with every problem of every sheet.
    """
    problems: list[Problem] = []
    code_sets = read_code_sets(codes, problems)
    reads = {name: read for name in names if (read := _read(folder / name, code_sets, problems)) is not None}
    references = {
        (name, table): tuple(_references(reads, names, read, table, problems))
        for name, read in reads.items()
        for table in read.lines
    }
    rules = {name: tuple(_rules(reads, read, problems)) for name, read in reads.items()}
    heads = {name: (read.sheet.candidates, read.located, read.lines) for name, read in reads.items()}
    candidates = candidate_sheets.of_systems(heads, names, problems)
    if problems:
        raise SpecError(problems)
    return tuple(_system(read, code_sets, references, rules[name], candidates[name]) for name, read in reads.items())


def _read(folder: Path, code_sets: Mapping[str, CodeSet], problems: list[Problem]) -> _Read | None:
    head = _head(folder, problems)
    if head is None:
        return None
    sheet, located = head
    editions = tuple(sheet.editions)
    if not _editions(sheet, located, problems):
        return None
    shown = f"{folder.name}/items.csv"
    text = read_text(folder / "items.csv", shown, problems)
    if text is None:
        return None
    before = len(problems)
    rows = read_rows(text, shown, item_sheets.COLUMNS, item_sheets.REQUIRED, problems)
    if not rows:
        problems.extend([Problem("S030", Position(shown), "the sheet has no line")] if len(problems) == before else [])
        return None
    reader = ItemReader(editions, code_sets, problems)
    lines = [line for row in rows if (line := reader.line(row)) is not None]
    by_table: dict[str, list[Line]] = {table: [] for table in sheet.tables}
    for line in lines:
        if line.table in by_table:
            by_table[line.table].append(line)
        elif NAME.fullmatch(line.table):
            hint = did_you_mean(line.table, sheet.tables) or "say in system.yaml what it is"
            message = f"system.yaml has no table `{line.table[:40]}`"
            problems.append(Problem("S030", line.row.at("table"), message, tuple(sheet.tables), hint))
    for table, of_table in by_table.items():
        place = located.at("tables", table, "key")
        if not NAME.fullmatch(table):
            problems.append(Problem("S003", place, f"`{table[:60]}` is no name of a table"))
        if not of_table:
            problems.append(Problem("S030", place, f"table `{table[:60]}` has no item in items.csv"))
        check_lines(of_table, editions, problems)
        check_key(of_table, editions, place, problems)
    return _Read(folder.name, sheet, located, {table: tuple(of_table) for table, of_table in by_table.items()})


def _head(folder: Path, problems: list[Problem]) -> tuple[SystemSheet, Located] | None:
    shown = f"{folder.name}/system.yaml"
    text = read_text(folder / "system.yaml", shown, problems)
    if text is None:
        return None
    try:
        data, places = read_yaml(text, shown)
    except SpecError as error:
        problems.extend(error.problems)
        return None
    located = Located(shown, places)
    sheet = checked(SystemSheet, data, located, problems)
    return None if sheet is None else (sheet, located)


def _editions(sheet: SystemSheet, located: Located, problems: list[Problem]) -> bool:
    """Whether there are editions, in the order of their days."""
    if not sheet.editions:
        problems.append(Problem("S010", located.at("editions"), "a system has at least one edition"))
    before = ""
    for name, day in sheet.editions.items():
        place = located.at("editions", name)
        if not is_day(day):
            problems.append(Problem("S003", place, f"`{day}` is no day of the calendar", ("YYYY-MM-DD",)))
        elif day <= before:
            problems.append(Problem("S010", place, f"edition {name[:20]} does not come after the one above it"))
        before = max(before, day)
    return bool(sheet.editions)


def _key(items: Sequence[Item], lines: Sequence[Line]) -> tuple[str, ...]:
    keyed = {line.item.name for line in lines if line.key}
    return tuple(_named(item) for item in items if item.name in keyed)


def _named(item: Item) -> str:
    """The column by which an item is part of a key or a reference: of a date the one that sorts."""
    return f"{item.name}_key" if item.kind == "D" else item.columns[0]


def _references(
    reads: Mapping[str, _Read], names: Sequence[str], read: _Read, table: str, problems: list[Problem]
) -> Iterator[Reference]:
    """The references of a table: what its items name, with what system.yaml says of each."""
    lines = {line.item.name: line for line in read.lines[table]}
    said = read.sheet.tables[table].references
    told = {name for item, reference in said.items() for name in (item, *reference.beside)}
    for name, line in lines.items():
        if line.reference and name not in told:
            hint = f"add it to references: of {table}, with orphan and because"
            message = f"system.yaml does not say what becomes of a row whose `{name}` names nobody"
            problems.append(Problem("S032", line.row.at("reference"), message, hint=hint))
    for item, reference in said.items():
        at = ("tables", table, "references", item)
        unknown = [name for name in (item, *reference.beside) if name not in lines or not lines[name].reference]
        for name in unknown:
            place = read.located.at(*at, "key") if name == item else read.located.at(*at, "beside")
            referring = tuple(name for name, line in lines.items() if line.reference)
            message = f"no item `{name[:40]}` of {table} has a reference in items.csv"
            problems.append(Problem("S032", place, message, referring, did_you_mean(name, referring)))
        if not unknown:
            made = _reference(
                reads, names, read, [lines[n] for n in (item, *reference.beside)], reference, at, problems
            )
            yield from () if made is None else (made,)


def _reference(
    reads: Mapping[str, _Read],
    systems: Sequence[str],
    read: _Read,
    lines: Sequence[Line],
    said: ReferenceSheet,
    at: tuple[str, ...],
    problems: list[Problem],
) -> Reference | None:
    named, place = lines[0].reference, lines[0].row.at("reference")
    if any(line.reference != named for line in lines):
        message = "the items of one reference name rows of several tables"
        problems.append(Problem("S032", read.located.at(*at, "beside"), message))
        return None
    system, dot, table = named.rpartition(".")
    other = reads.get(system) if dot else read
    if other is None and system in systems:
        return None
    if other is None:
        problems.append(
            Problem("S032", place, f"there is no system `{system[:40]}`", tuple(systems), did_you_mean(system, systems))
        )
        return None
    if table not in other.lines:
        message, known = f"{other.name} has no table `{table[:40]}`", tuple(other.lines)
        problems.append(Problem("S032", place, message, known, did_you_mean(table, known)))
        return None
    there = {line.item.name: line.item for line in other.lines[table]}
    own = tuple(line.item.name for line in lines)
    names = _names_of(other.lines[table], own, said)
    unknown = [name for name in names if name not in there]
    if unknown or len(names) != len(own):
        where = read.located.at(*at, "names") if said.names else place
        message = (
            f"`{unknown[0][:40]}` is no item of {table}"
            if unknown
            else f"{len(own)} items cannot name {', '.join(names)}"
        )
        hint = did_you_mean(unknown[0], there) if unknown else "say which items of it they name, by names:"
        problems.append(Problem("S032", where, message, tuple(there), hint))
        return None
    columns = tuple(_named(line.item) for line in lines)
    return Reference(columns, named, tuple(_named(there[n]) for n in names), said.orphan, said.because)


def _rules(reads: Mapping[str, _Read], read: _Read, problems: list[Problem]) -> Iterator[RuleSpec]:
    """The rules of a system: those that it declares, and those that periods, and references on a day, give for nothing."""
    yield from read_rules(read.sheet, read.located, problems)
    for name, table in read.sheet.tables.items():
        lines, source = read.lines[name], table.based_on or read.sheet.based_on
        if table.period is not None:
            periods.check_period(name, table.period, lines, read.editions, read.located, problems)
            place = read.located.at("tables", name, "period", "key")
            yield from periods.period_rules(name, table.period, lines, source, place)
        for item, said in table.references.items():
            place = read.located.at("tables", name, "references", item, "on")
            named = next((line.reference for line in lines if line.item.name == item), "")
            system, _, bare = named.rpartition(".")
            other = reads.get(system or read.name)
            if said.on is not None and other is not None and bare in other.lines:
                period = other.sheet.tables[bare].period
                problems.extend(periods.check_day(said.on, lines, read.editions, period, place))
                names = _names_of(other.lines[bare], (item, *said.beside), said)
                yield from periods.reference_rules(name, item, said, named, names, source, place)


def _names_of(there: Sequence[Line], own: tuple[str, ...], said: ReferenceSheet) -> tuple[str, ...]:
    """The items of another table that a reference names: those it says, those of the same names, or its key."""
    key = tuple(dict.fromkeys(line.item.name for line in there if line.key))
    return said.names or (own if set(own) <= {line.item.name for line in there} else key)


def _system(
    read: _Read,
    code_sets: Mapping[str, CodeSet],
    references: Mapping[tuple[str, str], tuple[Reference, ...]],
    rules: tuple[RuleSpec, ...],
    candidates: tuple[Candidates, ...],
) -> System:
    """The union of a system's editions, and from it each of them."""
    whole = {table: union(lines, read.editions) for table, lines in read.lines.items()}
    made: dict[str, System] = {}

    def system(edition: str, items: Mapping[str, tuple[Item, ...]]) -> System:
        there = {table: {column for item in of for column in item.columns} for table, of in items.items() if of}
        tables = []
        for table, columns in there.items():
            kept = tuple(
                r
                for r in references[read.name, table]
                if set(r.columns) <= columns and ("." in r.table or set(r.target) <= there.get(r.table, set()))
            )
            described = _described(read, table, read.sheet.tables[table], _key(whole[table], read.lines[table]))
            tables.append(make_table(described, items[table], kept, whole[table]))
        used = dict.fromkeys(item.code_set for table in tables for item in table.items if item.code_set)
        return System(
            read.name,
            read.sheet.title.ja,
            read.sheet.title.en,
            read.sheet.based_on,
            tuple(Edition(name, day) for name, day in read.sheet.editions.items()),
            tuple(tables),
            tuple(code_sets[name] for name in used),
            tuple(rule for rule in rules if rule.of in there),
            read.sheet.refuse,
            edition,
            tuple(one for one in candidates if one.of.removeprefix(f"{read.name}.") in there),
            MappingProxyType(made),
        )

    for edition in read.editions:
        lines = {table: in_edition(of, edition, read.editions) for table, of in read.lines.items()}
        made[edition] = system(edition, {table: tuple(line.item for line in of) for table, of in lines.items()})
    made[""] = system("", whole)
    return made[""]


def _described(read: _Read, table: str, sheet: TableSheet, key: tuple[str, ...]) -> Described:
    based_on = sheet.based_on or read.sheet.based_on
    rows = sheet.critical_rows(read.located.at("tables", table, "critical_when"))
    held, period = sheet.critical == "yes", periods.period_of(sheet)
    return Described(read.name, table, sheet.ja, sheet.en, based_on, key, held, period, rows)
