"""The line that a problem speaks of, with a caret below its place, cut to a width.

Only specs are shown: texts inside a municipality's folder or its package's, never a dump.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

from extractors.reading import read_text
from migration_reports.findings import Position, RunError, SpecError

LEAST = 20
"""A terminal narrower than this gets no excerpt: nothing could be read in it."""

Lines = Callable[[str], tuple[str, ...]]
"""The lines of a file by the path that positions call it; none of a file that is no spec."""


def lines_of(roots: tuple[Path, ...]) -> Lines:
    """The lines of the specs in some folders, each file read once."""
    known: dict[str, tuple[str, ...]] = {}

    def lines(file: str) -> tuple[str, ...]:
        if file not in known:
            path = Path(file).resolve()
            known[file] = ()
            if path.is_file() and any(path.is_relative_to(root.resolve()) for root in roots):
                try:
                    known[file] = tuple(read_text(path).split("\n"))
                except (RunError, SpecError):
                    # What cannot be read has a problem of its own.
                    known[file] = ()
        return known[file]

    return lines


def excerpt(position: Position, lines: Lines, width: int) -> tuple[str, ...]:
    """The line of a place and a caret below it; nothing where there is no such line.

    Args:
        position: the place.
        lines: the texts.
        width: how many columns of a terminal may be used; full-width characters take two.
    """
    text = lines(position.file)
    if not 1 <= position.line <= len(text) or width < LEAST:
        return ()
    line = "".join(map(_seen, text[position.line - 1].rstrip("\r")))
    if not line.strip():
        return ()
    number = f"{position.line:>5} | "
    room = width - len(number)
    at = min(position.column - 1, len(line))
    # Where the place lies too far on the right, the line's beginning is left out.
    first = 0
    while _columns(line[first:at]) + 2 > room and first < at:
        first += 1
    head = "…" if first else ""
    first += 1 if first else 0
    shown = head + line[first:]
    cut = shown
    while _columns(cut) > room:
        cut = cut[:-1]
    if cut != shown:
        while cut and _columns(cut) > room - 1:
            cut = cut[:-1]
        cut += "…"
    before = _columns(head + line[first:at])
    return number + cut, f"{'':>5} | {'':>{before}}^"


def _seen(character: str) -> str:
    """A character as it may be printed: whatever moves the cursor or hides itself is shown by another."""
    if character == "\t":
        return "→"
    return character if character.isprintable() or character == "\u3000" else "·"


def _columns(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
