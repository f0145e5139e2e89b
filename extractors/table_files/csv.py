"""CSV: a code, its Unicode scalars, an optional variation selector and a comment a line.

    code,unicode,ivs,comment
    6EA4,9AD9,,hashigo-daka
    41A5,4E08,E0103,

The header line may be left out, or name the columns in another order, `code` among them (`text` gives the character itself).
Commas, tabs or spaces separate; several scalars are joined by + or, where commas separate, by spaces; U+ may stand
before each. # begins a comment line. The optional column `direction` has both, to_unicode or from_unicode.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping

from extractors.table_files.contract import (
    Direction,
    Mapped,
    Report,
    TableFile,
    TableForm,
    hexadecimal,
    is_selector,
    parse_code,
    parse_scalar,
)

COLUMNS = ("code", "unicode", "ivs", "comment", "direction", "text")
_COMMENT = re.compile(r"\s#.*$")
_DIRECTIONS = {"": 0, "both": 0, "from_unicode": 1, "to_unicode": 3}


def read(text: str, _: Mapping[str, str], report: Report) -> Iterator[Mapped]:
    """Read the lines of a file."""
    columns: list[str] = list(COLUMNS[:4])
    first = True
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = _cells(line)
        if cells is None:
            report(number, "a quotation mark is not closed, or stands within a cell")
            continue
        named = [cell.lower() for cell in cells]
        if first and "code" in named:
            unknown = [name for name in named if name not in COLUMNS]
            if unknown or len(set(named)) < len(named) or not {"unicode", "text"} & set(named):
                # Read under columns that are not what their writer meant, every line below would say something else.
                what = f"unknown column `{unknown[0][:20]}`" if unknown else "a column twice, or none of characters"
                report(number, what, *COLUMNS)
                return
            columns, first = named, False
            continue
        first = False
        if any(cells[len(columns) :]):
            report(number, f"more cells than columns ({', '.join(columns)})", *COLUMNS)
            continue
        row = dict(zip(columns, cells, strict=False))
        code = parse_code(row.get("code", ""))
        characters = _text(row)
        if code is None or characters is None:
            report(number, "not a code and its Unicode scalars", "6EA4,9AD9", "41A5,4E08,E0103")
            continue
        direction = row.get("direction", "").lower()
        if direction not in _DIRECTIONS:
            report(number, f"unknown direction `{direction[:20]}`", "both", "to_unicode", "from_unicode")
            continue
        yield Mapped(*code, characters, Direction(_DIRECTIONS[direction]), row.get("comment", ""), number)


def _cells(line: str) -> list[str] | None:
    """The cells of a line; None where it is no CSV."""
    if '"' not in line:
        line = _COMMENT.sub("", line)
    separator = "," if "," in line else "\t" if "\t" in line else None
    if separator is None:
        return line.split()
    # A line is read by itself, so that a quote left open does not swallow the rest of the file.
    try:
        cells = next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return None
    return [cell.strip() for cell in cells]


def _text(row: Mapping[str, str]) -> str | None:
    """The character of a line, with its variation selector; None where it is none."""
    cell = row.get("unicode", "") or row.get("text", "")
    itself = not row.get("unicode") or not cell[0].isascii()
    words = list(cell) if itself else cell.replace("+", " ").replace("U ", "U+").split()
    selector = row.get("ivs", "").upper()
    if selector.startswith("VS"):
        number = int(selector[2:]) if selector[2:].isdecimal() and len(selector) < 6 else 0
        selector = f"{(0xFE00 - 1 if number <= 16 else 0xE0100 - 17) + number:X}" if 1 <= number <= 256 else "?"
    scalars = [word if itself else parse_scalar(word) for word in words]
    scalars += [parse_scalar(selector)] if selector else []
    return "".join(map(str, scalars)) if words and None not in scalars else None


def write(table: TableFile) -> tuple[str, Mapping[str, int]]:
    """Write every column but `text`."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    directed = any(row.direction for row in table.mappings)
    names = {number: name for name, number in _DIRECTIONS.items()}
    rows.writerow(COLUMNS[: 5 if directed else 4])
    for row in table.mappings:
        selector = row.text[-1] if len(row.text) > 1 and is_selector(row.text[-1]) else ""
        scalars = " ".join(f"{ord(c):04X}" for c in row.text[: len(row.text) - len(selector)])
        cells = [hexadecimal(row.code, row.length), scalars, f"{ord(selector):X}" if selector else "", row.comment]
        rows.writerow([*cells, *([names[int(row.direction)]] if directed else [])])
    return out.getvalue(), {}


FORM = TableForm("csv", __doc__ or "", {}, lambda _: False, read, write)
