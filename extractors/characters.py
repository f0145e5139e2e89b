"""Characters of a mainframe code: what a charset is, and the tables that decode and encode it.

A charset has a single-byte and a double-byte table and shift codes between them. Every byte and every pair of bytes
decodes to something: a character of a class, or U+FFFD of class UNDEFINED, so that no text ever raises.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from migration_reports.findings import Position, Problem, SpecError

REPLACEMENT = 0xFFFD
SPACE = 0x20
IDEOGRAPHIC_SPACE = 0x3000
MAX_TABLE_BYTES = 4_000_000


class CharacterClass(enum.IntEnum):
    """What a code is within its charset.

    A VARIANT reads as the usual character and loses its form: counted, but no finding. Any other is one, but STANDARD.
    """

    STANDARD = 0
    UNDEFINED = 1
    USER_DEFINED = 2
    EXTENDED = 3
    LOW_VALUE = 4
    CONTROL = 5
    VARIANT = 6


class ShiftAction(enum.IntEnum):
    """What a byte at a character boundary does to the state."""

    NONE = 0
    TO_DOUBLE = 1
    TO_SINGLE = 2
    PREFIX = 3


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Charset:
    """One vendor's code; two are the same only where they are one object.

    Attributes:
        name: its name in the charsets family.
        single: (256,) uint32, class << 24 | code point of each single byte.
        double: (65536,) uint32, the same for each pair of bytes.
        shifts: the `ShiftAction` of each shift byte; they act at character boundaries only. A PREFIX begins a shift
            code of two bytes: `to_double` or `to_single`.
        to_double: the shift code written before double-byte text, of one byte or two.
        to_single: the shift code written after it.
        double_space: the code of the ideographic space that is written.
        ascii: whether digits and space are those of ASCII.
    """

    name: str
    single: np.ndarray
    double: np.ndarray
    shifts: Mapping[int, ShiftAction]
    to_double: int
    to_single: int
    double_space: int = 0x4040
    ascii: bool = False

    @property
    def blank(self) -> int:
        """The byte of a single-byte space."""
        return 0x20 if self.ascii else 0x40


@dataclasses.dataclass(frozen=True, slots=True)
class CharsetFamily:
    """One charset as the registry knows it: how it is made, and which options it takes.

    `make` gets the options and the folder that a table file's path is relative to.
    """

    name: str
    title: str
    options: Mapping[str, str]
    make: Callable[[Mapping[str, str], Path], Charset]


def entry(character: int, kind: CharacterClass = CharacterClass.STANDARD) -> int:
    """Make a table entry."""
    return int(kind) << 24 | character


def undefined(size: int) -> np.ndarray:
    """Make a table in which no code is assigned."""
    return np.full(size, entry(REPLACEMENT, CharacterClass.UNDEFINED), np.uint32)


def single_byte_table(text: str) -> np.ndarray:
    """Make a single-byte table from the 256 characters of a codec's decoding.

    Control characters are of class CONTROL, X'00' reads as a space of class LOW_VALUE, U+FFFD is not assigned.
    """
    table = undefined(256)
    for byte, character in enumerate(text):
        code_point = ord(character)
        if code_point == REPLACEMENT:
            continue
        kind = CharacterClass.CONTROL if unicodedata.category(character) == "Cc" else CharacterClass.STANDARD
        table[byte] = entry(code_point, kind)
    table[0] = entry(SPACE, CharacterClass.LOW_VALUE)
    return table


def user_defined_area(table: np.ndarray, *, lead: range, low: range, first: int = 0xE000) -> None:
    """Fill a user-defined area: consecutive private-use code points from `first`, row by row."""
    for row, high in enumerate(lead):
        for cell, byte in enumerate(low):
            table[high << 8 | byte] = entry(first + row * len(low) + cell, CharacterClass.USER_DEFINED)


def read_table_file(path: Path, *, name: str, allowed: range) -> Mapping[int, int]:
    """Read a table file: a double-byte code and its Unicode scalar value a line, as ``6EA4,9AD9``.

    A comma, tab or spaces separate the two; ``U+`` before the scalar, a header line and ``#`` comments are accepted.

    Args:
        path: the file.
        name: how messages call it.
        allowed: the codes that the table may define.

    Returns:
        Unicode scalar value by code.

    Raises:
        SpecError: with every line that cannot be used.
    """
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise SpecError([Problem("L901", Position(name), f"the table file is larger than {MAX_TABLE_BYTES:,} bytes")])
    problems: list[Problem] = []
    found: dict[int, int] = {}
    first_line: dict[int, int] = {}

    def problem(line: int, message: str, *allowed_here: str) -> None:
        problems.append(Problem("L902", Position(name, line), message, allowed_here))

    for number, text in enumerate(path.read_text("utf-8-sig", errors="replace").splitlines(), 1):
        words = text.split("#", 1)[0].replace(",", " ").split()
        if not words or (number == 1 and not _is_hex(words[0])):
            continue
        if len(words) < 2 or not (_is_hex(words[0]) and _is_hex(words[1].upper().removeprefix("U+"))):
            problem(number, "not a code and a Unicode scalar value", "four hexadecimal digits, a comma, a scalar value")
            continue
        code, scalar = int(words[0], 16), int(words[1].upper().removeprefix("U+"), 16)
        if code not in allowed:
            problem(
                number,
                f"code {code:04X} is outside the area that a table file may define",
                f"{allowed.start:04X} to {allowed.stop - 1:04X}",
            )
        elif code in found:
            problem(number, f"code {code:04X} stands already on line {first_line[code]}")
        elif scalar > 0x10FFFF or 0xD800 <= scalar <= 0xDFFF or unicodedata.category(chr(scalar)) in ("Cc", "Cn"):
            problem(number, f"U+{scalar:04X} is not an assigned Unicode character")
        else:
            found[code] = scalar
            first_line[code] = number
    if problems:
        raise SpecError(problems)
    return MappingProxyType(found)


def _is_hex(word: str) -> bool:
    return 0 < len(word) <= 6 and all(c in "0123456789abcdefABCDEF" for c in word)


@dataclasses.dataclass(frozen=True, slots=True)
class DecodeTables:
    """A charset in the form that the text kernel reads.

    `single` and `double` hold, for each code, the UTF-8 bytes in the low 24 bits (of a four-byte sequence the last
    three: the first is always F0 below U+40000), the number of bytes in bits 24 to 26 and the class in bits 27 to 29.
    `shifts` is the action of each byte at a character boundary.
    """

    single: np.ndarray
    double: np.ndarray
    shifts: np.ndarray


def _utf8_entries(table: np.ndarray) -> np.ndarray:
    point = (table & 0xFFFFFF).astype(np.uint32)
    kind = table >> 24
    low6 = np.uint32(0x3F)
    one = point
    two = (0xC0 | point >> 6) | (0x80 | point & low6) << 8
    three = (0xE0 | point >> 12) | (0x80 | point >> 6 & low6) << 8 | (0x80 | point & low6) << 16
    four = (0x80 | point >> 12 & low6) | (0x80 | point >> 6 & low6) << 8 | (0x80 | point & low6) << 16
    size = 1 + (point >= 0x80).astype(np.uint32) + (point >= 0x800) + (point >= 0x10000)
    data = np.select([size == 1, size == 2, size == 3], [one, two, three], four)
    kind = np.where((size == 4) & (kind == 0), np.uint32(7), kind)
    return np.ascontiguousarray(data | size << 24 | kind << 27).astype(np.uint32)


@functools.lru_cache(maxsize=16)
def decode_tables(charset: Charset, *, shifted: bool) -> DecodeTables:
    """Bring a charset into the kernel's form; without `shifted` no byte is a shift code."""
    single, double = _utf8_entries(charset.single), _utf8_entries(charset.double)
    shifts = np.zeros(256, np.uint8)
    if shifted:
        for byte, action in charset.shifts.items():
            shifts[byte] = action
            single[byte] |= np.uint32(action << 30)
            double[byte << 8 : (byte + 1) << 8] |= np.uint32(action << 30)
    return DecodeTables(single, double, shifts)


@functools.lru_cache(maxsize=16)
def encode_table(charset: Charset) -> np.ndarray:
    """The inverse of a charset: (0x110000,) uint32, 1 << 24 | byte, 2 << 24 | pair, or 0 where nothing encodes it.

    A character with a single byte takes it; of several pairs the first assigned one is canonical, but for the
    ideographic space, which is the charset's own choice.
    """
    table = np.zeros(0x110000, np.uint32)
    kinds = charset.double >> 24
    for kind in (CharacterClass.VARIANT, CharacterClass.EXTENDED, CharacterClass.USER_DEFINED, CharacterClass.STANDARD):
        codes = np.nonzero(kinds == kind)[0][::-1].astype(np.uint32)
        table[charset.double[codes] & 0xFFFFFF] = 2 << 24 | codes
    table[IDEOGRAPHIC_SPACE] = 2 << 24 | charset.double_space
    singles = np.nonzero(charset.single >> 24 == CharacterClass.STANDARD)[0][::-1].astype(np.uint32)
    table[charset.single[singles] & 0xFFFFFF] = 1 << 24 | singles
    return table


def pairs(lead: Iterable[int], low: Iterable[int]) -> Iterable[tuple[int, bytes]]:
    """Every pair of bytes of an area, as code and bytes."""
    lows = tuple(low)
    for high in lead:
        for byte in lows:
            yield high << 8 | byte, bytes((high, byte))
