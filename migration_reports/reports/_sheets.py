"""How cells of a workbook are written, and the sheets of what was proved group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from migration_reports.records.run_record import AmountReconciliation, Control, RecordFate, RunRecord
from migration_reports.records.shown import amount, control_name
from migration_reports.records.verdicts import Verdict, of_fate
from migration_reports.words import WORDS

Sheet = tuple[str, str, Iterator[tuple[Any, ...]]]
"""A sheet: its title, the keys of its headings, and its rows."""


def both(key: str) -> str:
    """A word in both languages."""
    return f"{WORDS['ja'][key]} / {WORDS['en'][key]}"


def said(verdict: Verdict) -> str:
    """A verdict in both languages."""
    return both("not_judged" if verdict is None else "closes" if verdict else "open")


def name_of(control: Control) -> str:
    """What a control is called in both languages."""
    return f"{control_name(control, 'ja')} / {control_name(control, 'en')}"


def column_of(amount: AmountReconciliation) -> str:
    """The column of an amount; the table where its rows are counted."""
    return f"{amount.table}.{amount.column}" if amount.column else f"{amount.table} ({both('rows_counted')})"


def fate_sheet(record: RunRecord) -> Sheet:
    """The sheet of where the records of each kind went as a whole."""
    heads = "dump kind role records records_accepted records_rejected left_records reason untaken check"
    return "レコード Records", heads, (_fate(fate) for fate in record.fates)


def _fate(fate: RecordFate) -> tuple[Any, ...]:
    reasons = "、".join(f"{why}: {count:,}" for why, count in fate.left.items())
    closes = said(of_fate(fate)) if fate.role == "data" else ""
    left = sum(fate.left.values())
    counts = fate.records, fate.accepted, fate.rejected, left, reasons, fate.untaken
    return fate.dump, fate.kind, both(fate.role), *counts, closes


def group_sheets(record: RunRecord) -> Iterator[Sheet]:
    """The sheets of controls by group, and of the same groups followed to the rows; none, where there are none."""
    controls = [control for control in record.controls if control.listed]
    if controls:
        heads = "dump control by_group in_unit stated_at stated found check"
        yield "グループ Groups", heads, (row for control in controls for row in _stated(control))
    amounts = [amount for amount in record.amounts if amount.listed]
    if amounts:
        heads = "dump field table by_group in_dump in_table in_rejected in_left check"
        yield "グループ別金額 Group amounts", heads, (row for one in amounts for row in _followed(one))


def _stated(control: Control) -> Iterator[tuple[Any, ...]]:
    name = name_of(control)
    for group in control.listed:
        numbers = amount(group.stated), amount(group.found), said(group.agrees)
        yield control.dump, name, _values(control.by, group.values), control.unit, group.place, *numbers


def _followed(one: AmountReconciliation) -> Iterator[tuple[Any, ...]]:
    for group in one.listed:
        amounts = map(amount, (group.in_dump, group.in_table, group.in_rejected, group.in_left))
        yield one.dump, one.field, column_of(one), _values(one.by, group.values), *amounts, said(group.agrees)


def _values(by: Sequence[str], values: Sequence[str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(by, values, strict=True))
