"""COBOL reference format: lines of a copybook -> words with their places (IBM Enterprise COBOL, Reference format).

Fixed format: columns 1 to 6 a sequence number, 7 the indicator (* and / a comment, - continuation, D debugging), 8 to
72 text, the rest a comment. Columns are those of the host, where a full-width character takes two. Free format: text
anywhere.
A place in a message counts characters, as an editor does.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterator

from migration_reports.findings import Position, Problem

MAX_TEXT = 2_000_000
MAX_LINE = 10_000

_FREE = re.compile(r"[ ]{0,5}\d{1,2}[ \t]+\S|>>SOURCE|[ ]{0,5}\*>", re.IGNORECASE)
_WORD = re.compile(
    r"""(?P<space>\s+|[,;](?=\s|$))
    |(?P<literal>(?:[NGXBZ]|NX|GX)?(?:'(?:[^'\n]|'')*'|"(?:[^"\n]|"")*"))
    |(?P<period>\.(?=\s|$))
    |(?P<open>(?:[NGXBZ]|NX|GX)?['"][^\n]*)
    |(?P<word>(?:[^\s.,;'"]|[.,;](?!\s|$))+)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """A word, a literal (with its quotes) or the period that ends an entry."""

    text: str
    position: Position
    kind: str

    @property
    def upper(self) -> str:
        """The word as COBOL compares it."""
        return self.text.upper()


def split_words(text: str, file: str) -> tuple[list[Word], list[Problem]]:
    """Split a copybook into words.

    Args:
        text: the copybook, in either format; which one is seen from its lines.
        file: how positions call it.

    Returns:
        The words in order, and what could not be read.
    """
    if len(text) > MAX_TEXT:
        return [], [Problem("L001", Position(file), f"the copybook is longer than {MAX_TEXT:,} characters")]
    problems: list[Problem] = []
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x1a", "").split("\n")
    free = any(_FREE.match(line) for line in lines)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            problems.append(Problem("L002", Position(file, number), f"the line is longer than {MAX_LINE:,} characters"))
            continue
        start, stop, continues = (0, len(line), False) if free else _text_area(line)
        if start is None:
            continue
        if start < 0:
            position = Position(file, number, 7)
            problems.append(
                Problem("L003", position, f"indicator `{line[6]}` in column 7", ("blank", "*", "/", "-", "D"))
            )
            continue
        content = _strip_comment(line[start:stop])
        column = start + 1
        if continues:
            while characters and characters[-1] in "\n ":
                characters.pop()
                places.pop()
            stripped = content.lstrip()
            column += len(content) - len(stripped)
            quote = _open_quote("".join(characters))
            if quote and stripped.startswith(quote):
                stripped, column = stripped[1:], column + 1
            content = stripped
        for at, character in enumerate(content):
            characters.append(" " if character == "\t" else character)
            places.append((number, column + at))
        characters.append("\n")
        places.append((number, column + len(content)))
    return list(_scan("".join(characters), places, file, problems)), problems


def _scan(text: str, places: list[tuple[int, int]], file: str, problems: list[Problem]) -> Iterator[Word]:
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            at += 1
            continue
        kind = match.lastgroup or ""
        position = Position(file, *places[at])
        at = match.end()
        if kind == "open":
            problems.append(Problem("L004", position, "a literal is not closed", hint="close it with the same quote"))
            # The rest of the line is taken for the literal, so that the entries after it are still read.
            yield Word("''", position, "literal")
            if match.group().rstrip().endswith("."):
                yield Word(".", position, "period")
        elif kind != "space":
            yield Word(match.group(), position, kind)


def _text_area(line: str) -> tuple[int | None, int, bool]:
    """Where the text of a fixed-format line begins and ends (None: there is none; -1: a wrong indicator)."""
    expanded = line.expandtabs(8) if "\t" in line[:8] else line
    if expanded != line:
        # A tab before the text area stands for blanks; the text itself begins at the first character after them.
        begin = len(line) - len(line.lstrip())
        return (begin, len(line), False) if line.strip() else (None, 0, False)
    if not line[6:].strip():
        return None, 0, False
    indicator = line[6]
    if indicator in "*/$":
        return None, 0, False
    if indicator not in " -Dd":
        return -1, 0, False
    if indicator in "Dd":
        return None, 0, False
    host = 0
    stop = len(line)
    for at, character in enumerate(line):
        host += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if host > 72:
            stop = at
            break
    return 7, stop, indicator == "-"


def _strip_comment(content: str) -> str:
    before, mark, _ = content.partition("*>")
    in_literal = before.count("'") % 2 or before.count('"') % 2
    return before if mark and not in_literal else content


def _open_quote(text: str) -> str:
    """The quote of a literal that the last line leaves open, if it does."""
    line = text[text.rfind("\n") + 1 :]
    quote = ""
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return quote
