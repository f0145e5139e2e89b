"""What is recorded of a run: the one source that every report reads, frozen, and written as JSON.

No report computes a number that another could compute differently: counts, totals and verdicts are all here.
Nothing here holds a resident's value.
"""

# Above 400 lines: the record of a run is one model, a class a part.

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pydantic

FORMAT = 2
"""Raised, with an upgrade, when the JSON changes in a way that a reader of the former would misread: 2 names tables by
their system.
"""


class Frozen(pydantic.BaseModel):
    """A value that is written to JSON and read back equal."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class Place(Frozen):
    """Where a finding was: a record (from 1) and a byte offset of a dump."""

    dump: str | None = None
    record: int | None = None
    offset: int | None = None


class Issue(Frozen):
    """Findings of one code and severity on one field or column: how many, and the first places."""

    code: str
    severity: Literal["error", "alert", "note"]
    dump: str | None = None
    field: str | None = None
    table: str | None = None
    column: str | None = None
    mapping: str | None = None
    count: int
    first: tuple[Place, ...] = ()

    @property
    def first_has_record(self) -> bool:
        """Whether it is about records, and not about a dump or the run as a whole."""
        return bool(self.first) and self.first[0].record is not None


class DumpReceipt(Frozen):
    """One line of the transfer file list (移行ファイル構成表): what was expected, what came, and the verdict on it.

    `absent` is a file that may be, `superseded` one in whose place one of a later day stands, `cut_short` one that was
    read and has no trailer, or bytes left over after its last record. `delivery` is what people call what it comes with.
    """

    dump: str
    title: str
    file: str
    status: Literal["received", "missing", "absent", "empty", "twice", "superseded", "cut_short", "left", "unexpected"]
    delivery: str = ""
    optional: bool = False
    bytes: int = 0
    sha256: str = ""
    framing: str = ""
    charset: str = ""
    dialect: str = ""
    rules: Mapping[str, str] = {}
    sources: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    layout: str = ""
    record_length: int = 0
    records: int = 0
    bytes_left_over: int = 0
    bytes_left_out: int = 0
    kinds: Mapping[str, int] = {}
    role: Literal["dump", "control"] = "dump"

    @property
    def expected(self) -> bool:
        """Whether a manifest asks for it."""
        return bool(self.dump or self.delivery)


class ControlGroup(Frozen):
    """One group of a control: what stands in its fields, where it is stated, and both numbers, in the control's unit.

    `stated` is empty where nothing states the group, `found` where the dump has no record of it. What could be one
    person's is `*`: the numbers of a group of few records, and what stands in its fields unless that is a short code.
    """

    values: tuple[str, ...]
    place: str = ""
    stated: str
    found: str
    agrees: bool


class AttachmentCheck(Frozen):
    """添付照合: the files beside dumps in one folder or archive, against the records that name them.

    files = named + extra. `records` are those that name a file, of which it is not there for `missing`, and is another
    than they say for `altered`. `refused` are entries that were not looked at: links, names that lead away, what cannot be
    read. `kept` are the files in the store of the joint centre, once the records that name them are promoted.
    """

    place: str
    kinds: tuple[str, ...]
    files: int = 0
    bytes: int = 0
    records: int = 0
    named: int = 0
    missing: int = 0
    altered: int = 0
    extra: int = 0
    refused: int = 0
    kept: int = 0
    bytes_kept: int = 0

    @property
    def closes(self) -> bool:
        """Whether every file is explained."""
        return self.files == self.named + self.extra


class Control(Frozen):
    """A control proved or not: what the trailer, control file or manifest says against what was counted.

    Amounts are decimal strings, exact. `file` is the file whose own it is, where each file of the dump has its own. Of a
    control by group `by` are the fields that make the groups, `stated` and `found` the totals of all of them, and `listed`
    the groups that differ, then as many others as are shown. Of a control per parent, `groups` are the parents; one that
    differs is a rejected record, and holds the run by the limit alone.
    """

    dump: str
    name: str
    kind: Literal["count", "sum", "hash", "value", "trailer", "parents"]
    field: str = ""
    file: str = ""
    stated: str
    found: str
    agrees: bool
    unit: int = 1
    by: tuple[str, ...] = ()
    groups: int = 0
    differing: int = 0
    listed: tuple[ControlGroup, ...] = ()


class Reconciliation(Frozen):
    """件数照合: where the records of one kind went, as far as one target table; the equation must close.

    candidates = rows_promoted + rows_merged + rows_rejected + rows_not_chosen. Candidates are the records, or where each
    occurrence of a table (OCCURS, `each`) gives a row, the occurrences; `rows_merged` are rows that repeat the key of a
    table that keeps one row a key, and `rows_not_chosen` are candidates that a condition or a join leaves. Of the
    rejected rows, `rows_critical` are those of which none may be lost.
    """

    dump: str
    kind: str
    table: str
    each: str = ""
    records: int
    candidates: int
    rows_staged: int
    rows_not_chosen: int = 0
    rows_merged: int = 0
    rows_rejected: int = 0
    rows_promoted: int = 0
    rows_critical: int = 0

    @property
    def closes(self) -> bool:
        """Whether every record is explained."""
        return (
            self.candidates == self.rows_staged + self.rows_not_chosen
            and self.rows_staged == self.rows_merged + self.rows_rejected + self.rows_promoted
        )


class RecordFate(Frozen):
    """Where the records of one kind of a dump went as a whole.

    `left` are those that are left deliberately, by reason; `untaken` those that no part of the mapping takes.
    """

    dump: str
    kind: str
    role: Literal["data", "header", "trailer", "unknown", "ignored"]
    records: int
    accepted: int = 0
    rejected: int = 0
    left: Mapping[str, int] = {}
    untaken: int = 0

    @property
    def closes(self) -> bool:
        """Whether every record is explained."""
        return self.records == self.accepted + self.rejected + sum(self.left.values()) + self.untaken


class AmountGroup(Frozen):
    """One group of an amount, by what stands in the target's columns; see `ControlGroup` for `*`."""

    values: tuple[str, ...]
    in_dump: str
    in_left: str
    in_rejected: str
    in_table: str
    agrees: bool


class AmountReconciliation(Frozen):
    """金額照合: one amount, summed in the dump, in the left, rejected and accepted records, and in the promoted table.

    Where a control states it by group, `by` are the target's columns that make the groups, and `listed` the groups that do
    not agree, then as many others as are shown. Without a column it is records and rows that are counted.
    """

    dump: str
    kind: str
    field: str
    table: str
    column: str
    in_dump: str
    in_rejected: str
    in_table: str
    agrees: bool
    in_left: str = "0"
    by: tuple[str, ...] = ()
    groups: int = 0
    differing: int = 0
    listed: tuple[AmountGroup, ...] = ()


class Differing(Frozen):
    """By how much the number of one row is more than what was found; neither of the two is said."""

    dump: str
    record: int
    difference: str


class Differences(Frozen):
    """By how much numbers differ from what a formula, or another table, makes of them.

    `unknown` rows have nothing to be compared with. `total`, `least` and `greatest` are of the differences, below zero
    where the number is less; `bands` counts them by their size: up to 1, up to 10, ..., `more`.
    """

    unknown: int
    total: str
    least: str
    greatest: str
    bands: Mapping[str, int]
    first: tuple[Differing, ...] = ()


class RuleResult(Frozen):
    """One rule, counted by both engines over the same staged rows.

    `reported` are the failing rows that became findings; the others (`failing_polars` minus `reported`) stand on a
    record and column for which an earlier stage had already reported the cause. `rows` are the staged rows it was
    counted over; a rule over none has judged nothing.
    """

    rule: str
    family: str = ""
    title_ja: str
    title_en: str
    code: str
    severity: Literal["error", "alert", "note"]
    table: str
    columns: tuple[str, ...] = ()
    failing_polars: int
    failing_gx: int
    reported: int
    rows: int | None = None
    differences: Differences | None = None

    @property
    def agrees(self) -> bool:
        """Whether both engines count the same."""
        return self.failing_polars == self.failing_gx


class NotChecked(Frozen):
    """A rule that could not be checked, because rows of other systems that it reads are neither in the run nor promoted.

    It has neither passed nor failed. `missing` are the tables that are not there; the table whose rows it judges is missing
    where the run does not have it, whatever is promoted of it. Where `of_others` is set, it is a rule of
    a system that has been promoted before and reads what this run replaces: it has not been judged anew.
    """

    rule: str
    title_ja: str
    title_en: str
    code: str
    severity: Literal["error", "alert", "note"]
    table: str
    missing: tuple[str, ...]
    of_others: bool = False

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems whose rows are not there."""
        return tuple(dict.fromkeys(table.partition(".")[0] for table in self.missing))


class ReferenceResult(Frozen):
    """参照照合: one reference, judged over the rows that would be promoted.

    `orphan` is what becomes of a row whose parent is not promoted: it falls, or it stays and is an alert. `rows` are the
    rows to promote that name a parent, `dangling` those of them whose parent is not promoted (a person approves them, with
    the alerts), `first` where the first of them come from. `fell` are the records that were rejected with a parent.
    """

    table: str
    columns: tuple[str, ...]
    target_table: str
    target_columns: tuple[str, ...]
    orphan: Literal["falls", "stays"]
    rows: int
    fell: int
    dangling: int
    dangling_gx: int
    first: tuple[Place, ...] = ()

    @property
    def name(self) -> str:
        """What names what: table.column → table.column."""
        return f"{self.table}.{'+'.join(self.columns)} → {self.target_table}.{'+'.join(self.target_columns)}"

    @property
    def agrees(self) -> bool:
        """Whether both engines count the same."""
        return self.dangling == self.dangling_gx

    @property
    def closes(self) -> bool:
        """Whether every row that dangles is one that may stay, and both engines count the same."""
        return self.agrees and (self.orphan == "stays" or not self.dangling)


class FieldFate(Frozen):
    """One source field: where it goes (the mapping table's other side), and how often it holds anything."""

    dump: str
    kind: str
    field: str
    picture: str
    offset: int
    width: int
    filled: int
    targets: tuple[str, ...] = ()
    ignored_because: str = ""

    @property
    def unmapped_but_filled(self) -> bool:
        """Whether data stand in it that go nowhere."""
        return not self.targets and self.filled > 0


class UnknownCode(Frozen):
    """An old code that its code table does not hold, and how often it came.

    A value that is no short code of digits and letters is not shown: `value` is then empty.
    """

    table: str
    column: str
    field: str
    value: str
    count: int
    mapping: str = ""


class OwnValue(Frozen):
    """What a municipality has of its own in what all share: a cell of a reference table, or a code of an open set.

    Attributes:
        of: the reference table, or the code set.
        key: of a cell what its line is looked up by and when it holds; of a code nothing.
        item: of a cell its column; of a code nothing.
        shared: of a cell what the shared lines say at that time; empty where they say nothing.
        own: the cell, or the code with its name.
        source: what it rests on.
        place: where the municipality says so, file:line; of a code nothing.
    """

    of: str
    key: str = ""
    item: str = ""
    shared: str = ""
    own: str
    source: str = ""
    place: str = ""


class Reuse(Frozen):
    """How much of the municipality's specs its package brought (inherited), and how much it wrote itself.

    What is counted are values: changed are said otherwise than in the package, removed left out, added said by the
    municipality alone. What is inherited was paid for once, by all who use the package (割り勘効果).
    """

    package: str
    inherited: int
    changed: int
    removed: int
    added: int

    @property
    def share(self) -> float:
        """Which part of what is in force was inherited."""
        return self.inherited / max(self.inherited + self.changed + self.added, 1)


class Gaiji(Frozen):
    """A line of the gaiji ledger: a code outside the standard, what it was read as, where, and what was decided.

    `records` counts the records that hold it, each once. `since` is what became of it since the rehearsal before: new, open
    (met before, and still undecided), decided (as before), changed (its decision is new or another), gone (not met any more).
    """

    dump: str
    charset: str
    code: str
    area: Literal["user-defined", "extended", "variant", "decided", "undefined"]
    place: str = ""
    unicode: str
    count: int
    records: int = 0
    fields: tuple[str, ...]
    first: tuple[Place, ...] = ()
    since: Literal["new", "open", "decided", "changed", "gone"] = "new"
    decision: str = ""
    text: str = ""
    mj: str = ""
    reason: str = ""
    decided_by: str = ""
    decided_on: str = ""


class EvidenceTried(Frozen):
    """One evidence of candidates: the pairs that it speaks for, and what was not paired because too much shares it.

    `groups_left` are groups of more rows than may share an evidence, `rows_left` the rows in them; `too_many` the pairs that
    it would have given, where they are more than people look at, and none was made.
    """

    evidence: str
    strong: bool
    pairs: int
    groups_left: int = 0
    rows_left: int = 0
    too_many: int = 0


class CandidateSearch(Frozen):
    """名寄せ候補: what was looked for in a table, and how the pairs stand.

    `since` counts them by what became of them since the run before, `decisions` by what was decided, by a line or by what
    follows from others; `open` are those that nobody has decided, or only to decide later. `missing` is the table that was
    neither in the run nor promoted: then nothing was looked for. `items` are their names, Japanese and English.
    """

    name: str
    ja: str
    en: str
    table: str
    other: str
    severity: Literal["error", "alert", "note"]
    items: Mapping[str, tuple[str, str]] = {}
    evidence: tuple[EvidenceTried, ...] = ()
    missing: tuple[str, ...] = ()
    since: Mapping[str, int] = {}
    decisions: Mapping[str, int] = {}
    open: int = 0


class CandidatePair(Frozen):
    """A pair of rows that may be one person: by an id of its own and by places, never by its numbers.

    `group` joins pairs that have a number in common. `since`: new, open (met before), back (had been gone), decided (as
    before), changed (decided otherwise than before, or newly), kept (decided, and no evidence speaks for it now), gone.
    `follows` is what follows from decisions about other pairs.
    """

    candidates: str
    id: str
    group: str
    strong: bool
    evidence: tuple[str, ...]
    agree: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()
    a: Place = Place()
    b: Place = Place()
    since: Literal["new", "open", "back", "decided", "changed", "kept", "gone"]
    decision: Literal["", "same", "different", "later"] = ""
    follows: Literal["", "same", "different"] = ""
    reason: str = ""
    decided_by: str = ""
    decided_on: str = ""

    @property
    def is_open(self) -> bool:
        """Whether people have yet to decide."""
        return self.since != "gone" and not self.follows and self.decision in ("", "later")


class Decision(Frozen):
    """What was decided of a promotion: by whom, when and why.

    An automatic approval of a rehearsal acknowledges nothing: its alerts stay open.
    """

    approved: bool
    by: str
    at: str
    reason: str = ""
    automatic: bool = False


class Change(Frozen):
    """How often one code came at one place in the municipality's run before this one, and how often now."""

    code: str
    dump: str | None = None
    field: str | None = None
    table: str | None = None
    column: str | None = None
    before: int
    now: int


class Comparison(Frozen):
    """What has changed since another run: the places whose count of findings differs."""

    run_id: str
    changes: tuple[Change, ...] = ()


class Evidence(Frozen):
    """A file that the run used or made, by its SHA-256."""

    name: str
    kind: Literal["dump", "control", "layout", "mapping", "manifest", "table", "output"]
    sha256: str


class Timing(Frozen):
    """How long a step took, in seconds."""

    step: str
    started: str
    seconds: float


class Municipality(Frozen):
    """Whose data it is."""

    code: str
    name: str
    romaji: str


State = Literal[
    "running",
    "waiting",
    "held",
    "promoted",
    "rejected",
    "failed",
    "abandoned",
    "superseded",
    "rolled back",
    "withdrawn",
]
"""How a run stands.

While it runs: running, and waiting (its report is provisional: somebody has yet to decide).
Ended without promotion: held (it may not be promoted), rejected (a person refused), failed, abandoned (its process died).
Promoted: promoted (in force in its area), superseded (another run of its area took its place), rolled back (a person put
the state before it back), withdrawn (a person took it out for good).
"""


class SystemState(Frozen):
    """What became of the promotion of one system of a run: systems are superseded, rolled back and withdrawn by themselves."""

    system: str
    title_ja: str
    title_en: str
    edition: str = ""
    state: State


class RunRecord(Frozen):
    """Everything that may be said of a run.

    `state` is how it stands as a whole; once it is promoted, `systems` say it of each system.

    `specs_changed` are the files of the municipality's folder that differ, when the report is written, from those that
    the run copied and used. A rehearsal is promoted into an area of its own, never into production.
    """

    format: int = FORMAT
    run_id: str
    municipality: Municipality
    mode: Literal["rehearsal", "cut-over"]
    rehearsal: int
    state: State
    state_reason_ja: str = ""
    state_reason_en: str = ""
    systems: tuple[SystemState, ...] = ()
    started: str
    started_by: str = ""
    finished: str = ""
    decision: Decision | None = None
    versions: Mapping[str, str] = {}
    receipts: tuple[DumpReceipt, ...] = ()
    fates: tuple[RecordFate, ...] = ()
    controls: tuple[Control, ...] = ()
    attachments: tuple[AttachmentCheck, ...] = ()
    reconciliations: tuple[Reconciliation, ...] = ()
    amounts: tuple[AmountReconciliation, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    references: tuple[ReferenceResult, ...] = ()
    issues: tuple[Issue, ...] = ()
    rejects: int = 0
    rejects_allowed: int = 0
    coverage: tuple[FieldFate, ...] = ()
    unknown_codes: tuple[UnknownCode, ...] = ()
    own_values: tuple[OwnValue, ...] = ()
    own_values_left_out: int = 0
    reuse: Reuse | None = None
    planned_on: str = ""
    gaiji: tuple[Gaiji, ...] = ()
    gaiji_left_out: int = 0
    searches: tuple[CandidateSearch, ...] = ()
    pairs: tuple[CandidatePair, ...] = ()
    pairs_left_out: int = 0
    evidence: tuple[Evidence, ...] = ()
    timings: tuple[Timing, ...] = ()
    former_run: str = ""
    specs_changed: tuple[str, ...] = ()
    since: Comparison | None = None

    @property
    def alerts_acknowledged(self) -> bool:
        """Whether a person approved, and with that acknowledged the alerts."""
        return self.decision is not None and self.decision.approved and not self.decision.automatic

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(issue.count for issue in self.issues if issue.severity == severity)
