"""COBOL reference format: lines of a copybook -> words with their places (IBM Enterprise COBOL, Reference format).

Fixed: columns 1 to 6 a sequence number, 7 the indicator (* and / a comment, - continuation, D debugging), 8 to 72 text,
the rest a comment. Columns are those of the host, where a full-width character takes two. Variable: as fixed, but text
to the end of the line (Fujitsu, Micro Focus). Free: text anywhere. Without being told, the format is seen from the
lines; a line of fixed format whose last word runs across column 72 is read to its end, because a word cut in two is
never what was meant, and that is noted; so is text that begins in column 7 already. Of conditional compilation only one
branch is text, and the copybook does not say which: it is refused.
A place in a message counts characters, as an editor does.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

from migration_reports.findings import Position, Problem

MAX_TEXT = 2_000_000
MAX_LINE = 10_000
LAST_COLUMN = 72

SourceFormat = Literal["auto", "fixed", "variable", "free"]

_FREE = re.compile(
    r"[ ]{0,5}(?:\d{1,2}[ \t]+\S|\*>|(?:COPY|REPLACE|IDENTIFICATION|ENVIRONMENT|DATA|FILE|WORKING-STORAGE|FD|SELECT)\s)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?=[ \d]{6} ) *\d{1,6} +\d{1,2}[ .]")
_NUMBERED_TAB = re.compile(r" *(?:\d{3,6}|\d{1,2}(?=\t\s*\d{1,2}[\s.]))\t")
_EARLY = re.compile(r"[ \d]{6}(?:0?[1-9]|[1-4]\d|66|77|88)\s+\S")
_DIRECTIVE = re.compile(
    r"\s*(?:>>\s*SOURCE\s+(?:FORMAT\s+)?(?:IS\s+)?|\$SET\s+SOURCEFORMAT\s*\(?\s*[\"']?)(?P<format>FREE|FIXED|VARIABLE)\b",
    re.IGNORECASE,
)
_LISTING = re.compile(
    r"\s*(?:(?:EJECT|SKIP[123])\s*\.?\s*$|TITLE\s+[NGX]?['\"]|>>|\$(?:SET|IF|ELIF|ELSE|END|DISPLAY|REGION|ENDREGION)\b)",
    re.IGNORECASE,
)
_COMPILER_OPTIONS = re.compile(r"\s*(?:CBL|PROCESS)\s", re.IGNORECASE)
_CONDITIONAL = re.compile(r"\s*(?P<word>>>\s*(?:IF|EVALUATE)|\$\s*IF)\b", re.IGNORECASE)
_WORD_CHARACTER = re.compile(r"[A-Za-z0-9()\-]")
_WORD = re.compile(
    r"""(?P<space>\s+|[,;](?=[\s'"]|$))
    |(?P<literal>(?:[NGXBZ]|NX|GX)?(?:'(?:[^'\n]|'')*'|"(?:[^"\n]|"")*"))
    |(?P<pseudo>==)
    |(?P<period>\.(?=\s|$|==))
    |(?P<open>(?:[NGXBZ]|NX|GX)?['"][^\n]*)
    |(?P<word>(?:(?!==)[^\s.,;'"]|\.(?!\s|$|==)|[,;](?![\s'"]|$|==))+)""",
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


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A copybook as words: what could not be read, and what was read otherwise than the format says."""

    words: tuple[Word, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()


def split_words(text: str, file: str, *, source_format: SourceFormat = "auto") -> Source:
    """Split a copybook into words.

    Args:
        text: the copybook.
        file: how positions call it.
        source_format: the reference format; `auto` sees it from the lines. A directive in the text changes it.
    """
    if len(text) > MAX_TEXT:
        return Source((), (Problem("L001", Position(file), f"the copybook is longer than {MAX_TEXT:,} characters"),))
    problems: list[Problem] = []
    notes: list[Problem] = []
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x1a", "").split("\n")
    form = source_format
    if form == "auto":
        # A sequence number that does not fill its columns looks like a level number, but for the one behind it.
        numbers = [bool(_NUMBERED.match(line) or _NUMBERED_TAB.match(line)) for line in lines]
        free = sum(bool(_FREE.match(line)) for line, numbered in zip(lines, numbers, strict=True) if not numbered)
        form = "free" if free > sum(numbers) else "fixed"
    early = next((number for number, line in enumerate(lines, 1) if _EARLY.match(line)), 0) if form != "free" else 0
    if early:
        message = "text begins in column 7 and was read from there"
        notes.append(Problem("L006", Position(file, early, 7), message))
    quote = ""
    room = 0
    words_before = False
    for number, line in enumerate(lines, 1):
        margin = 6 if line[:6].strip().isdigit() else 0
        directive = _DIRECTIVE.match(line[margin:])
        if directive:
            form = {"FREE": "free", "FIXED": "fixed", "VARIABLE": "variable"}[directive["format"].upper()]  # type: ignore[assignment]
            continue
        if len(line) > MAX_LINE:
            problems.append(Problem("L002", Position(file, number), f"the line is longer than {MAX_LINE:,} characters"))
            continue
        conditional = _CONDITIONAL.match(line[margin:])
        if conditional:
            word = conditional["word"]
            message = f"only one branch of `{word}` was compiled, and the copybook does not say which"
            position = Position(file, number, margin + conditional.start("word") + 1)
            hint = "leave the branch that was compiled, and remove the others with their directives"
            problems.append(Problem("L007", position, message, hint=hint))
            continue
        area = _Area(0, len(line)) if form == "free" else _text_area(line, whole=form == "variable", early=bool(early))
        if area is None or _LISTING.match(line[area.start : area.stop]):
            continue
        if not words_before and _COMPILER_OPTIONS.match(line[area.start : area.stop]):
            continue
        if area.indicator:
            position = Position(file, number, 7)
            message = f"indicator `{area.indicator}` in column 7"
            problems.append(Problem("L003", position, message, ("blank", "*", "/", "-", "D")))
            continue
        if area.runs_over:
            message = f"text runs past column {LAST_COLUMN} and was read to the line's end"
            notes.append(Problem("L005", Position(file, number, LAST_COLUMN + 1), message))
        content = line[area.start : area.stop]
        column = area.start + 1
        if area.continues:
            while characters and characters[-1] in ("\n" if quote else "\n "):
                characters.pop()
                places.pop()
            if quote and room:
                # A literal that goes on has every column of its line, to the last one.
                characters.extend(" " * room)
                places.extend([places[-1]] * room)
            stripped = content.lstrip()
            column += len(content) - len(stripped)
            if quote and stripped.startswith(quote):
                stripped, column = stripped[1:], column + 1
            content = stripped
        elif quote:
            quote = ""
        kept, quote = _strip_comment(content, quote if area.continues else "")
        words_before |= bool(kept.strip())
        room = max(LAST_COLUMN - _columns(line[: area.stop]), 0) if quote and form == "fixed" else 0
        for at, character in enumerate(kept):
            characters.append(" " if character == "\t" else character)
            places.append((number, column + at))
        characters.append("\n")
        places.append((number, column + len(kept)))
    words = tuple(_scan("".join(characters), places, file, problems))
    return Source(words, tuple(problems), tuple(notes))


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


@dataclasses.dataclass(frozen=True, slots=True)
class _Area:
    """Where the text of a line stands, from 0; `indicator` is one that is not allowed."""

    start: int
    stop: int
    continues: bool = False
    runs_over: bool = False
    indicator: str = ""


def _text_area(line: str, *, whole: bool, early: bool) -> _Area | None:
    """The text area of a line of fixed or variable format; None where it has none.

    `early`: text may begin in column 7.
    """
    if "\t" in line[:7]:
        # A tab before the text area stands for blanks; the text itself begins at the first character after them.
        numbered = _NUMBERED_TAB.match(line)
        text = line[numbered.end() if numbered else 0 :].lstrip()
        return _Area(len(line) - len(text), len(line)) if text and not text.startswith("*") else None
    if not line[6:].strip():
        return None
    indicator = line[6]
    begins = early and indicator.isalnum() and (indicator not in "Dd" or line[7:8].isalpha())
    if indicator in "*/$Dd#" and not begins:
        return None
    if indicator not in " -" and not begins:
        return _Area(0, 0, indicator=indicator)
    start = 6 if begins else 7
    host = 0
    stop = len(line)
    if not whole:
        for at, character in enumerate(line):
            host += _columns(character)
            if host > LAST_COLUMN:
                stop = at
                break
    over = stop < len(line) and bool(_WORD_CHARACTER.match(line[stop - 1]) and _WORD_CHARACTER.match(line[stop]))
    in_literal = over and sum(line[start:stop].count(quote) for quote in "'\"") % 2 == 1
    if over and not in_literal and line[stop:].rstrip().endswith("."):
        return _Area(start, len(line), indicator == "-", runs_over=True)
    return _Area(start, stop, indicator == "-")


def _columns(text: str) -> int:
    """How many columns of the host a text takes; what Unicode calls ambiguous is as wide as its code in Shift_JIS."""
    if text.isascii():
        return len(text)
    wide = (unicodedata.east_asian_width(c) for c in text)
    return sum(
        2 if width in "WF" or (width == "A" and len(c.encode("cp932", "ignore")) == 2) else 1
        for c, width in zip(text, wide, strict=True)
    )


def _strip_comment(content: str, quote: str) -> tuple[str, str]:
    """The line without its `*>` comment, and the quote of a literal that it leaves open."""
    for at, character in enumerate(content):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif content.startswith("*>", at):
            return content[:at], ""
    return content, quote
