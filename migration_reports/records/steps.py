"""What each step of a run leaves for those after it, and for the record: one frozen model a step.

What is counted of a dump is counted slice by slice; `SliceAccount` says how slices add up. Nothing here holds a
resident's value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from migration_reports.records.groups import Group, Parents, groups_of_all
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
from migration_reports.records.sums import added, added_within, keys_of, sums, values_by
from migration_reports.trouble import FIRST_PLACES

K = TypeVar("K")
V = TypeVar("V")

MOST_CHARACTERS = 100_000
"""Of a dump, by field; the rest is counted."""


class StepResult(Frozen):
    """What a step leaves. Its class names its file, and `format` is raised, with an upgrade, whenever its form changes."""

    format: int = 1


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


class Bytes(Frozen):
    """Where the bytes and records of a dump went; `left_out`, in headers and trailers of files, is no part of `bytes`."""

    bytes: int = 0
    records: int = 0
    of_no_kind: int = 0
    left_over: int = 0
    in_records: int = 0
    descriptors: int = 0
    skipped: int = 0
    left_out: int = 0
    kinds: Mapping[str, int] = {}

    @classmethod
    def total(cls, parts: Iterable[Bytes]) -> Bytes:
        """The accounts of parts of a dump, added."""
        parts = tuple(parts)
        counts = {name: sum(getattr(part, name) for part in parts) for name in cls.model_fields if name != "kinds"}
        return cls(**counts, kinds=added(part.kinds for part in parts))


class PartMade(Frozen):
    """What a part of a table made of records.

    Attributes:
        candidates: records, or occurrences where each gives a row.
        rows: the rows that they gave.
        wrong: by column, how many values were wrong.
        unknown: by column that looks codes up, the codes that no table holds, and how often each came.
    """

    candidates: int = 0
    rows: int = 0
    wrong: Mapping[str, int] = {}
    unknown: Mapping[str, Mapping[str, int]] = {}

    @classmethod
    def total(cls, parts: Iterable[PartMade]) -> PartMade:
        """What the same part made of several portions of its records."""
        parts = tuple(parts)
        return cls(
            candidates=sum(part.candidates for part in parts),
            rows=sum(part.rows for part in parts),
            wrong=added(part.wrong for part in parts),
            unknown=added_within(part.unknown for part in parts),
        )


class Met(Frozen):
    """A code outside the standard in a field: how often, in how many records, and the first places, (record, offset)."""

    field: str
    code: int
    area: str
    count: int
    records: int
    places: tuple[tuple[int, int], ...] = ()


Trailers = Mapping[str, tuple[Mapping[str, str | None], ...]]
"""Of each header and trailer kind, the numbers in its records, as decimal strings; None is unreadable."""


class FileCount(Frozen):
    """What was counted of one file of a dump.

    Attributes:
        number: which of the dump's files, from 0.
        records: records read, by kind.
        groups: what was counted for the controls that are proved per file, by the control's number.
        trailers: the numbers in its headers and trailers.
        left_over: at how many places bytes are left over after its last record.
        cut_short: whether it lacks a trailer that it should have, or bytes are left over; known once all is read.
    """

    number: int
    records: Mapping[str, int] = {}
    groups: Mapping[str, tuple[Group, ...]] = {}
    trailers: Mapping[str, tuple[Mapping[str, str | None], ...]] = {}
    left_over: int = 0
    cut_short: bool = False

    @classmethod
    def total(cls, parts: Iterable[FileCount]) -> FileCount:
        """The counts of portions of one file, in their order."""
        parts = tuple(parts)
        return cls(
            number=parts[0].number,
            records=added(part.records for part in parts),
            groups=groups_of_all(part.groups for part in parts),
            trailers=trailers_by_all(part.trailers for part in parts),
            left_over=sum(part.left_over for part in parts),
        )


class Counted(StepResult):
    """What was counted of some bytes of a dump.

    Attributes:
        read: where bytes and records went.
        made: what the parts of tables made of the records, by `part_key`.
        records: records read, by kind.
        sums: exact sums, by kind.field.
        trailers: the numbers in headers and trailers.
        files: the same of each file.
        filled: by kind and field, in how many records it holds anything.
        characters: codes outside the standard, by field.
        groups: what was counted for controls, by the control's number.
        left: by kind and reason, how many records are left.
        left_sums: exact sums over the records that are left, by kind.field.
    """

    read: Bytes = Bytes()
    made: Mapping[str, PartMade] = {}
    records: Mapping[str, int] = {}
    sums: Mapping[str, Decimal] = {}
    trailers: Mapping[str, tuple[Mapping[str, str | None], ...]] = {}
    files: tuple[FileCount, ...] = ()
    filled: Mapping[str, Mapping[str, int]] = {}
    characters: tuple[Met, ...] = ()
    groups: Mapping[str, tuple[Group, ...]] = {}
    left: Mapping[str, Mapping[str, int]] = {}
    left_sums: Mapping[str, Decimal] = {}


class SliceAccount(Counted):
    """What was counted of a slice. Slices add up, in their order, to what is counted of the whole."""

    def __add__(self, other: SliceAccount) -> SliceAccount:
        return SliceAccount.total((self, other))

    @classmethod
    def total(cls, parts: Iterable[SliceAccount]) -> SliceAccount:
        """The sum of slices that follow one another, in one go."""
        parts = tuple(parts)
        return cls(
            read=Bytes.total(part.read for part in parts),
            made=made_by_all(part.made for part in parts),
            records=added(part.records for part in parts),
            sums=sums(part.sums for part in parts),
            trailers=trailers_by_all(part.trailers for part in parts),
            files=tuple(
                FileCount.total(some)
                for _, some in sorted(values_by({one.number: one for one in part.files} for part in parts).items())
            ),
            filled=added_within(part.filled for part in parts),
            characters=met_by_all(part.characters for part in parts),
            groups=groups_of_all(part.groups for part in parts),
            left=added_within(part.left for part in parts),
            left_sums=sums(part.left_sums for part in parts),
        )


class DumpAccount(Counted):
    """What was counted of a dump: the sum of its slices in the order of its kinds, the most frequent characters first."""

    characters_distinct: int = 0
    parents: Mapping[str, Parents] = {}

    @classmethod
    def of(cls, total: SliceAccount, kinds: Sequence[str]) -> DumpAccount:
        """The account of a dump.

        Args:
            total: the sum of its slices.
            kinds: its record kinds, in the order of the manifest.
        """
        sums = sorted(total.sums, key=lambda name: (kinds.index(name.partition(".")[0]), name))
        characters = sorted(total.characters, key=lambda met: (-met.count, met.field, met.code, met.area))
        return cls(
            read=total.read,
            made=total.made,
            records=total.records,
            sums={name: total.sums[name] for name in sums},
            trailers=total.trailers,
            files=total.files,
            filled=total.filled,
            characters=tuple(characters[:MOST_CHARACTERS]),
            characters_distinct=len(characters),
            groups=total.groups,
            left=total.left,
            left_sums=total.left_sums,
        )


class Made(StepResult):
    """What the parts of all tables made of all dumps, by `part_key`."""

    parts: Mapping[str, PartMade]

    def of(self, table: str, number: int) -> PartMade:
        """What a part made; nothing, where no record came."""
        return self.parts.get(part_key(table, number), PartMade())


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


def part_key(table: str, number: int) -> str:
    """How a part of a table is called where what it made is counted."""
    return f"{table}.{number}"


def trailers_by_all(parts: Iterable[Trailers]) -> Trailers:
    """The headers and trailers of several portions, in their order."""
    parts = tuple(parts)
    return {kind: tuple(row for part in parts for row in part.get(kind, ())) for kind in keys_of(parts)}


def made_by_all(parts: Iterable[Mapping[str, PartMade]]) -> dict[str, PartMade]:
    """What each part of a table made, added."""
    return {key: PartMade.total(some) for key, some in values_by(parts).items()}


def met_by_all(parts: Iterable[Iterable[Met]]) -> tuple[Met, ...]:
    """The characters of several portions, one for each field, code and area."""
    met_before = values_by({(met.field, met.code, met.area): met} for part in parts for met in part)
    return tuple(
        Met(
            field=field,
            code=code,
            area=area,
            count=sum(met.count for met in some),
            records=sum(met.records for met in some),
            places=tuple(sorted(place for met in some for place in met.places)[:FIRST_PLACES]),
        )
        for (field, code, area), some in met_before.items()
    )
