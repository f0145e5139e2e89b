"""Characters of a mainframe code: what a charset is.

A charset has a table of single bytes, a table of pairs, and what changes between the two: shift codes, or bytes that
begin a pair. Every byte and every pair of bytes decodes to something: a character or a sequence of them, of a class, or
U+FFFD of class UNDEFINED, so that no text ever raises.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from extractors.charsets._gaiji import Decision
from extractors.options import Options

REPLACEMENT = 0xFFFD
SPACE = 0x20
IDEOGRAPHIC_SPACE = 0x3000
FIRST_SEQUENCE = 0x110000
"""In a table, n and above stands for the sequence n - FIRST_SEQUENCE of the charset rather than for one scalar."""

THIRD = 0x8F0000
"""Added to the code of a pair that a third byte stands before, such as X'8F' in EUC-JP."""

SINGLE = 0xFF0000
"""Added to a single byte where codes of several lengths stand together: byte 41 is no pair 0041."""

UNICODE = 0x200000
"""Added to the scalars of UTF-16 fields among those of another charset, whose codes they are not."""

SECOND_PLANE = 0x10000
"""Where the pairs with a third byte before them begin in `Charset.double`."""


class CharacterClass(enum.IntEnum):
    """What a code is within its charset.

    Every class but STANDARD is counted in the gaiji ledger or a finding. A VARIANT reads as the usual character and
    loses its form; a DECIDED code reads as the municipality's gaiji table says: neither is a finding.
    """

    STANDARD = 0
    UNDEFINED = 1
    USER_DEFINED = 2
    EXTENDED = 3
    LOW_VALUE = 4
    CONTROL = 5
    VARIANT = 6
    DECIDED = 7


@dataclasses.dataclass(frozen=True, slots=True)
class Shift:
    """A shift code of one to four bytes, and whether double-byte text follows it.

    In that text the codes of `moved` read as the codes that they became in a later edition of the standard.
    """

    code: bytes
    double: bool
    moved: Mapping[int, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Area:
    """A part of the double-byte plane: rows `lead` of cells `low`, what it is for, and where its table is from."""

    name: str
    lead: Collection[int]
    low: Collection[int]
    kind: CharacterClass
    source: str

    def __contains__(self, code: int) -> bool:
        return code >> 8 in self.lead and code & 0xFF in self.low


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Charset:
    """One vendor's code; two are the same only where they are one object.

    Attributes:
        name: its name in the charsets family.
        single: (256,) uint32, class << 24 | character of each single byte; a character is a Unicode scalar or, from
            FIRST_SEQUENCE on, a sequence.
        double: (65536,) uint32, the same for each pair of bytes; (131072,) where a third byte may stand before it;
            (1114112,) for each scalar, where the text is Unicode.
        shifts: shift codes; they act at character boundaries only. The first of each direction is the one written.
        leads: the bytes that begin a character of two or three bytes without a shift code, and how many.
        sequences: texts of several scalars that one code stands for.
        decode_only: the pairs that are read but never written, for another code is written for their character.
        double_space: the code of the ideographic space that is written; None: it has no code.
        ascii: whether digits and space are those of ASCII.
        usage: the usage that reads all of its text, where that is Unicode (UTF-8, UTF-16).
        keep_wide_spaces: whether trailing ideographic spaces are text rather than padding.
        compose: whether half-width kana become full-width ones with their marks composed.
        areas: the parts of the double-byte plane.
        policies: what was chosen, policy by policy, for the report.
        repertoire: what the target can hold: a code whose text it cannot is of class EXTENDED.
        decisions: what the municipality decided about its gaiji, by code.
        notes: what whoever reads the report must know of it, such as characters that merge.
        beside: the charsets of fields that have another, by data name.
    """

    name: str
    single: np.ndarray
    double: np.ndarray
    shifts: tuple[Shift, ...] = ()
    leads: Mapping[int, int] = dataclasses.field(default_factory=dict)
    sequences: tuple[str, ...] = ()
    decode_only: frozenset[int] = frozenset()
    double_space: int | None = 0x4040
    ascii: bool = False
    usage: str | None = None
    keep_wide_spaces: bool = False
    compose: bool = False
    areas: tuple[Area, ...] = ()
    policies: Mapping[str, str] = dataclasses.field(default_factory=dict)
    repertoire: str = "any"
    decisions: Mapping[int, Decision] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    beside: Mapping[str, Charset] = dataclasses.field(default_factory=dict)

    @property
    def blank(self) -> int:
        """The byte of a single-byte space."""
        return 0x20 if self.ascii else 0x40

    @property
    def opening(self) -> bytes:
        """The shift code written before double-byte text; empty where there is none."""
        return next((shift.code for shift in self.shifts if shift.double), b"")

    @property
    def closing(self) -> bytes:
        """The shift code written after it."""
        return next((shift.code for shift in self.shifts if not shift.double), b"")

    @property
    def delimits(self) -> bool:
        """Whether a separator of ASCII is never a part of another character, so that rows can be cut into cells."""
        return self.ascii and not self.shifts and self.usage != "utf16"

    def text(self, code: int, *, single: bool = False) -> str:
        """What a code reads as; a single byte where it is told of, or is SINGLE + the byte."""
        return self.character(self._entry(code, single=single) & 0xFFFFFF)

    def kind(self, code: int, *, single: bool = False) -> CharacterClass:
        """The class of a code."""
        return CharacterClass(self._entry(code, single=single) >> 24)

    def _entry(self, code: int, *, single: bool) -> int:
        if single or code >= SINGLE:
            return int(self.single[code & 0xFF])
        if UNICODE <= code < THIRD:
            return entry(code - UNICODE)
        index = index_of(code)
        return int(self.double[index]) if index < len(self.double) else entry(REPLACEMENT, CharacterClass.UNDEFINED)

    def character(self, number: int) -> str:
        """The text of a table's character number."""
        return chr(number) if number < FIRST_SEQUENCE else self.sequences[number - FIRST_SEQUENCE]

    def area_of(self, code: int) -> Area | None:
        """The part of the double-byte plane that a code stands in."""
        return next((area for area in self.areas if code in area), None)


@dataclasses.dataclass(frozen=True, slots=True)
class CharsetFamily:
    """One charset as the registry knows it: how it is made, and which options it takes.

    `make` gets the options and the folder that a table file's path is relative to. `profiles` are the options under
    which it is described in the reference, by title.
    """

    name: str
    title: str
    options: Mapping[str, str]
    make: Callable[[Options, Path], Charset]
    profiles: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)


def index_of(code: int) -> int:
    """Where a code of two or three bytes stands in `Charset.double`."""
    return code - THIRD + SECOND_PLANE if code >= THIRD else code


def hexadecimal(code: int) -> str:
    """A code as people write it: 81 (SINGLE + 81), B0A1, 8FA1A1, U+E000 (UNICODE + E000)."""
    if UNICODE <= code < THIRD:
        return f"U+{code - UNICODE:04X}"
    return f"{code - SINGLE:02X}" if code >= SINGLE else f"{code:04X}"


def scalars(text: str) -> str:
    """The code points of a text: U+8FBB U+E0102."""
    return " ".join(f"U+{ord(character):04X}" for character in text)


def entry(character: int, kind: CharacterClass = CharacterClass.STANDARD) -> int:
    """Make a table entry."""
    return int(kind) << 24 | character


def undefined(size: int) -> np.ndarray:
    """Make a table in which no code is assigned."""
    return np.full(size, entry(REPLACEMENT, CharacterClass.UNDEFINED), np.uint32)


def single_byte_table(text: str) -> np.ndarray:
    """Make a single-byte table from the characters of all 256 bytes.

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


def assign(table: np.ndarray, codes: Mapping[int, str], kind: CharacterClass = CharacterClass.STANDARD) -> None:
    """Enter single characters."""
    for code, character in codes.items():
        table[code] = entry(ord(character), kind)


def user_defined_area(table: np.ndarray, areas: Iterable[Area], first: int) -> None:
    """Fill user-defined areas, one after the other: consecutive private-use code points from `first`, row by row."""
    point = first
    for area in areas:
        for high in area.lead:
            for byte in area.low:
                table[high << 8 | byte] = entry(point, CharacterClass.USER_DEFINED)
                point += 1


def spaces(table: np.ndarray, *codes: int) -> None:
    """Enter the codes of the ideographic space, and X'0000', which reads as one but is LOW-VALUES."""
    for code in codes:
        table[code] = entry(IDEOGRAPHIC_SPACE)
    table[0] = entry(IDEOGRAPHIC_SPACE, CharacterClass.LOW_VALUE)


def composed(column: pa.Array) -> pa.Array:
    """Texts with each full-width kana and the half-width sound mark behind it as one kana, and a mark alone widened."""
    texts = pl.Series(column).str.replace_many(list(_compositions()), list(_compositions().values()), leftmost=True)
    return texts.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())


@functools.cache
def _compositions() -> dict[str, str]:
    """What stands for a kana and a mark, where there is one kana; and for a mark alone."""
    kana = [chr(point) for point in range(0x30A1, 0x30FB)]
    marks = {"\uff9e": "\u3099", "\uff9f": "\u309a"}
    made = {k + half: unicodedata.normalize("NFC", k + mark) for k in kana for half, mark in marks.items()}
    return {pair: one for pair, one in made.items() if len(one) == 1} | {"\uff9e": "\u309b", "\uff9f": "\u309c"}
