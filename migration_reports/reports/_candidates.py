"""The list of candidates as a ledger: the report's without numbers, and the one that is exported to be decided upon."""

from __future__ import annotations

from collections.abc import Sequence

from migration_reports.reports._ledger import Ledger, Row

DECISIONS = ("same", "different", "later")
FILL = ("decision", "keeps", "reason", "decided_by", "decided_on")


def candidates_ledger(run_id: str, mark: str, columns: tuple[str, ...], rows: Sequence[Row]) -> Ledger:
    """The ledger of some pairs; without the columns of numbers its cells take nothing, for nobody could read them back."""
    numbered = "a" in columns
    since = columns.index("since")
    return Ledger(
        "名寄せ候補",
        "Candidates",
        run_id,
        mark,
        columns,
        rows,
        FILL,
        DECISIONS,
        [numbered and row[since] != "gone" for row in rows],
        "hikkoshi candidates export で書き出した一覧に記入する。 Fill in the list that hikkoshi candidates export writes.",
        words={"candidates": "pair_kind", "evidence": "pair_evidence"},
        narrow=frozenset({"weight", "since", "follows", "in_force", "decision"}),
        ends={"keeps": ("a", "b")} if numbered else {},
        frozen=2,
    )
