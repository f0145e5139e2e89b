"""A ledger that people filled in, as a CSV file or a workbook: its lines by their numbers."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from migration_reports.findings import RunError
from migration_reports.reports._ledger import unguarded


def lines_of(file: Path, needed: Sequence[str], columns: Sequence[str]) -> dict[int, dict[str, str]]:
    """The lines of a ledger by their numbers, each by column; of a workbook those of the first sheet.

    Args:
        file: .csv or .xlsx; it may have titles above its headings.
        needed: the columns by which its line of headings is known.
        columns: those that a ledger has, for the message.

    Raises:
        RunError: it cannot be read, or no line names what is needed.
    """
    try:
        if file.suffix.lower() == ".xlsx":
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            rows: Iterable[Sequence[Any]] = book.worksheets[0].iter_rows(values_only=True)
        else:
            rows = csv.reader(io.StringIO(file.read_text("utf-8-sig"), newline=""))
        table = [[_cell(cell) for cell in row] for row in rows]
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, InvalidFileException) as error:
        raise RunError(f"{file}: cannot be read as a ledger ({type(error).__name__})") from None
    # A heading is the column's name on its last line.
    for number, row in enumerate(table[:10], 1):
        names = [cell.split("\n")[-1].strip() for cell in row]
        if set(needed) <= set(names):
            return {
                line: dict(zip(names, map(unguarded, cells), strict=False))
                for line, cells in enumerate(table[number:], number + 1)
                if any(cells)
            }
    asked = f"{', '.join(needed[:-1])} and {needed[-1]}"
    raise RunError(f"{file}: no line names the columns {asked}; a ledger has {', '.join(columns)}")


def _cell(cell: object) -> str:
    """A cell as text; a date, which spreadsheets make of what looks like one, as YYYY-MM-DD."""
    if isinstance(cell, datetime.datetime):
        cell = cell.date()
    text = "" if cell is None else str(cell).strip()
    date = re.fullmatch("([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", text)
    return f"{date[1]}-{date[2]:>02}-{date[3]:>02}" if date else text
