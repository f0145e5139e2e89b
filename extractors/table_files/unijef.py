"""Fujitsu's user table `unijef.txt` of JEF and Unicode (Fujitsu manual b5911-04-22-02-03).

    CODE_CONVERT_Unicode-FJHOSTcode_USER_TABLE1.0
    JEF->Unicode
    80A1:E92E
    Unicode->JEF
    80A1:E92E

The code of JEF stands first in both. Pairs stand a line each or with commas between; ; begins a comment. A pair that stands
in both sections goes both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractors.table_files.contract import Direction, Mapped, Report, TableFile, TableForm, parse_code, parse_scalar

TITLE = "CODE_CONVERT_Unicode-FJHOSTcode_USER_TABLE1.0"
TO, FROM = "JEF->Unicode", "Unicode->JEF"


def read(text: str, _: Mapping[str, str], report: Report) -> Iterator[Mapped]:
    """Read both sections and join what both say; the form has no options."""
    sections: dict[str, dict[tuple[tuple[int, int], str], int]] = {TO: {}, FROM: {}}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        for pair in (word.strip() for word in line.split(";", 1)[0].split(",")):
            if not pair or pair == TITLE:
                continue
            if pair in sections:
                section = pair
                continue
            code, _colon, scalar = pair.partition(":")
            known, character = parse_code(code.strip()), parse_scalar(scalar.strip())
            if not section or known is None or character is None:
                report(number, f"no pair of a section {TO} or {FROM}", "80A1:E92E")
                continue
            sections[section].setdefault((known, character), number)
    for (code_, character), number in sections[TO].items():
        both = (code_, character) in sections[FROM]
        yield Mapped(*code_, character, Direction.ROUND_TRIP if both else Direction.TO_UNICODE, line=number)
    for (code_, character), number in sections[FROM].items():
        if (code_, character) not in sections[TO]:
            yield Mapped(*code_, character, Direction.FROM_UNICODE, line=number)


def write(table: TableFile) -> tuple[str, Mapping[str, int]]:
    """Write both sections; a text of several scalars or beyond U+FFFF has no place in them."""
    kept = [row for row in table.mappings if len(row.text) == 1 and ord(row.text) <= 0xFFFF and row.length == 2]
    lines = [TITLE, TO]
    lines += [f"{row.code:04X}:{ord(row.text):04X}" for row in kept if row.direction != Direction.FROM_UNICODE]
    lines += [FROM]
    lines += [f"{row.code:04X}:{ord(row.text):04X}" for row in kept if row.direction != Direction.TO_UNICODE]
    lost = {
        "codes of several scalars, beyond U+FFFF or not of two bytes": len(table.mappings) - len(kept),
        "comments": sum(bool(row.comment) for row in kept),
    }
    return "\n".join([*lines, ""]), {what: count for what, count in lost.items() if count}


FORM = TableForm("unijef", __doc__ or "", {}, lambda head: TITLE in head or TO in head or FROM in head, read, write)
