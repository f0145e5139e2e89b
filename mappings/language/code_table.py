"""Code tables: CSV beside the mapping, old code, new code, label, and the time for which the line holds.

    old,new,label,valid_from,valid_to
    8,7,報償費,2020,
    8,8,報償費,,2019

A time is a year (of which its whole is meant) or a day, YYYYMMDD or YYYY-MM-DD; an empty one has no end. Codes are
renumbered in mid-life (the 節 of fiscal 2020, municipality codes in mid-year), so one old code may stand on several lines
whose times do not overlap; `lookup` then takes the line of its `at:` column's day.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from types import MappingProxyType

from mappings.language.folder import CodeTable, Period
from migration_reports.trouble import Position, Problem

COLUMNS = ("old", "new", "label", "valid_from", "valid_to")
FIRST, LAST = "00000000", "99999999"


def read_code_table(text: str, shown: str, problems: list[Problem]) -> CodeTable | None:
    """Read a code table.

    Args:
        text: the CSV.
        shown: how positions call the file.
        problems: is added to.

    Returns:
        The table; None where it has a problem.
    """
    before = len(problems)
    rows = csv.reader(io.StringIO(text))
    try:
        header = next(rows, [])
        if header[:2] != ["old", "new"] or tuple(header) != COLUMNS[: len(header)]:
            allowed = ("old,new,label", "old,new,label,valid_from,valid_to")
            problems.append(Problem("Y015", Position(shown), "the first line must be the header", allowed))
            return None
        seen: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
        periods: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        labels: dict[str, str] = {}
        for row in rows:
            if row and any(row):
                _line(row, Position(shown, rows.line_num), seen, periods, labels, problems)
    except csv.Error as error:
        problems.append(Problem("Y015", Position(shown, rows.line_num), f"no CSV: {error}"))
    if len(problems) > before:
        return None
    if not periods:
        problems.append(Problem("Y015", Position(shown), "the table holds no code"))
        return None
    # The codes without a time of their own are looked at last.
    order = sorted(periods, key=lambda times: (times == ("", ""), times))
    made = tuple(Period(*times, MappingProxyType(periods[times])) for times in order)
    return CodeTable(made, shown, MappingProxyType(labels))


def _line(
    row: list[str],
    place: Position,
    seen: dict[str, list[tuple[str, str, int]]],
    periods: dict[tuple[str, str], dict[str, str]],
    labels: dict[str, str],
    problems: list[Problem],
) -> None:
    old, new, label, begin, end = (*(part.strip() for part in row[:5]), "", "", "", "", "")[:5]
    if not old or not new:
        problems.append(Problem("Y015", place, "a line is an old code, a new code and a label"))
        return
    first, last = _day(begin, "0101"), _day(end, "1231")
    for text, day in ((begin, first), (end, last)):
        if day is None:
            message = f"`{text[:20]}` is no day"
            problems.append(Problem("Y015", place, message, ("YYYY", "YYYYMMDD", "YYYY-MM-DD")))
    if first is None or last is None:
        return
    if (first or FIRST) > (last or LAST):
        problems.append(Problem("Y015", place, "the line ends before it begins"))
    for other_first, other_last, line in seen[old]:
        if (first or FIRST) <= (other_last or LAST) and (other_first or FIRST) <= (last or LAST):
            hint = f"it stands on line {line} too" + (" for some of the same time" if begin or end else "")
            problems.append(Problem("Y015", place, f"old code `{old[:20]}` stands twice", hint=hint))
            return
    seen[old].append((first, last, place.line))
    periods[first, last][old] = new
    labels.setdefault(old, label)


def _day(text: str, rest: str) -> str | None:
    """A time as YYYYMMDD; a year is completed by `rest`. None: it is neither."""
    digits = text.replace("-", "") if len(text) == 10 and text[4] == text[7] == "-" else text
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (4, 8):
        return None
    return digits if len(digits) == 8 else digits + rest
