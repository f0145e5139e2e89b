"""A target's repertoire: what it can hold, as a standard by name or a file of the characters.

The file is UTF-8, one character a line: the character itself, with the marks and the selector that follow it, or its scalars,
as 4E9C, U+4E9C or U+8FBB U+E0102. # begins a comment line. Private-use characters count: a target may have its own.

What JIS X 0201 has as single bytes always counts. A symbol that JIS X 0208 and Windows name differently counts under both
its names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from extractors.charsets import _jis as jis
from extractors.table_files.contract import MAX_BYTES, MAX_SCALARS, is_assigned, parse_scalar
from migration_reports.findings import Position, Problem, SpecError

NAMES = ("jis_x_0208", "jis_x_0213")
ALWAYS = frozenset(map(chr, (*range(0x20, 0x7F), 0xA5, 0x203E, 0x3000, *range(0xFF61, 0xFFA0))))
MAX_PROBLEMS = 1_000
ALLOWED = ("漢", "4E9C", "U+8FBB U+E0102")


def read(name: str, folder: Path, symbols: Mapping[int, int]) -> frozenset[str]:
    """Read a repertoire.

    Args:
        name: one of `NAMES`, or a file.
        folder: what the file is relative to.
        symbols: code points of symbols, each with that of its other name.

    Raises:
        SpecError: the file cannot be read, or with every line that is no character.
    """
    if name == "jis_x_0208":
        held = set(jis.x0208().values())
    elif name == "jis_x_0213":
        held = set(jis.x0213(1).values()) | set(jis.x0213(2).values())
    else:
        held = _parse(_text(name, folder), name)
    for pair in symbols.items():
        if not held.isdisjoint(map(chr, pair)):
            held.update(map(chr, pair))
    return ALWAYS | held


def _text(name: str, folder: Path) -> str:
    path = folder / name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError([Problem("L901", Position(name), f"the repertoire is larger than {MAX_BYTES:,} bytes")])
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        message = f"repertoire: `{name[:60]}` is no repertoire that is known, and no UTF-8 file of one"
        raise SpecError([Problem("L904", Position("(options)"), message, ("any", *NAMES))]) from None


def _parse(text: str, name: str) -> set[str]:
    held: set[str] = set()
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        character = _character(line.strip())
        if character is not None:
            held.add(character)
        elif len(problems) < MAX_PROBLEMS:
            message = f"`{line.strip()[:20]}` is no character of a repertoire"
            problems.append(Problem("L902", Position(name, number), message, ALLOWED))
    if not held and not problems:
        problems.append(Problem("L901", Position(name), "the repertoire holds no character", ALLOWED))
    if problems:
        raise SpecError(problems)
    return held


def _character(line: str) -> str | None:
    """The character of a line; None where it is none."""
    if re.fullmatch(r"(U\+)?[0-9A-Fa-f]{4,6}([ +,]+U\+[0-9A-Fa-f]{4,6})*", line):
        scalars = [parse_scalar(word) for word in re.findall(r"[0-9A-Fa-f]{4,6}", line)]
        marks = True
    else:
        scalars = list(line)
        marks = all(unicodedata.category(scalar).startswith("M") for scalar in line[1:])
    text = "".join(scalar for scalar in scalars if scalar)
    whole = len(text) == len(scalars) <= MAX_SCALARS and all(map(is_assigned, text))
    return text if whole and marks else None
