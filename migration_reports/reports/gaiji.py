"""外字台帳: the gaiji ledger, to identify characters by (文字同定): a page, a workbook and a CSV file of the same rows.

The columns of a decision are empty where none is in force; filled in, the workbook or the CSV file is read back by
`hikkoshi gaiji import`. A single byte cannot be decided about, but by a table file, and its cells take nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migration_reports.records.run_record import Gaiji, RunRecord
from migration_reports.records.standing import is_provisional, marked, standing
from migration_reports.reports._ledger import GAIJI as COLUMNS
from migration_reports.reports._ledger import Ledger, csv_file, workbook
from migration_reports.reports.contract import Report, Template
from migration_reports.words import WORDS

DECISIONS = ("character", "mj", "substitute", "private")
_HEADINGS = (
    ("dump", "code"), ("glyph",), ("unicode",), ("area", "place"), ("count",), ("records",), ("fields",), ("first_places",),
    ("since",), ("decision",), ("text", "mj"), ("reason", "decided_by"),
)  # fmt: skip
"""The columns of the page, where some share one."""


def files(record: RunRecord, findings: Path | None, template: Template) -> Iterator[tuple[str, bytes]]:
    """Give gaiji.html, gaiji.xlsx and gaiji.csv."""
    counts = {
        since: sum(row.since == since for row in record.gaiji)
        for since in ("new", "open", "changed", "decided", "gone")
    }
    values = {
        "record": record,
        "title_ja": REPORT.title_ja,
        "title_en": REPORT.title_en,
        "headings": _HEADINGS,
        "ja": WORDS["ja"],
        "en": WORDS["en"],
        "stands": standing(record),
        "provisional": is_provisional(record),
        "counts": counts,
        "open": sum(not row.decision and row.since != "gone" for row in record.gaiji),
    }
    yield "gaiji.html", template("gaiji.html.j2", values).encode()
    ledger = _ledger(record)
    yield "gaiji.xlsx", workbook(ledger)
    yield "gaiji.csv", csv_file(ledger)


def cells(row: Gaiji) -> tuple[str | int, ...]:
    """A row's cells, in the order of COLUMNS."""
    places = " ".join(f"{p.record}/{p.offset}" for p in row.first if p.record is not None)
    glyph = "".join(chr(int(word[2:], 16)) for word in row.unicode.split())
    return (
        row.dump, row.code, glyph, row.unicode, row.area, row.place, row.count, row.records, " ".join(row.fields), places,
        row.since, row.decision, row.text, row.mj, row.reason, row.decided_by, row.decided_on,
    )  # fmt: skip


def decidable(row: Gaiji) -> bool:
    """Whether a gaiji table may decide about a code: one of two bytes or more."""
    return len(row.code) > 2


def _ledger(record: RunRecord) -> Ledger:
    return Ledger(
        "外字台帳",
        "Gaiji",
        record.run_id,
        marked(record),
        COLUMNS,
        [cells(row) for row in record.gaiji],
        COLUMNS[11:],
        DECISIONS,
        [decidable(row) for row in record.gaiji],
        "単バイト文字は文字表ファイルで定義する。 A single byte is defined by a table file.",
        narrow=frozenset({"glyph", "count", "records", "code"}),
        large=frozenset({"glyph"}),
    )


REPORT = Report("gaiji", "外字台帳", "Gaiji ledger", ("gaiji.html", "gaiji.xlsx", "gaiji.csv"), files)
