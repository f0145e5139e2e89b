"""A character table file: which Unicode text each code stands for, whoever wrote it and in whatever form.

A form of file is a member of `extractors.table_files`. What a file says is checked like a spec: every problem at once, with
its line.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from migration_reports.findings import Position, Problem

MAX_BYTES = 64_000_000
MAX_LINE = 2_000
MAX_SCALARS = 4
MAX_TEXT = 15
"""Bytes of UTF-8 that a text may take: what the kernels' cell of a sequence holds."""


class Direction(enum.IntEnum):
    """Which way a mapping goes, by the numbers of ICU's .ucm files (|0, |1 and |3)."""

    ROUND_TRIP = 0
    FROM_UNICODE = 1
    TO_UNICODE = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Mapped:
    """A code of `length` bytes (1 to 3) and its text; `line` is where the file says so."""

    code: int
    length: int
    text: str
    direction: Direction = Direction.ROUND_TRIP
    comment: str = ""
    line: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class TableFile:
    """A table as its file has it, in the order of the file. `title` names it in forms that have a place for a name."""

    name: str
    mappings: tuple[Mapped, ...]
    title: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class TableForm:
    """One form of table files.

    Attributes:
        name: its name in the family.
        doc: the module's docstring, for the reference.
        options: its own options, each with a line of explanation.
        recognise: whether the beginning of a file looks like it.
        read: the text of a file and its options -> its mappings; problems go into the list.
        write: mappings -> the text of a file, and how many of what it cannot carry, by what that is.
    """

    name: str
    doc: str
    options: Mapping[str, str]
    recognise: Callable[[str], bool]
    read: Callable[[str, Mapping[str, str], Report], Iterable[Mapped]]
    write: Callable[[TableFile], tuple[str, Mapping[str, int]]]


Report = Callable[..., None]
"""Says that a line cannot be used: (line, message, *what is allowed)."""


def hexadecimal(code: int, length: int) -> str:
    """A code in as many digits as its bytes have."""
    return f"{code:0{2 * length}X}"


def parse_code(word: str) -> tuple[int, int] | None:
    """A code of one to three bytes in hexadecimal, and how many; None where it is none."""
    digits = word.upper().removeprefix("0X")
    if re.fullmatch(r"(?:[0-9A-F]{2}){1,3}", digits):
        return int(digits, 16), len(digits) // 2
    return None


def parse_scalar(word: str) -> str | None:
    """A Unicode scalar in hexadecimal, with U+ or without; None where it is none."""
    digits = word.upper().removeprefix("U+").removeprefix("0X")
    if not re.fullmatch(r"[0-9A-F]{2,6}", digits):
        return None
    point = int(digits, 16)
    return chr(point) if point <= 0x10FFFF and not 0xD800 <= point < 0xE000 else None


def is_selector(character: str) -> bool:
    """Whether a character is a variation selector."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


Taken = Callable[[int, int], str | None]
"""(code, bytes) -> why it may not be defined, after the words `code 41A1`; None where it may."""


_NEWER = (*range(0x2EBF0, 0x2EE5E), *range(0x31350, 0x3347A), 0x1B132, 0x1B155)
"""Kanji and kana that Unicode assigned after the version that Python 3.11 knows."""


def is_assigned(character: str) -> bool:
    """Whether Unicode has a character, a private-use one counted and a control character not."""
    point = ord(character)
    return point != 0xFFFD and (unicodedata.category(character) not in ("Cc", "Cn", "Cs") or point in _NEWER)


def _takes(base: str, selector: str) -> bool:
    """Whether a selector may follow: those of kanji only a unified ideograph, the others no letter of another script."""
    known = unicodedata.name(base, "").startswith("CJK ") and not unicodedata.decomposition(base)
    kanji = known or ord(base) in _NEWER
    if selector >= "\U000e0100":
        return kanji
    return kanji or unicodedata.category(base) in ("So", "Sm", "Po")


def check(table: TableFile, *, taken: Taken | None = None) -> list[Problem]:
    """Find what is wrong with a table.

    Args:
        table: as read.
        taken: why a code may not be defined.

    Returns:
        A code defined twice for one direction, a code of a taken area, a text of unassigned, control or too many scalars,
        a variation selector after what has no variants. Private-use characters are texts: a site may have its own.
    """
    problems: list[Problem] = []
    lines: dict[tuple[int, int], int] = {}

    def wrong(row: Mapped, code: str, message: str) -> None:
        problems.append(Problem(code, Position(table.name, max(row.line, 1)), message))

    for row in table.mappings:
        code = hexadecimal(row.code, row.length)
        if row.direction != Direction.FROM_UNICODE:
            key = (row.code, row.length)
            if key in lines:
                wrong(row, "L911", f"code {code} stands already on line {lines[key]}")
            lines.setdefault(key, row.line)
            reason = taken(row.code, row.length) if taken is not None else None
            if reason is not None:
                wrong(row, "L912", f"code {code} {reason}")
        bad = [c for c in row.text if not is_assigned(c)]
        if bad:
            wrong(row, "L913", f"code {code}: U+{ord(bad[0]):04X} is a control character, or not assigned")
        elif not row.text or len(row.text) > MAX_SCALARS:
            wrong(
                row,
                "L913",
                f"code {code}: a text of {len(row.text)} scalars, where 1 to {MAX_SCALARS} make a character",
            )
        elif len(row.text.encode()) > MAX_TEXT:
            wrong(row, "L913", f"code {code}: a text of more than {MAX_TEXT} bytes of UTF-8")
        elif is_selector(row.text[0]) or any(map(is_selector, row.text[1:-1])):
            wrong(row, "L913", f"code {code}: a variation selector stands before the end of its character")
        elif is_selector(row.text[-1]) and not _takes(row.text[-2], row.text[-1]):
            wrong(row, "L913", f"code {code}: a variation selector after a character that has no variants")
    return problems
