"""名寄せ候補一覧: pairs of numbers that may be one person or firm, with what speaks for it and what people decided.

A page, a workbook and a CSV file of the same pairs, told by ids and places and never by numbers: whoever reads a report need
not know whose they are. `hikkoshi candidates export` writes them with their numbers, for those who decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migration_reports.records.run_record import CandidatePair, Place, RunRecord
from migration_reports.records.standing import is_provisional, marked, standing
from migration_reports.reports._candidates import candidates_ledger
from migration_reports.reports._ledger import CANDIDATES, Row, csv_file, workbook
from migration_reports.reports.contract import Report, Template
from migration_reports.words import WORDS

_SINCE = ("new", "open", "back", "changed", "decided", "kept", "gone")
_HEADINGS = (
    ("pair", "group"), ("weight", "pair_evidence"), ("agree",), ("differ",), ("place_a",), ("place_b",), ("since",),
    ("decision",), ("reason", "decided_by"),
)  # fmt: skip
"""The columns of the page, where some share one."""


def files(record: RunRecord, findings: Path | None, template: Template) -> Iterator[tuple[str, bytes]]:
    """Give candidates.html, candidates.xlsx and candidates.csv."""
    values = {
        "record": record,
        "title_ja": REPORT.title_ja,
        "title_en": REPORT.title_en,
        "headings": _HEADINGS,
        "ja": WORDS["ja"],
        "en": WORDS["en"],
        "stands": standing(record),
        "provisional": is_provisional(record),
        "counts": {since: sum(search.since.get(since, 0) for search in record.searches) for since in _SINCE},
        "open": sum(search.open for search in record.searches),
        "by_search": [(one, [pair for pair in record.pairs if pair.candidates == one.name]) for one in record.searches],
    }
    yield "candidates.html", template("candidates.html.j2", values).encode()
    ledger = candidates_ledger(record.run_id, marked(record), CANDIDATES, [cells(pair) for pair in record.pairs])
    yield "candidates.xlsx", workbook(ledger)
    yield "candidates.csv", csv_file(ledger)


def cells(pair: CandidatePair) -> Row:
    """A pair's cells, in the order of CANDIDATES; what is kept is a number, and not shown."""
    return (
        pair.candidates, pair.id, pair.group, "strong" if pair.strong else "weak", " ".join(pair.evidence),
        " ".join(pair.agree), " ".join(pair.differ), _place(pair.a), _place(pair.b), pair.since, pair.follows, pair.decision,
        pair.decision, "", pair.reason, pair.decided_by, pair.decided_on,
    )  # fmt: skip


def _place(place: Place) -> str:
    return "" if place.record is None else f"{place.dump} {place.record}"


REPORT = Report(
    "candidates", "名寄せ候補一覧", "Candidates", ("candidates.html", "candidates.xlsx", "candidates.csv"), files
)
