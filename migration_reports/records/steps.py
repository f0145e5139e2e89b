"""What each step of a run leaves for those after it, and for the record: one frozen model a step.

What is counted of a dump is counted slice by slice; `SliceAccount` says how slices add up. Nothing here holds a
resident's value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from migration_reports.records.counted import DumpAccount, Made
from migration_reports.records.run_record import (
    AmountReconciliation,
    AttachmentCheck,
    CandidateSearch,
    Control,
    Decision,
    DumpReceipt,
    Frozen,
    NotChecked,
    Reconciliation,
    RecordFate,
    ReferenceResult,
    RuleResult,
    Timing,
)
from migration_reports.records.step_result import StepResult

K = TypeVar("K")
V = TypeVar("V")


class Reason(NamedTuple):
    """Why a run goes no further."""

    ja: str
    en: str


class Begun(StepResult):
    """What was asked for.

    Attributes:
        run_id: the run.
        folder: the municipality's folder name.
        code: the municipality's code.
        mode: rehearsal or cut-over.
        rehearsal: which rehearsal, from 1.
        owner: the process or DAG run that runs it.
        inbox: where the dumps lie.
        started: when, in ISO 8601.
        started_by: the person.
        dag_id: the DAG, where one runs it.
        dag_run_id: its run.
        left: the files that the municipality expects of systems which this run does not move.
    """

    run_id: str
    folder: str
    code: str
    mode: str
    rehearsal: int
    owner: str
    inbox: str
    started: str
    started_by: str = ""
    dag_id: str = ""
    dag_run_id: str = ""
    left: tuple[str, ...] = ()


class Specs(StepResult):
    """The SHA-256 of each file of the specs that the run copied, by its path in the copy."""

    sha256: Mapping[str, str]


class Receipts(StepResult):
    """What came of what was expected."""

    receipts: tuple[DumpReceipt, ...]

    def of(self, dump: str) -> tuple[DumpReceipt, ...]:
        """The receipts of a dump's files, in order."""
        return tuple(receipt for receipt in self.receipts if receipt.dump == dump and receipt.role == "dump")


class Held(StepResult):
    """Why nothing was read of what was received."""

    reasons: tuple[Reason, ...]


class SliceCut(Frozen):
    """Where a slice lies: bytes of the dump (a length of -1: all that follow), its first record, and what precedes it."""

    offset: int
    length: int
    record: int
    state: tuple[int, ...] = ()
    family: tuple[int, ...] = ()


class DumpCuts(Frozen):
    """The slices of a dump, why there are not more, and the SHA-256 of each where there are several."""

    slices: tuple[SliceCut, ...]
    reason: str = ""
    sha256: tuple[str, ...] = ()


class Cuts(StepResult):
    """How the dumps were cut."""

    dumps: Mapping[str, DumpCuts]


class Attachments(StepResult):
    """What became of the files beside the dumps, by the place that they lie in."""

    checks: tuple[AttachmentCheck, ...]


class Validation(StepResult):
    """The rules as both engines evaluated them, those that could not be, what became of references, and the rejects."""

    rules: tuple[RuleResult, ...]
    references: tuple[ReferenceResult, ...] = ()
    rejected: int = 0
    not_checked: tuple[NotChecked, ...] = ()


class Searched(StepResult):
    """What was looked for among candidates, and how the pairs stand; the pairs themselves lie beside, in a file."""

    searches: tuple[CandidateSearch, ...]


class Verdict(StepResult):
    """What the reconciliation shows, the rows that each table would get, and whether the run may be promoted."""

    controls: tuple[Control, ...] = ()
    fates: tuple[RecordFate, ...] = ()
    lines: tuple[Reconciliation, ...] = ()
    amounts: tuple[AmountReconciliation, ...] = ()
    expected: Mapping[str, int] = {}
    allowed: int = 0
    promotable: bool
    reasons: tuple[Reason, ...] = ()


class Approval(StepResult):
    """What was decided of the promotion."""

    decision: Decision


class Promotion(StepResult):
    """The rows that were promoted, the run whose place they took, and the amounts as they stand in the data centre."""

    rows: Mapping[str, int]
    former_run: str = ""
    amounts: tuple[AmountReconciliation, ...] = ()


class Failure(StepResult):
    """Why the run stopped."""

    reason: str
    at: str


class Finished(StepResult):
    """When the run ended."""

    at: str


class Timed(StepResult):
    """How long a step took."""

    timing: Timing


@dataclasses.dataclass(frozen=True, slots=True)
class Results:
    """What the steps of a run have left so far; None where the step has not been."""

    receipts: Receipts | None = None
    held: Held | None = None
    accounts: Mapping[str, DumpAccount] = dataclasses.field(default_factory=dict)
    made: Made | None = None
    validation: Validation | None = None
    searched: Searched | None = None
    verdict: Verdict | None = None
    approval: Approval | None = None
    promotion: Promotion | None = None
    failure: Failure | None = None
    finished: Finished | None = None
    attachments: Attachments | None = None
    timings: tuple[Timing, ...] = ()
