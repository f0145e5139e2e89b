"""The record of a run, put together from what its steps have left: how it stands, and every default, is decided here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

from migration_reports.records.comparison import compare
from migration_reports.records.counted import Bytes, DumpAccount
from migration_reports.records.run_record import (
    CandidatePair,
    DumpReceipt,
    Evidence,
    FieldFate,
    Gaiji,
    Issue,
    Municipality,
    OwnValue,
    Reuse,
    RunRecord,
    State,
    SystemState,
    UnknownCode,
)
from migration_reports.records.steps import Begun, Receipts, Results, Validation, Verdict

IN_LEDGER: tuple[State, ...] = ("promoted", "superseded", "rolled back", "withdrawn", "abandoned")
"""States that the ledger alone knows: they come with, or after, what the run did to the data centre."""

MOST_OWN = 500
"""Values of a municipality's own that a record lists."""


def run_record(
    begun: Begun,
    results: Results,
    *,
    municipality: Municipality,
    in_ledger: str = "",
    systems: tuple[SystemState, ...] = (),
    issues: tuple[Issue, ...] = (),
    coverage: tuple[FieldFate, ...] = (),
    unknown_codes: tuple[UnknownCode, ...] = (),
    own_values: tuple[OwnValue, ...] = (),
    reuse: Reuse | None = None,
    planned_on: str = "",
    gaiji: tuple[Gaiji, ...] = (),
    pairs: tuple[CandidatePair, ...] = (),
    pairs_left_out: int = 0,
    evidence: tuple[Evidence, ...] = (),
    versions: Mapping[str, str] | None = None,
    specs_changed: tuple[str, ...] = (),
    former: RunRecord | None = None,
) -> RunRecord:
    """Put the record of a run together.

    Args:
        begun: what was asked for.
        results: what its steps have left so far.
        municipality: whose data it is.
        in_ledger: the state that the ledger gives the run; empty where it cannot be asked.
        systems: of each system whose promotion the ledger knows, how it stands.
        issues: what was found.
        coverage: where each source field goes.
        unknown_codes: the codes that no code table holds.
        own_values: what the municipality has of its own in reference tables and code sets.
        reuse: how much a package brought.
        planned_on: the day that the calendar plans for it.
        gaiji: its gaiji ledger.
        pairs: its candidates.
        pairs_left_out: those that are not among them.
        evidence: the specs that it used, by their hashes.
        versions: of the programs that made it.
        specs_changed: specs of the municipality's folder that are not what the run used.
        former: the record of the run before it, to compare with.
    """
    state, ja, en = (in_ledger, "", "") if in_ledger in IN_LEDGER else state_of(results)
    verdict = results.verdict or Verdict(promotable=False)
    validation = results.validation or Validation(rules=())
    received = results.receipts or Receipts(receipts=())
    promotion, approval = results.promotion, results.approval
    dumps = (Evidence(name=r.file, kind=r.role, sha256=r.sha256) for r in received.receipts if r.sha256)
    return RunRecord(
        run_id=begun.run_id,
        municipality=municipality,
        mode="cut-over" if begun.mode == "cut-over" else "rehearsal",
        rehearsal=begun.rehearsal,
        state=_state(state),
        state_reason_ja=ja,
        state_reason_en=en,
        systems=systems,
        started=begun.started,
        finished=results.finished.at if results.finished is not None else "",
        started_by=begun.started_by,
        decision=approval.decision if approval is not None else None,
        versions=versions or {},
        receipts=receipts(received, results.accounts),
        fates=verdict.fates,
        controls=verdict.controls,
        attachments=results.attachments.checks if results.attachments is not None else (),
        reconciliations=verdict.lines,
        amounts=promotion.amounts if promotion is not None else verdict.amounts,
        rules=validation.rules,
        not_checked=validation.not_checked,
        references=validation.references,
        issues=issues,
        rejects=validation.rejected,
        rejects_allowed=verdict.allowed,
        coverage=coverage,
        unknown_codes=unknown_codes,
        own_values=own_values[:MOST_OWN],
        own_values_left_out=max(len(own_values) - MOST_OWN, 0),
        reuse=reuse,
        planned_on=planned_on,
        gaiji=gaiji,
        gaiji_left_out=sum(a.characters_distinct - len(a.characters) for a in results.accounts.values()),
        searches=results.searched.searches if results.searched is not None else (),
        pairs=pairs,
        pairs_left_out=pairs_left_out,
        evidence=(*dumps, *evidence),
        timings=tuple(sorted(results.timings, key=lambda timing: timing.started)),
        former_run=promotion.former_run if promotion is not None else "",
        specs_changed=specs_changed,
        since=compare(former, issues) if former is not None else None,
    )


def state_of(results: Results) -> tuple[State, str, str]:
    """How a run stands as far as its own results say, and why, in Japanese and English."""
    verdict, approval, failure = results.verdict, results.approval, results.failure
    if results.promotion is not None:
        return "promoted", "", ""
    if failure is not None:
        return "failed", f"処理が中断した ({failure.reason})", f"the run stopped ({failure.reason})"
    if approval is not None and not approval.decision.approved:
        return "rejected", "", ""
    held = results.held or (verdict if verdict is not None and not verdict.promotable else None)
    if held is not None:
        return "held", "、".join(r.ja for r in held.reasons), "; ".join(r.en for r in held.reasons)
    return ("waiting" if verdict is not None else "running"), "", ""


def receipts(received: Receipts, accounts: Mapping[str, DumpAccount]) -> tuple[DumpReceipt, ...]:
    """The receipts with what was read: records of each file, and what is known of the dump alone with its first file."""
    told: list[DumpReceipt] = []
    read = Counter[str]()
    for receipt in received.receipts:
        account = accounts.get(receipt.dump) if (receipt.status, receipt.role) == ("received", "dump") else None
        if account is None:
            told.append(receipt)
            continue
        number = read[receipt.dump]
        read[receipt.dump] += 1
        of_file = account.files[number] if account.files else None
        told.append(
            receipt.model_copy(
                update={
                    **({} if number else _of_dump(account.read)),
                    **(
                        {"records": sum(of_file.records.values())}
                        if of_file is not None and len(account.files) > 1
                        else {}
                    ),
                    **({"status": "cut_short"} if of_file is not None and of_file.cut_short else {}),
                }
            )
        )
    return tuple(told)


def _of_dump(read: Bytes) -> Mapping[str, Any]:
    return {
        "records": read.records,
        "bytes_left_over": read.left_over,
        "bytes_left_out": read.left_out,
        "kinds": read.kinds,
    }


def _state(name: str) -> State:
    return next(state for state in get_args(State) if state == name)
