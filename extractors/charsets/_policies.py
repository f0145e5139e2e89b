"""What a manifest may decide about a charset's characters, whoever made the charset; each with a sane default.

Names are never passed through NFC or NFKC: that would merge characters that are different people's names.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from extractors import table_files
from extractors.charsets import _gaiji as gaiji
from extractors.charsets import contract as characters
from extractors.charsets._repertoire import read as read_repertoire
from extractors.charsets.contract import (
    FIRST_SEQUENCE,
    REPLACEMENT,
    SPACE,
    Area,
    CharacterClass,
    Charset,
    index_of,
)
from extractors.options import Options, gathered
from extractors.table_files.contract import Direction, Taken, hexadecimal, is_selector
from migration_reports.findings import Position, Problem, SpecError

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "table": "table file of codes that the charset leaves open; several with commas between (none)",
        "gaiji": "the municipality's gaiji table, with what was decided about each code (none)",
        "mj": "MJ character data (文字情報基盤), for gaiji decided as an MJ name (none)",
        "user_defined": "code point of the first user-defined code, hexadecimal (E000)",
        "symbols": (
            "wave dash and its relatives, of the charset's own codes: jis (301C 2212 2016 2014 00A2 00A3 00AC 00A6) or ms "
            "(FF5E FF0D 2225 2015 FFE0 FFE1 FFE2 FFE4); nothing changes where it has codes for both (jis)"
        ),
        "selectors": "variation selectors that a table file gives: keep or drop, which merges characters (keep)",
        "kana": "half-width kana: kept, widened, or composed (widened, with sound marks composed) (kept)",
        "wide_spaces": "ideographic spaces at a field's end: trimmed or kept (trimmed)",
        "controls": "control characters: kept or space; a finding either way (kept)",
        "repertoire": (
            "what the target can hold: any, jis_x_0208, jis_x_0213, or a file of its characters; any other character is a "
            "finding and in the gaiji ledger (any)"
        ),
    }
)

MS_SYMBOLS = {
    0x2014: 0x2015,
    0x301C: 0xFF5E,
    0x2016: 0x2225,
    0x2212: 0xFF0D,
    0x00A2: 0xFFE0,
    0x00A3: 0xFFE1,
    0x00AC: 0xFFE2,
    0x00A6: 0xFFE4,
}
"""What Windows, the JDK and NEC's converter make of the symbols that JIS X 0208 and Unicode name differently."""

_DAKUTEN, _HANDAKUTEN = 0xFF9E, 0xFF9F
_LARGEST_PRIVATE = 0xF8FF


def private_area(options: Options, size: int, *, usual: str = "E000") -> int:
    """The code point of the first user-defined code.

    Args:
        options: `user_defined`, hexadecimal.
        size: how many codes the charset has there.
        usual: what it is where the option is not given.

    It is refused where it is no number, or the codes would leave the private use areas of Unicode.
    """
    text = options.get("user_defined", usual).upper().removeprefix("U+")
    first = int(text, 16) if re.fullmatch("[0-9A-F]{1,6}", text) else -1
    areas = ((0xE000, _LARGEST_PRIVATE), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
    if any(low <= first and first + size - 1 <= high for low, high in areas):
        return first
    message = f"user_defined: {size:,} codes from U+{text[:12]} are not in a private use area of Unicode"
    options.refuse(message, ("E000", "F0000", "100000"))
    return int(usual, 16)


def settle(charset: Charset, options: Options, folder: Path) -> Charset:
    """Apply what was decided to a charset as its vendor has it.

    Args:
        charset: with its built-in tables; its user-defined area filled from `private_area`.
        options: those of `OPTIONS` that were given.
        folder: what the paths of table files are relative to.

    Raises:
        SpecError: with every problem of a file.
    """
    # Files are judged against the charset's own codes, which an option that was refused may have made others.
    sure = not options.problems
    forms = ("jis", "ms") if charset.usage is None else ("kept", "jis", "ms")
    said = {
        "symbols": options.choice("symbols", forms[0], forms),
        "selectors": options.choice("selectors", "keep", ("keep", "drop")),
        "kana": options.choice("kana", "kept", ("kept", "widened", "composed")),
        "wide_spaces": options.choice("wide_spaces", "trimmed", ("trimmed", "kept")),
        "controls": options.choice("controls", "kept", ("kept", "space")),
    }
    made = _Tables(charset)
    problems: list[Problem] = []
    notes = list(charset.notes)
    # Before the table files: what a site's own file says is left as it says it.
    made.symbols(said["symbols"])
    for file in filter(None, (word.strip() for word in options.get("table", "").split(",") if sure)):
        problems.extend(made.layer(file, folder, drop_selectors=said["selectors"] == "drop"))
    decisions: Mapping[int, gaiji.Decision] = {}
    if "gaiji" in options and sure:
        try:
            mj = gaiji.read_mj_data(folder, options["mj"]) if "mj" in options else {}
            decisions = gaiji.read(folder / options["gaiji"], name=options["gaiji"], mj=mj)
            problems.extend(made.decide(decisions, options["gaiji"]))
        except SpecError as error:
            problems.extend(error.problems)
    repertoire = options.get("repertoire", "any")
    held = gathered(problems, lambda: read_repertoire(repertoire, folder, MS_SYMBOLS)) if repertoire != "any" else None
    if problems:
        raise SpecError(problems)
    if said["kana"] != "kept":
        made.widen(marks=said["kana"] == "widened")
    if said["controls"] == "space":
        for table in (made.single, made.double):
            table[table >> 24 == CharacterClass.CONTROL] = characters.entry(SPACE, CharacterClass.CONTROL)
    if held is not None:
        if charset.usage is None:
            beyond = made.limit(held)
            notes.append(
                f"{beyond:,} of the codes that are assigned read as a character beyond the repertoire {repertoire}"
            )
        else:
            # A scalar is judged alone, so one that the target holds in a sequence only is held.
            made.limit(held.union(*held))
    shared, dropped = made.merged()
    if shared:
        notes.append(f"{shared:,} codes of table files read as a character that another code reads as, too")
    if dropped:
        notes.append(
            f"{dropped:,} characters merge with another one, for the variation selectors of table files are dropped"
        )
    return dataclasses.replace(
        charset,
        single=made.single,
        double=made.double,
        sequences=tuple(made.sequences),
        decode_only=charset.decode_only | made.decode_only,
        decisions=decisions,
        keep_wide_spaces=said["wide_spaces"] == "kept",
        compose=said["kana"] == "composed",
        repertoire=repertoire,
        policies=MappingProxyType(
            {**charset.policies, **said, "repertoire": repertoire, **_private(charset), **_named(options)}
        ),
        notes=tuple(notes),
    )


class _Tables:
    """The tables of a charset while they are changed."""

    def __init__(self, charset: Charset) -> None:
        self.charset = charset
        self.single, self.double = charset.single.copy(), charset.double.copy()
        self.sequences = list(charset.sequences)
        self._numbers = {text: FIRST_SEQUENCE + n for n, text in enumerate(self.sequences)}
        self._layered: dict[int, str] = {}
        self._defined: dict[tuple[int, int], Position] = {}
        self.decode_only: set[int] = set()

    def number(self, text: str) -> int:
        """The character number of a text."""
        if len(text) == 1:
            return ord(text)
        if text not in self._numbers:
            self._numbers[text] = FIRST_SEQUENCE + len(self.sequences)
            self.sequences.append(text)
        return self._numbers[text]

    def layer(self, file: str, folder: Path, *, drop_selectors: bool) -> list[Problem]:
        """Enter a table file over the codes that the charset leaves open."""
        taken = taken_by(self.charset)
        try:
            table = table_files.read(folder / file, name=file, taken=taken)
        except SpecError as error:
            return list(error.problems)
        problems = []
        for row in table.mappings:
            if row.direction == Direction.FROM_UNICODE:
                continue
            here = Position(file, row.line)
            before = self._defined.setdefault((row.code, row.length), here)
            if before is not here:
                code = hexadecimal(row.code, row.length)
                problems.append(
                    Problem("L911", here, f"code {code} stands already on line {before.line} of {before.file}")
                )
                continue
            text = "".join(c for c in row.text if not is_selector(c)) if drop_selectors else row.text
            if row.length == 1:
                self.single[row.code] = characters.entry(self.number(text))
                continue
            index = index_of(row.code)
            private = all(unicodedata.category(character) == "Co" for character in text)
            kind = CharacterClass.USER_DEFINED if private else CharacterClass.EXTENDED
            self.double[index] = characters.entry(self.number(text), kind)
            self._layered[index] = row.text
            if row.direction == Direction.TO_UNICODE:
                self.decode_only.add(index)
        return problems

    def symbols(self, profile: str) -> None:
        """Read the symbols by one profile, whoever made the charset, where it has one form of them only.

        Unicode has both, and reads both as one where a profile is asked for.
        """
        if profile == "kept":
            return
        points = self.double & 0xFFFFFF
        for jis_form, ms_form in MS_SYMBOLS.items():
            forms = (points == jis_form, points == ms_form)
            at, wanted = (forms[0], ms_form) if profile == "ms" else (forms[1], jis_form)
            if self.charset.usage is not None or not all(form.any() for form in forms):
                self.double[at] = self.double[at] & ~np.uint32(0xFFFFFF) | np.uint32(wanted)

    def decide(self, decisions: Mapping[int, gaiji.Decision], file: str) -> list[Problem]:
        """Enter what the municipality decided about its gaiji."""
        problems = []
        for code, decision in decisions.items():
            index = index_of(code)
            kind = CharacterClass(int(self.double[index]) >> 24) if index < len(self.double) else None
            lost = code == REPLACEMENT and self.charset.usage is not None
            standard = kind in (None, CharacterClass.STANDARD, CharacterClass.LOW_VALUE, CharacterClass.CONTROL)
            if standard or lost:
                message = f"code {code:04X} is no gaiji of charset {self.charset.name}: it stands in its standard area"
                problems.append(Problem("L931", Position(file, decision.line), message))
                continue
            if kind == CharacterClass.UNDEFINED and not decision.text:
                message = f"code {code:04X} is undefined: it has no private-use character to stay"
                hint = "decide on a character, or define the code in a table file"
                problems.append(
                    Problem("L931", Position(file, decision.line), message, ("character", "mj", "substitute"), hint)
                )
                continue
            text = decision.text or self.charset_text(index)
            self.double[index] = characters.entry(self.number(text), CharacterClass.DECIDED)
        return problems

    def charset_text(self, index: int) -> str:
        """What a code reads as so far."""
        number = int(self.double[index]) & 0xFFFFFF
        return chr(number) if number < FIRST_SEQUENCE else self.sequences[number - FIRST_SEQUENCE]

    def limit(self, repertoire: frozenset[str]) -> int:
        """Make every code whose text the target cannot hold one of class EXTENDED; gives how many there are."""
        judged = [CharacterClass.STANDARD, CharacterClass.VARIANT, CharacterClass.DECIDED, CharacterClass.EXTENDED]
        held = np.zeros(FIRST_SEQUENCE + len(self.sequences), bool)
        held[[ord(text) for text in repertoire if len(text) == 1]] = True
        held[FIRST_SEQUENCE:] = [text in repertoire or repertoire.issuperset(text) for text in self.sequences]
        beyond = 0
        for table in (self.single, self.double):
            out = np.isin(table >> 24, judged) & ~held[table & 0xFFFFFF]
            table[out] = table[out] & 0xFFFFFF | CharacterClass.EXTENDED << 24
            beyond += int(out.sum())
        return beyond

    def widen(self, *, marks: bool) -> None:
        """Read half-width kana as full-width ones; without `marks` theirs stay half-width, to be composed later."""
        wide = {point: ord(unicodedata.normalize("NFKC", chr(point))) for point in range(0xFF61, _DAKUTEN)}
        wide |= {_DAKUTEN: 0x309B, _HANDAKUTEN: 0x309C} if marks else {}
        for table in (self.single, self.double):
            points = table & 0xFFFFFF
            for at in np.flatnonzero(np.isin(points, list(wide))):
                table[at] = table[at] & 0xFF000000 | wide[int(points[at])]

    def merged(self) -> tuple[int, int]:
        """How many codes of table files share their text with another code, and how many texts dropping selectors merges."""
        if not self._layered:
            return 0, 0
        known = np.isin(self.double >> 24, (CharacterClass.UNDEFINED, CharacterClass.LOW_VALUE), invert=True)
        known[list(self._layered)] = False
        others = Counter(self.charset_text(int(index)) for index in np.flatnonzero(known))
        whole = Counter(self._layered.values())
        shared = sum(count for text, count in whole.items() if text in others or count > 1)
        now = {self.charset_text(index) for index in self._layered}
        return shared, len(whole.keys() - others.keys()) - len(now - others.keys())


def _named(options: Mapping[str, str]) -> dict[str, str]:
    """The files that were given: whoever reads the report must know them, too."""
    return {name: options[name] for name in ("table", "gaiji", "mj") if name in options}


def _private(charset: Charset) -> dict[str, str]:
    """The private-use base in force, where the charset has user-defined codes that are given one."""
    own = charset.double[charset.double >> 24 == CharacterClass.USER_DEFINED] & 0xFFFFFF
    return {"user_defined": f"{int(own.min()):04X}"} if len(own) and charset.usage is None else {}


def taken_by(charset: Charset) -> Taken:
    """Tell why a table file may not define a code of how many bytes: it has a character, or no text can hold it."""
    shifts = tuple(shift.code for shift in charset.shifts)
    itself = "stands in an area that the charset defines itself"

    def taken(code: int, length: int) -> str | None:
        data = code.to_bytes(length)
        if data.startswith(shifts):
            return "is read as a shift code"
        size = charset.leads.get(data[0], 1) if charset.leads else length
        if size != length:
            begins = (
                f"byte {data[0]:02X} begins a character of {size}" if size > 1 else f"byte {data[0]:02X} stands alone"
            )
            return f"is in no text of this charset: {begins}"
        kind = charset.kind(code, single=length == 1)
        if length == 1:
            return f"{itself}: single bytes" if kind != CharacterClass.UNDEFINED else None
        if index_of(code) >= len(charset.double):
            return "is in no text of this charset"
        if kind in (CharacterClass.UNDEFINED, CharacterClass.USER_DEFINED, CharacterClass.VARIANT):
            return None
        area = charset.area_of(code)
        return f"{itself}: {area.name if area is not None else 'standard area'}"

    return taken


def areas_size(areas: tuple[Area, ...]) -> int:
    """How many codes some areas have."""
    return sum(len(area.lead) * len(area.low) for area in areas)
