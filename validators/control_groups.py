"""Controls by group: each group's total against what a control file, or a trailer that comes once a group, states of it.

Groups are codes (科目, 年度, 期), and their totals no personal data; those of a few records could be, and are not shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.records.groups import MOST_GROUPS, Group
from migration_reports.records.run_record import Control, ControlGroup
from migration_reports.records.sums import values_by
from validators.controls import Stated, plain

FEW = 3
"""A group of fewer records could be one person's: its numbers are not shown (as statistics keep them, 秘匿)."""

MOST_LISTED = 1_000
"""Groups of a control that are listed, those that differ first; all that differ are findings."""

MOST_PROBLEMS = 100

_SHORT = re.compile(r"[0-9A-Za-z]{0,4}")

Key = tuple[str, ...]


class Said(NamedTuple):
    """What is stated of a group, and where."""

    amount: Decimal
    place: str


def key_of(values: Sequence[str | None], numbers: Sequence[bool]) -> Key:
    """What a group goes by wherever it is stated: full width and half width are one, and so are 01 and 1 of a number."""
    return tuple(_plain_value(value or "", number) for value, number in zip(values, numbers, strict=True))


def _plain_value(value: str, number: bool) -> str:
    text = unicodedata.normalize("NFKC", value).strip()
    return (text.lstrip("0") or "0") if number and text.isdigit() else text


def prove_groups(
    dump: str,
    control: Stated,
    groups: Sequence[Group],
    stated: Mapping[Key, Said],
    *,
    numbers: Sequence[bool],
    problems: Sequence[str] = (),
) -> tuple[Control, pa.RecordBatch]:
    """Prove a control by group.

    Args:
        dump: the dump's name.
        control: the control.
        groups: what was counted.
        stated: what is stated.
        numbers: of each field that makes the groups, whether it is a number.
        problems: why what is stated cannot be read.

    Returns:
        The control, and a finding for each group that does not agree.
    """
    problems = list(problems)
    if len(groups) > MOST_GROUPS:
        problems.append(
            f"more than {MOST_GROUPS:,} groups: by: {', '.join(control.by)} tells persons or vouchers apart"
        )
    if problems:
        return _unusable(dump, control, problems)
    met = {
        key: Group.added(some)
        for key, some in values_by({key_of(g.values, numbers): g} for g in groups if g.records).items()
    }
    keys = sorted(met.keys() | stated.keys())
    judged = [(key, _judged(control, met.get(key), stated.get(key))) for key in keys]
    wrong = [(key, line) for key, line in judged if not line.agrees]
    first = (*wrong, *((key, line) for key, line in judged if line.agrees))[:MOST_LISTED]
    listed = [_shown(control, key, line, met.get(key)) for key, line in first]
    proved = Control(
        dump=dump,
        name=control.name,
        kind=control.what,
        field=control.equals,
        stated=plain(sum((said.amount for said in stated.values()), Decimal(0))),
        found=plain(sum((control.in_unit(group.total) for group in met.values()), Decimal(0))),
        agrees=not wrong,
        unit=control.unit,
        by=control.by,
        groups=len(keys),
        differing=len(wrong),
        listed=tuple(listed),
    )
    return proved, join_findings(list(_told(dump, control, wrong, met)))


def _judged(control: Stated, group: Group | None, said: Said | None) -> ControlGroup:
    found = None if group is None else control.in_unit(group.total)
    return ControlGroup(
        values=(),
        place="" if said is None else said.place,
        stated="" if said is None else plain(said.amount),
        found="" if found is None else plain(found),
        agrees=said is not None and found == said.amount,
    )


def _shown(control: Stated, key: Key, line: ControlGroup, group: Group | None) -> ControlGroup:
    """A group as it may be shown: how many records it has is nobody's secret, what they add up to may be."""
    records = 0 if group is None else group.records
    amounts = {"stated": line.stated, "found": line.found}
    if control.what != "count":
        amounts = {name: hidden(amount, records) for name, amount in amounts.items()}
    return line.model_copy(update={"values": shown_values(key, records), **amounts})


def shown_values(values: Sequence[str], records: int) -> tuple[str, ...]:
    """What stands in the fields of a group, as far as it may be shown."""
    if records >= FEW or all(_SHORT.fullmatch(value) for value in values):
        return tuple(values)
    return ("*",) * len(values)


def hidden(amount: str, records: int) -> str:
    """An amount of a group, as far as it may be shown."""
    return amount if records >= FEW or not amount else "*"


def _told(
    dump: str, control: Stated, wrong: Iterable[tuple[Key, ControlGroup]], met: Mapping[Key, Group]
) -> Iterator[pa.RecordBatch]:
    """A finding for each group that differs; the first record of one that nothing states is where to look."""
    for key, line in wrong:
        shown = _shown(control, key, line, met.get(key))
        code = "C561" if not line.found else "C560" if line.stated else "C562"
        named = ", ".join(f"{field} {value}" for field, value in zip(control.by, shown.values, strict=True))
        place = f" ({line.place})" if line.place else f" (record {met[key].first})"
        detail = f"{named}{place}: stated {shown.stated or '-'} found {shown.found or '-'}"
        yield finding(code, CATALOGUE[code].severity, dump=dump, field=control.of, detail=detail)


def _unusable(dump: str, control: Stated, problems: Sequence[str]) -> tuple[Control, pa.RecordBatch]:
    """A control of which nothing can be said, and why."""
    told = [
        *problems[:MOST_PROBLEMS],
        *([f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []),
    ]
    found = [finding("C563", CATALOGUE["C563"].severity, dump=dump, field=control.of, detail=said) for said in told]
    proved = Control(
        dump=dump,
        name=control.name,
        kind=control.what,
        field=control.equals,
        stated="unreadable",
        found="",
        agrees=False,
        unit=control.unit,
        by=control.by,
    )
    return proved, join_findings(found)
