"""Candidates as system.yaml declares them -> candidates, every item proved against the tables.

    candidates:
      same_person:
        ja: 同一人の二重付番
        en: one person under two numbers
        of: parties
        evidence:
          token: {equal: [my_number_token], weight: strong}
          kana_birth: {equal: [name_kana, birth], weight: strong}
          name_address: {equal: [name, address]}
        forms: {address: address}
        severity: error
        source: 統合宛名 (one person, one number)

Kana are compared as kana, Japanese text as text, dates by the day, all else as it stands; `forms` says otherwise. With another
table (`with: parties`, `with: financial_accounting.creditors`), `equal: {kana: name_kana, birth: birth}` gives its items.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from migration_reports.candidates import Candidates, Compared, Evidence, Form
from migration_reports.items import Item
from migration_reports.specs import Located
from migration_reports.trouble import Problem, did_you_mean
from target_schemas.item_sheets import NAME, Line
from target_schemas.system_yaml import CandidatesSheet

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "S050": "candidates of a table that there is not, or without a number of their own",
        "S051": "candidates by an item that there is not, or that cannot be compared",
    }
)
"""What each problem code of candidates means."""

FORMS: Mapping[str, Form] = MappingProxyType({"K": "kana", "J": "text", "D": "day"})
UNLIKE = "LTSGB"
"""The types of items of which nothing is compared."""

Tables = Mapping[str, Sequence[Line]]
"""The lines of every table's items, by system.table; a table of a sheet that has problems is not there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """One declaration while it is read."""

    name: str
    sheet: CandidatesSheet
    system: str
    tables: Tables
    located: Located
    problems: list[Problem]

    def wrong(self, code: str, message: str, *at: str, allowed: Sequence[str] = (), hint: str = "") -> None:
        """Keep a problem, at the place of a part."""
        place = self.located.at("candidates", self.name, *(at or ("key",)))
        self.problems.append(Problem(code, place, f"candidates `{self.name[:40]}`: {message}", tuple(allowed), hint))


Head = tuple[Mapping[str, CandidatesSheet], Located, Mapping[str, Sequence[Line]]]
"""What a system's head declares, with the places of its parts, and the lines of each of its tables."""


def of_systems(
    heads: Mapping[str, Head], systems: Sequence[str], problems: list[Problem]
) -> Mapping[str, tuple[Candidates, ...]]:
    """By system, what it declares.

    Args:
        heads: of the systems that could be read.
        systems: those that there are; one of them may have problems of its own.
        problems: is added to.
    """
    tables = {f"{name}.{table}": lines for name, (*_, of) in heads.items() for table, lines in of.items()}
    return {
        name: tuple(_of_system(name, sheets, located, tables, systems, problems))
        for name, (sheets, located, _) in heads.items()
    }


def _of_system(
    system: str,
    sheets: Mapping[str, CandidatesSheet],
    located: Located,
    tables: Tables,
    systems: Sequence[str],
    problems: list[Problem],
) -> Iterator[Candidates]:
    for name, sheet in sheets.items():
        declared = Declared(name, sheet, system, tables, located, problems)
        if not NAME.fullmatch(name):
            declared.wrong("S050", "that is no name")
        of = _table(declared, "of", sheet.of)
        other = _table(declared, "with", sheet.other) if sheet.other else of
        missing = [table.partition(".")[0] for table in (of, other) if table and table not in tables]
        if of and other and not set(missing) & set(systems):
            before = len(problems)
            made = _made(declared, of, other)
            if len(problems) == before:
                yield made


def _table(declared: Declared, key: str, said: str) -> str:
    """The table by system.table; empty where there is none."""
    table = said if "." in said else f"{declared.system}.{said}"
    system = table.partition(".")[0]
    if table in declared.tables or (
        system != declared.system and not any(t.startswith(f"{system}.") for t in declared.tables)
    ):
        return table
    known = [t.removeprefix(f"{declared.system}.") for t in declared.tables]
    declared.wrong("S050", f"there is no table `{said[:60]}`", key, allowed=known[:40], hint=did_you_mean(said, known))
    return ""


def _made(declared: Declared, of: str, other: str) -> Candidates:
    sheet = declared.sheet
    own = {line.item.name: line for line in declared.tables.get(of, ())}
    others = {line.item.name: line for line in declared.tables.get(other, ())}
    pairs = {name: dict(_pairs(said.equal)) for name, said in sheet.evidence.items()}
    beside = dict(_pairs(sheet.beside))
    named = {a: b for part in (*pairs.values(), beside) for a, b in part.items()}
    for key, some in (*((("evidence", name, "equal"), part) for name, part in pairs.items()), (("beside",), beside)):
        for a, b in some.items():
            _known(declared, a, own, of, *key)
            if other != of:
                _known(declared, b, others, other, *key)
            if named[a] != b:
                declared.wrong("S051", f"`{a[:40]}` is compared with `{b[:40]}` and with `{named[a][:40]}`", *key)
        if not some and key[0] == "evidence":
            declared.wrong("S051", "an evidence names at least one item", *key)
    for item in (*sheet.where, *sheet.forms):
        if item not in own or (item in sheet.forms and item not in named):
            part = "forms" if item in sheet.forms else "where"
            known = named if part == "forms" else own
            message = (
                f"`{item[:40]}` is not among what is compared" if part == "forms" else f"{of} has no item `{item[:40]}`"
            )
            declared.wrong("S051", message, part, item, "key", allowed=tuple(known), hint=did_you_mean(item, known))
    numbers = _number(declared, sheet.number, own, of), _number(declared, (), others, other)
    compared = (_compared(own[a].item, b, sheet.forms.get(a)) for a, b in named.items() if a in own)
    return Candidates(
        declared.name,
        sheet.ja,
        sheet.en,
        of,
        other,
        numbers[0],
        numbers[1] if other != of else numbers[0],
        tuple(compared),
        tuple(Evidence(name, tuple(pairs[name]), said.weight == "strong") for name, said in sheet.evidence.items()),
        MappingProxyType(dict(sheet.where)),
        sheet.most,
        sheet.severity,
        sheet.source,
    )


def _pairs(said: Sequence[str] | Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from said.items() if isinstance(said, Mapping) else ((name, name) for name in said)


def _known(declared: Declared, item: str, lines: Mapping[str, Line], table: str, *at: str) -> None:
    if item not in lines:
        message = f"{table} has no item `{item[:40]}`"
        declared.wrong("S051", message, *at, allowed=tuple(lines), hint=did_you_mean(item, lines))
    elif lines[item].item.kind in UNLIKE or lines[item].item.access == "sealed":
        declared.wrong("S051", f"`{item}` of {table} is of a kind that is not compared", *at)


def _number(declared: Declared, said: Sequence[str], lines: Mapping[str, Line], table: str) -> tuple[str, ...]:
    """The columns of a row's number: the items that are said, or the table's key."""
    for item in said:
        _known(declared, item, lines, table, "number")
    items = [lines[name].item for name in said if name in lines] or [line.item for line in lines.values() if line.key]
    return tuple(f"{item.name}_key" if item.kind == "D" else item.columns[0] for item in dict.fromkeys(items))


def _compared(item: Item, other: str, form: Form | None) -> Compared:
    return Compared(
        item.name,
        item.ja,
        item.en,
        item.name,
        other,
        form or FORMS.get(item.kind, "exact"),
        sensitive=bool(item.access),
    )
