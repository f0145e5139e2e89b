"""Six runs of an invented town, one of each way that a run may stand before a reader."""

from __future__ import annotations

from migration_reports.records.run_record import (
    AmountReconciliation,
    AttachmentCheck,
    Change,
    Comparison,
    Control,
    Decision,
    DumpReceipt,
    Evidence,
    FieldFate,
    Issue,
    Municipality,
    Place,
    Reconciliation,
    RecordFate,
    RuleResult,
    RunRecord,
    Timing,
)

BY = "見本 花子"
AT = "2026-11-28T05:12:00+00:00"
BEFORE = "990027-r02-20261121T010203-aaaa0000"


def _rule(name: str, title: tuple[str, str], table: str, failing: int = 0, rows: int = 3000) -> RuleResult:
    return RuleResult(
        rule=name, title_ja=title[0], title_en=title[1], code="V404", severity="error", table=table,
        failing_polars=failing, failing_gx=failing, reported=failing, rows=rows,
    )  # fmt: skip


def _issue(code, severity, count, field, table, column, record):
    return Issue(
        code=code, severity=severity, dump="juki_master", field=field, table=table, column=column, count=count,
        mapping="resident_records.yaml:24", first=(Place(dump="juki_master", record=record, offset=record * 400 + 96),),
    )  # fmt: skip


REHEARSAL = RunRecord(
    run_id="990027-r03-20261128T045955-4f2a61c0",
    municipality=Municipality(code="990027", name="見本市", romaji="mihon"),
    mode="rehearsal",
    rehearsal=3,
    state="promoted",
    started="2026-11-28T04:59:55+00:00",
    started_by="移行 太郎",
    finished="2026-11-28T05:12:20+00:00",
    decision=Decision(approved=True, by=BY, at=AT, reason="不採用 10 件は移行元が是正中"),
    versions={"hikkoshi": "0.1.0", "polars": "2.1.0"},
    receipts=(
        DumpReceipt(
            dump="juki_master", title="住民記録マスタ", file="juki_master.dat", status="received", bytes=1_200_800,
            sha256="5d" * 32, framing="fixed", charset="fujitsu", dialect="fujitsu", layout="juki_master.cpy",
            record_length=400, records=3002,
            rules={"sync_long": "4"}, sources={"sync_long": "NetCOBOL Language Reference, SYNCHRONIZED"},
        ),
    ),
    attachments=(
        AttachmentCheck(
            place="photos.zip", kinds=("juki_master.resident",), files=20, bytes=400_000, records=20, named=19, missing=1,
            altered=1, extra=1, kept=18, bytes_kept=360_000,
        ),
    ),
    fates=(
        RecordFate(dump="juki_master", kind="header", role="header", records=1),
        RecordFate(dump="juki_master", kind="resident", role="data", records=3000, accepted=2990, rejected=10),
        RecordFate(dump="juki_master", kind="trailer", role="trailer", records=1),
    ),
    controls=(
        Control(dump="juki_master", name="one trailer", kind="trailer", stated="1", found="1", agrees=True),
        Control(dump="juki_master", name="value of header.JH-DANTAI-CD", kind="value", field="header.JH-DANTAI-CD", stated="990027", found="990027", agrees=True),
        Control(dump="juki_master", name="count of resident", kind="count", field="trailer.JT-KENSU", stated="3000", found="3000", agrees=True),
        Control(dump="juki_master", name="sum of resident.JJ-KAZEI", kind="sum", field="trailer.JT-KAZEI-KEI", stated="678042618", found="678042618", agrees=True),
    ),
    reconciliations=(
        Reconciliation(dump="juki_master", kind="resident", table="households", records=3000, candidates=3000, rows_staged=3000, rows_merged=1656, rows_rejected=10, rows_promoted=1334),
        Reconciliation(dump="juki_master", kind="resident", table="residents", records=3000, candidates=3000, rows_staged=3000, rows_rejected=10, rows_promoted=2990),
        Reconciliation(dump="juki_master", kind="resident", table="protective_measures", records=3000, candidates=3000, rows_staged=5, rows_not_chosen=2995, rows_promoted=5),
    ),
    amounts=(AmountReconciliation(dump="juki_master", kind="resident", field="JJ-KAZEI", table="tax_amounts", column="amount", in_dump="678042618", in_rejected="2274800", in_table="675767818", agrees=True),),
    rules=(
        _rule("residents.key", ("宛名番号: キーが重複している", "resident number: a key occurs twice"), "residents", 2),
        _rule("households.key", ("世帯番号: キーが重複している", "household number: a key occurs twice"), "households"),
        _rule("resident_changes.key", ("異動番号: キーが重複している", "change number: a key occurs twice"), "resident_changes", rows=0),
    ),
    issues=(
        _issue("D201", "error", 7, "JJ-KAZEI", "tax_amounts", "amount", 311),
        _issue("M301", "error", 3, "JJ-SEINENGAPPI", "residents", "birth", 780),
        _issue("M302", "alert", 5, "JJ-IDO-YMD", "residents", "changed_on", 12),
        _issue("M304", "alert", 2, "JJ-SEINENGAPPI", "residents", "birth", 2044),
        _issue("M303", "note", 1, "JJ-SEINENGAPPI", "residents", "birth", 95),
    ),
    rejects=10,
    rejects_allowed=60,
    coverage=(
        FieldFate(dump="juki_master", kind="resident", field="JJ-KAZEI", picture="S9(9) COMP-3", offset=210, width=5, filled=2990, targets=("tax_amounts.amount", "control")),
        FieldFate(dump="juki_master", kind="resident", field="JJ-YOBI", picture="X(20)", offset=380, width=20, filled=14, ignored_because="予備"),
    ),
    evidence=(
        Evidence(name="juki_master.dat", kind="dump", sha256="5d" * 32),
        Evidence(name="manifest.yaml", kind="manifest", sha256="7e" * 32),
        Evidence(name="layouts/juki_master.cpy", kind="layout", sha256="a1" * 32),
        Evidence(name="resident_records.yaml", kind="mapping", sha256="c3" * 32),
        Evidence(name="codes/sex.csv", kind="table", sha256="e9" * 32),
    ),
    timings=(Timing(step="validate", started="2026-11-28T05:00:02+00:00", seconds=6.5),),
    former_run=BEFORE,
    since=Comparison(
        run_id=BEFORE,
        changes=(
            Change(code="D201", dump="juki_master", field="JJ-KAZEI", table="tax_amounts", column="amount", before=0, now=7),
            Change(code="M301", dump="juki_master", field="JJ-SEINENGAPPI", table="residents", column="birth", before=41, now=3),
            Change(code="M302", dump="juki_master", field="JJ-IDO-YMD", table="residents", column="changed_on", before=2, now=5),
            Change(code="M310", dump="juki_master", field="JJ-SEIBETSU", table="residents", column="sex", before=1208, now=0),
        ),
    ),
)  # fmt: skip
"""A rehearsal that a person approved, with findings that are new, fewer, more, the same and gone."""

AUTOMATIC = REHEARSAL.model_copy(
    update={"decision": Decision(approved=True, by="automatic", at=AT, automatic=True), "since": None, "former_run": ""}
)
"""The same, approved by nobody."""

CUT_OVER = REHEARSAL.model_copy(
    update={
        "run_id": "990027-c-20270101T120000-0b0b0b0b",
        "mode": "cut-over",
        "rehearsal": 0,
        "planned_on": "2027-01-01",
    }
)
"""The cut-over."""

WAITING = REHEARSAL.model_copy(
    update={"state": "waiting", "decision": None, "finished": "", "specs_changed": ("resident_records.yaml", "codes/sex.csv")}
)  # fmt: skip
"""A rehearsal that somebody has yet to decide about, while a mapping was changed in the live folder."""

REJECTED = REHEARSAL.model_copy(
    update={
        "state": "rejected",
        "decision": Decision(approved=False, by=BY, at=AT, reason="課税額の不一致を先に是正する"),
        "former_run": "",
    }
)
"""A rehearsal that a person refused."""

HELD = RunRecord(
    run_id="990027-r04-20261129T010000-deadbeef",
    municipality=REHEARSAL.municipality,
    mode="rehearsal",
    rehearsal=4,
    state="held",
    state_reason_ja="移行ファイルが届いていない: juki_master.dat (受領フォルダー inbox/990027_mihon)",
    state_reason_en="An expected dump is missing: juki_master.dat (inbox/990027_mihon)",
    started="2026-11-29T01:00:00+00:00",
    finished="2026-11-29T01:00:20+00:00",
    receipts=(DumpReceipt(dump="juki_master", title="住民記録マスタ", file="juki_master.dat", status="missing"),),
    rules=tuple(rule.model_copy(update={"failing_polars": 0, "failing_gx": 0, "reported": 0, "rows": None}) for rule in REHEARSAL.rules),
    issues=(Issue(code="F101", severity="error", dump="juki_master", count=1, first=(Place(dump="juki_master"),)),),
)  # fmt: skip
"""A rehearsal whose only dump did not come."""

RUNS = {
    "rehearsal": REHEARSAL, "automatic": AUTOMATIC, "cut_over": CUT_OVER, "waiting": WAITING, "rejected": REJECTED, "held": HELD,
}  # fmt: skip
