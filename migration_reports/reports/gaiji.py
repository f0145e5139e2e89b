"""外字台帳: the gaiji ledger, to identify characters by (文字同定): a page, a workbook and a CSV file of the same rows.

The columns of a decision are empty where none is in force; filled in, the workbook or the CSV file is read back by
`hikkoshi gaiji import`. A single byte cannot be decided about, but by a table file, and its cells take nothing. Text never starts a formula: a cell of the CSV that could is written with an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import xlsxwriter

from migration_reports.records.run_record import Gaiji, RunRecord
from migration_reports.records.standing import is_provisional, marked, standing
from migration_reports.reports._ledger_cells import COLUMNS, guarded
from migration_reports.reports.contract import Report, Template
from migration_reports.words import WORDS

DECISIONS = ("character", "mj", "substitute", "private")
_TO_FILL = COLUMNS[11:]
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
        "headings": _HEADINGS,
        "ja": WORDS["ja"],
        "en": WORDS["en"],
        "stands": standing(record),
        "provisional": is_provisional(record),
        "counts": counts,
        "open": sum(not row.decision and row.since != "gone" for row in record.gaiji),
    }
    yield "gaiji.html", template("gaiji.html.j2", values).encode()
    yield "gaiji.xlsx", _workbook(record)
    yield "gaiji.csv", _csv(record).encode("utf-8-sig")


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


def _csv(record: RunRecord) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([guarded(cell) for cell in cells(row)] for row in record.gaiji)
    return out.getvalue()


def _workbook(record: RunRecord) -> bytes:
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": f"外字台帳 {record.run_id}", "subject": marked(record), "comments": "Hikkoshi"})
        head = book.add_format({"bold": True, "bg_color": "#E8EDF2", "border": 1, "text_wrap": True, "valign": "top"})
        fill = book.add_format({"bg_color": "#FFF8E6", "border": 1})
        large = book.add_format({"font_size": 18, "align": "center"})
        page = book.add_worksheet("外字台帳 Gaiji")
        for number, column in enumerate(COLUMNS):
            page.write_string(0, number, f"{WORDS['ja'][column]}\n{WORDS['en'][column]}\n{column}", head)
            page.set_column(number, number, 10 if column in ("glyph", "count", "records", "code") else 18)
        for line, row in enumerate(record.gaiji, 1):
            for number, cell in enumerate(cells(row)):
                form = (
                    fill
                    if COLUMNS[number] in _TO_FILL and decidable(row)
                    else large
                    if COLUMNS[number] == "glyph"
                    else None
                )
                if isinstance(cell, int):
                    page.write_number(line, number, cell)
                else:
                    page.write_string(line, number, cell, form)
        last = max(len(record.gaiji), 1)
        _validate(page, record)
        page.freeze_panes(1, 3)
        page.autofilter(0, 0, last, len(COLUMNS) - 1)
        page.set_landscape()
        page.set_header(f"&L{record.run_id}&C{marked(record)}&R&A")
        page.repeat_rows(0)
    return target.getvalue()


def _validate(page: xlsxwriter.worksheet.Worksheet, record: RunRecord) -> None:
    """Let the cells to fill in take a decision where there may be one, and nothing elsewhere."""
    decision = COLUMNS.index("decision")
    for may, lines in itertools.groupby(enumerate(record.gaiji, 1), key=lambda line: decidable(line[1])):
        first, *others = (number for number, _ in lines)
        last = others[-1] if others else first
        if may:
            page.data_validation(first, decision, last, decision, {
                "validate": "list", "source": list(DECISIONS), "ignore_blank": True,
                "error_title": "decision", "error_message": ", ".join(DECISIONS),
            })  # fmt: skip
        else:
            page.data_validation(first, decision, last, len(COLUMNS) - 1, {
                "validate": "custom", "value": "=FALSE", "ignore_blank": False, "error_title": "decision",
                "error_message": "単バイト文字は文字表ファイルで定義する。 A single byte is defined by a table file.",
            })  # fmt: skip


REPORT = Report("gaiji", "外字台帳", "Gaiji ledger", ("gaiji.html", "gaiji.xlsx", "gaiji.csv"), files)
