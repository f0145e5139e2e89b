"""What may be called agreed: where nothing was read, nothing agrees, and nothing may be shown in green.

A verdict is True (agrees), False (does not), or None: there is nothing to judge.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from migration_reports.records.run_record import (
    AmountReconciliation,
    Control,
    Reconciliation,
    RecordFate,
    ReferenceResult,
    RuleResult,
    RunRecord,
)

Verdict = bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """How many verdicts agree, of how many that there were, and how many sets had nothing to judge."""

    agree: int
    judged: int
    empty: int

    @property
    def verdict(self) -> Verdict:
        """Whether all agree; None where none was judged."""
        return self.agree == self.judged if self.judged else None


def of_fate(fate: RecordFate) -> Verdict:
    """Whether each record of a kind was accepted, rejected or left, or is named as one that nobody takes."""
    return fate.closes if fate.records else None


def of_line(line: Reconciliation) -> Verdict:
    """Whether what became of each candidate is explained."""
    touched = line.candidates or line.rows_staged or not line.closes
    return line.closes if touched else None


def of_amount(record: RunRecord, amount: AmountReconciliation) -> Verdict:
    """Whether an amount is the same in dump and target; an amount over no records proves nothing."""
    read = [fate.records for fate in record.fates if (fate.dump, fate.kind) == (amount.dump, amount.kind)]
    return None if amount.agrees and read and not any(read) else amount.agrees


def of_reference(reference: ReferenceResult) -> Verdict:
    """Whether the rows to promote that name a row name one that is promoted, or may be without it."""
    touched = reference.rows or reference.fell or reference.dangling or not reference.closes
    return reference.closes if touched else None


def of_control(record: RunRecord, control: Control) -> Verdict:
    """Whether a control is proved; that of a dump which did not come proves nothing."""
    return None if control.dump in dumps_not_received(record) else control.agrees


def of_rule(record: RunRecord, rule: RuleResult) -> Verdict:
    """Whether both engines count the same over the rows of the rule's table."""
    rows = rule.rows
    if rows is None:
        rows = sum(line.rows_staged for line in record.reconciliations if line.table == rule.table)
    return rule.agrees if rows or rule.failing_polars or rule.failing_gx else None


def counts(record: RunRecord) -> Tally:
    """All verdicts of the reconciliation of counts, references and amounts."""
    data = (fate for fate in record.fates if fate.role == "data")
    return _tally(
        (
            *(of_fate(fate) for fate in data),
            *(of_line(line) for line in record.reconciliations),
            *(of_reference(reference) for reference in record.references),
            *(of_amount(record, amount) for amount in record.amounts),
        )
    )


def controls(record: RunRecord) -> Tally:
    """All verdicts of controls."""
    return _tally(of_control(record, control) for control in record.controls)


def rules(record: RunRecord) -> Tally:
    """All verdicts of rules."""
    return _tally(of_rule(record, rule) for rule in record.rules)


def dumps_not_received(record: RunRecord) -> frozenset[str]:
    """The dumps of which a file is missing, empty or doubtful, so that they were not read, and those that may be absent and are."""
    of_dumps = [receipt for receipt in record.receipts if receipt.dump and receipt.role == "dump"]
    doubtful = {r.dump for r in of_dumps if r.status in ("missing", "empty", "twice") and not r.optional}
    read = {r.dump for r in of_dumps if r.status in ("received", "cut_short")}
    return frozenset(doubtful | ({r.dump for r in of_dumps} - read))


def _tally(verdicts: Iterable[Verdict]) -> Tally:
    given = list(verdicts)
    return Tally(given.count(True), len(given) - given.count(None), given.count(None))
