"""A ledger of decisions that people make in a spreadsheet: its cells as a CSV file and a workbook, to be filled in and read back.

Text never starts a formula: a cell of the CSV that could is written with an apostrophe before it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
from collections.abc import Mapping, Sequence

import xlsxwriter

from migration_reports.words import WORDS

Cell = str | int
Row = tuple[Cell, ...]

GAIJI = (
    "dump", "code", "glyph", "unicode", "area", "place", "count", "records", "fields", "first_places", "since",
    "decision", "text", "mj", "reason", "decided_by", "decided_on",
)  # fmt: skip
CANDIDATES = (
    "candidates", "pair", "group", "weight", "evidence", "agree", "differ", "place_a", "place_b", "since", "follows",
    "in_force", "decision", "keeps", "reason", "decided_by", "decided_on",
)  # fmt: skip
NUMBERED = (*CANDIDATES[:7], "a", "b", *CANDIDATES[7:])
"""The candidates' columns with the numbers by which people look them up; without them no decision is read back."""
SAMPLED = (*CANDIDATES[:7], "a", "b", "sample_a", "sample_b", *CANDIDATES[7:])

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclasses.dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger as its files have it.

    Attributes:
        title_ja: what it is called.
        title_en: the same in English.
        subject: the run, and whose mark its pages carry.
        columns: the names of its columns, which are words of the reports, too.
        rows: its lines.
        fill: the columns that people fill in, from which the first says the decision.
        choices: the decisions that there are.
        fillable: for each line, whether anything may be decided about it.
        refused: what is said where nothing may.
        words: for columns a word of the reports that is not their name.
        narrow: columns of few characters.
        large: columns of glyphs.
        ends: of a line the cells that a column takes one of, by their first and last column.
        frozen: how many columns stay in view.
    """

    title_ja: str
    title_en: str
    run_id: str
    mark: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    fill: tuple[str, ...]
    choices: tuple[str, ...]
    fillable: Sequence[bool]
    refused: str = ""
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    narrow: frozenset[str] = frozenset()
    large: frozenset[str] = frozenset()
    ends: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    frozen: int = 3


def guarded(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def csv_file(ledger: Ledger) -> bytes:
    """The ledger as CSV, which spreadsheets take for UTF-8."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(ledger.columns)
    rows.writerows([guarded(cell) for cell in row] for row in ledger.rows)
    return out.getvalue().encode("utf-8-sig")


def workbook(ledger: Ledger) -> bytes:
    """The ledger as a workbook; a heading ends with the column's name, by which it is read back."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        title = f"{ledger.title_ja} {ledger.title_en}"
        book.set_properties(
            {"title": f"{ledger.title_ja} {ledger.run_id}", "subject": ledger.mark, "comments": "Hikkoshi"}
        )
        head = book.add_format({"bold": True, "bg_color": "#E8EDF2", "border": 1, "text_wrap": True, "valign": "top"})
        fill = book.add_format({"bg_color": "#FFF8E6", "border": 1})
        large = book.add_format({"font_size": 18, "align": "center"})
        page = book.add_worksheet(title[:31])
        for number, column in enumerate(ledger.columns):
            word = ledger.words.get(column, column)
            page.write_string(0, number, f"{WORDS['ja'][word]}\n{WORDS['en'][word]}\n{column}", head)
            page.set_column(number, number, 10 if column in ledger.narrow else 18)
        for line, (row, may) in enumerate(zip(ledger.rows, ledger.fillable, strict=True), 1):
            for number, (column, cell) in enumerate(zip(ledger.columns, row, strict=True)):
                if isinstance(cell, int):
                    page.write_number(line, number, cell)
                else:
                    form = fill if column in ledger.fill and may else large if column in ledger.large else None
                    page.write_string(line, number, cell, form)
        _validate(page, ledger)
        page.freeze_panes(1, ledger.frozen)
        page.autofilter(0, 0, max(len(ledger.rows), 1), len(ledger.columns) - 1)
        page.set_landscape()
        page.set_header(f"&L{ledger.run_id}&C{ledger.mark}&R&A")
        page.repeat_rows(0)
    return target.getvalue()


def _validate(page: xlsxwriter.worksheet.Worksheet, ledger: Ledger) -> None:
    """Let the cells to fill in take a decision where there may be one, and nothing elsewhere."""
    at = {column: number for number, column in enumerate(ledger.columns)}
    decision, last = at["decision"], at[ledger.fill[-1]]
    for may, lines in itertools.groupby(enumerate(ledger.fillable, 1), key=lambda line: line[1]):
        first, *others = (number for number, _ in lines)
        end = others[-1] if others else first
        if may:
            page.data_validation(first, decision, end, decision, {
                "validate": "list", "source": list(ledger.choices), "ignore_blank": True,
                "error_title": "decision", "error_message": ", ".join(ledger.choices),
            })  # fmt: skip
            for column, (left, right) in ledger.ends.items():
                cells = f"=${_letter(at[left])}{first + 1}:${_letter(at[right])}{first + 1}"
                page.data_validation(first, at[column], end, at[column], {"validate": "list", "source": cells})
        else:
            page.data_validation(first, decision, end, last, {
                "validate": "custom", "value": "=FALSE", "ignore_blank": False, "error_title": "decision",
                "error_message": ledger.refused,
            })  # fmt: skip


def _letter(number: int) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number]
