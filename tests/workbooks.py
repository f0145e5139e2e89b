"""Invented workbooks, as people make them: merged heads, days that are numbers, formulas, notes below the table."""

from __future__ import annotations

import datetime
import io

import xlsxwriter


def workbook(xlsx, *, merge=(), hidden_rows=(), hidden_sheets=(), since_1904=False, comment=None):
    """A workbook of sheets, each a list of rows.

    A cell is text, a number, `true`, `{day: 2024-05-01}` (or with a time), `{formula: =A1, value: 1}`, or null.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "date_1904": since_1904, "strings_to_numbers": False})
    book.set_properties({"created": datetime.datetime(2024, 1, 1)})
    day = book.add_format({"num_format": '[$-411]ggge"年"m"月"d"日"'})
    for name, rows in xlsx.items():
        sheet = book.add_worksheet(name)
        for first in merge:
            sheet.merge_range(first, "")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                _write(sheet, number, column, cell, day)
        for number in hidden_rows:
            sheet.set_row(number - 1, None, None, {"hidden": True})
        if name in hidden_sheets:
            sheet.hide()
        if comment:
            sheet.write_comment(*comment)
    book.close()
    return out.getvalue()


def _write(sheet, row, column, cell, day):
    if isinstance(cell, dict) and "day" in cell:
        sheet.write_datetime(row, column, datetime.datetime.fromisoformat(str(cell["day"])), day)
    elif isinstance(cell, dict):
        sheet.write_formula(row, column, cell["formula"], None, cell["value"])
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif cell is not None:
        sheet.write(row, column, cell)
