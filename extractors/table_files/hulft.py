"""HULFT's gaiji table text: a pair of codes a line, with 0X before each.

    0X81CA   0XEFBFA2

The first is the host's code, the second that of the other side: UTF-8 bytes, or by the option `encoding` utf-16 (big-endian)
or shift_jis. Lines that begin with * or # are comments; the
line ``defaultcode=`` says what HULFT writes for other codes and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from extractors.table_files.contract import Mapped, Report, TableFile, TableForm, hexadecimal, parse_code

_CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-be", "shift_jis": "cp932"}
_LINE = re.compile(r"0[Xx]([0-9A-Fa-f]{2,6})\s+0[Xx]((?:[0-9A-Fa-f]{2}){1,16})\s*")


def read(text: str, options: Mapping[str, str], report: Report) -> Iterator[Mapped]:
    """Read the pairs of a file."""
    codec = _CODECS.get(options.get("encoding", "utf-8"))
    if codec is None:
        report(1, f"unknown encoding `{options['encoding'][:20]}`", *_CODECS)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip()[0] in "*#" or line.lstrip().lower().startswith("defaultcode="):
            continue
        match = _LINE.fullmatch(line.strip())
        code = parse_code(match[1]) if match else None
        try:
            characters = bytes.fromhex(match[2]).decode(codec) if match else ""
        except UnicodeDecodeError:
            characters = ""
        if code is None or not characters:
            report(number, f"no pair of a host code and {options.get('encoding', 'utf-8')} bytes", "0X81CA   0XEFBFA2")
            continue
        yield Mapped(*code, characters, line=number)


def write(table: TableFile) -> tuple[str, Mapping[str, int]]:
    """Write the pairs with UTF-8; comments become lines of their own."""
    lines = []
    for row in table.mappings:
        if row.comment:
            lines.append(f"* {row.comment}")
        lines.append(f"0X{hexadecimal(row.code, row.length)}   0X{row.text.encode().hex().upper()}")
    lost = {
        "directions (the form goes one way)": sum(bool(row.direction) for row in table.mappings),
        "comments (kept as lines, not with their codes)": sum(bool(row.comment) for row in table.mappings),
    }
    return "\n".join([*lines, ""]), {what: count for what, count in lost.items() if count}


FORM = TableForm(
    "hulft",
    __doc__ or "",
    {"encoding": "what the other side's codes are: utf-8, utf-16 or shift_jis (utf-8)"},
    lambda head: _LINE.search(head) is not None,
    read,
    write,
)
