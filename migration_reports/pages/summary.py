"""What a run came to, in a few lines for a terminal; no values of residents."""

from __future__ import annotations

from collections.abc import Iterator

from migration_reports.catalogue import CATALOGUE
from migration_reports.pages.question import by_code
from migration_reports.records import verdicts
from migration_reports.records.run_record import RunRecord
from migration_reports.records.shown import when
from migration_reports.records.standing import WAS_PROMOTED, alerts_word, standing
from migration_reports.records.verdicts import Tally
from migration_reports.words import WORDS

MAX_CODES = 3
"""Codes that a summary names as the reasons of rejected records."""

MAX_FILES = 3
"""Files that a summary names of those that did not come, and need not."""


def headline(record: RunRecord) -> str:
    """Whose run it was, of which kind, and how it stands."""
    kind = "cut-over" if record.mode == "cut-over" else f"rehearsal {record.rehearsal}"
    return f"{record.municipality.name} ({record.municipality.code})  {kind}: {standing(record).en}"


def summary(record: RunRecord) -> Iterator[str]:
    """Give the lines below the headline: what it means, why, the counts, the rows, the proofs and who decided."""
    words = WORDS["en"]
    yield standing(record).lead_en
    if record.state_reason_en:
        yield record.state_reason_en
    received = sum(fate.records for fate in record.fates if fate.role in ("data", "unknown"))
    alerts = alerts_word(record)
    yield (
        f"{received:,} records received, {record.rejects:,} rejected (limit {record.rejects_allowed:,}); "
        f"{record.count('error'):,} errors, {record.count('alert'):,} alerts{f' ({words[alerts]})' if alerts else ''}, "
        f"{record.count('note'):,} notes"
    )
    for fate in record.fates:
        yield from (f"  {count:,} records of {fate.dump}.{fate.kind} left: {why}" for why, count in fate.left.items())
        if fate.untaken:
            yield f"  {fate.untaken:,} records of {fate.dump}.{fate.kind} TAKEN BY NO TABLE, and nobody has said why"
    if record.rejects:
        yield from _why_rejected(record)
    yield from _files(record)
    would = "" if record.state in WAS_PROMOTED else " would be promoted"
    for line in record.reconciliations:
        closes = "" if line.closes else "  DOES NOT CLOSE"
        yield f"{line.table}: {line.rows_promoted:,} rows{would}{closes}"
    yield (
        f"controls proved {_share(verdicts.controls(record))}; "
        f"rules with both engines agreeing {_share(verdicts.rules(record))}"
    )
    if record.not_checked:
        systems = ", ".join(sorted({name for r in record.not_checked for name in r.systems}))
        rules = "rule" if len(record.not_checked) == 1 else "rules"
        yield f"{len(record.not_checked)} {rules} NOT CHECKED, for want of rows of {systems}; the report lists them"
    yield from _decided(record)


def _files(record: RunRecord) -> Iterator[str]:
    """Files that are neither received nor a matter of their own: what may be absent, and what records name."""
    absent = [receipt.file for receipt in record.receipts if receipt.status == "absent"]
    if absent:
        more = f" and {len(absent) - MAX_FILES} more" if len(absent) > MAX_FILES else ""
        yield f"not there, and need not be: {', '.join(absent[:MAX_FILES])}{more}"
    for of in record.attachments:
        kept = f", {of.kept:,} kept" if of.kept else ""
        yield (
            f"attachments in {of.place}: {of.files:,}{kept}; {of.missing:,} missing, {of.altered:,} altered, "
            f"{of.extra:,} named by no record"
        )


def _why_rejected(record: RunRecord) -> Iterator[str]:
    errors = [found for found in by_code(record) if found.severity == "error" and found.now]
    for found in errors[:MAX_CODES]:
        yield f"  {found.code} × {found.now:,}  {CATALOGUE[found.code].en}"
    if len(errors) > MAX_CODES:
        yield f"  and {len(errors) - MAX_CODES} more codes; the report lists them"


def _share(tally: Tally) -> str:
    if tally.verdict is None:
        return WORDS["en"]["not_judged"]
    return f"{tally.agree}/{tally.judged}" + (f" (nothing to judge in {tally.empty})" if tally.empty else "")


def _decided(record: RunRecord) -> Iterator[str]:
    decision = record.decision
    if decision is None:
        return
    if decision.automatic:
        yield f"approved automatically, nobody has looked ({when(decision.at)})"
        return
    verb = "approved" if decision.approved else "refused"
    reason = f": {_one_line(decision.reason)}" if decision.reason else ""
    yield f"{verb} by {_one_line(decision.by)} ({when(decision.at)}){reason}"


def _one_line(text: str) -> str:
    """A person's words without anything that would move the cursor."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
