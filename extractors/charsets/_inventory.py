"""What a charset holds, counted: its areas, its codes by class, and the codes that are not written back as themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

import numpy as np

from extractors.charsets._character_tables import encode_tables, one_way
from extractors.charsets.contract import FIRST_SEQUENCE, SECOND_PLANE, Area, CharacterClass, Charset, hexadecimal

ASSIGNED = (CharacterClass.STANDARD, CharacterClass.EXTENDED, CharacterClass.VARIANT, CharacterClass.DECIDED)


@dataclasses.dataclass(frozen=True, slots=True)
class AreaCount:
    """An area: where it lies, and how many of its codes are of which class. `area` None: outside every area."""

    area: Area | None
    codes: int
    classes: Mapping[CharacterClass, int]

    @property
    def assigned(self) -> int:
        """Codes that read as a character of Unicode that is no private-use one."""
        return sum(self.classes.get(kind, 0) for kind in ASSIGNED)


@dataclasses.dataclass(frozen=True, slots=True)
class Inventory:
    """A charset counted.

    Attributes:
        single: its single bytes by class.
        double: its pairs (and characters of three bytes) by class.
        areas: the parts of the double-byte plane; a code counts in the first area that it stands in.
        one_way: code -> the code that is written for its character.
        narrow: the pairs whose character a single byte writes in text of both, each with that byte.
    """

    single: Mapping[CharacterClass, int]
    double: Mapping[CharacterClass, int]
    areas: tuple[AreaCount, ...]
    one_way: Mapping[str, str]
    narrow: Mapping[str, str]


def take_inventory(charset: Charset) -> Inventory:
    """Count a charset's codes. Those of Unicode are its scalars: they lie in no areas, and each is written as itself."""
    if charset.usage is not None:
        return Inventory(_classes(charset.single >> 24), _classes(charset.double >> 24), (), {}, {})
    kinds = charset.double[:SECOND_PLANE] >> 24
    codes = np.arange(SECOND_PLANE)
    left = np.ones(SECOND_PLANE, bool)
    counts = []
    for area in charset.areas:
        inside = left & np.isin(codes >> 8, list(area.lead)) & np.isin(codes & 0xFF, list(area.low))
        left &= ~inside
        counts.append(AreaCount(area, int(inside.sum()), _classes(kinds[inside])))
    elsewhere = left & (kinds != CharacterClass.UNDEFINED)
    if elsewhere.any():
        counts.append(AreaCount(None, int(elsewhere.sum()), _classes(kinds[elsewhere])))
    tables = encode_tables(charset)
    codes = np.flatnonzero(charset.double >> 24 == CharacterClass.STANDARD)
    codes = codes[charset.double[codes] & 0xFFFFFF < FIRST_SEQUENCE]
    bytes_of = tables.single[charset.double[codes] & 0xFFFFFF]
    return Inventory(
        _classes(charset.single >> 24),
        _classes(charset.double >> 24),
        tuple(counts),
        {_code(code): _code(written) for code, written in one_way(charset).items()},
        {_code(int(code)): f"{byte & 0xFF:02X}" for code, byte in zip(codes, bytes_of.tolist(), strict=True) if byte},
    )


def span(values: Collection[int]) -> str:
    """Bytes as people write them: 41 to 70, or a list of such."""
    ordered = sorted(values)
    parts: list[list[int]] = []
    for value in ordered:
        if parts and value == parts[-1][1] + 1:
            parts[-1][1] = value
        else:
            parts.append([value, value])
    words = [f"{first:02X}" if first == last else f"{first:02X} to {last:02X}" for first, last in parts]
    return ", ".join(words)


def spans(pairs: Mapping[str, str]) -> list[str]:
    """Codes, each with what is written for it, as people write them: runs of both together (A1A1 to A1A3 as 41 to 43)."""
    runs: list[list[tuple[str, str]]] = []
    for code, written in sorted(pairs.items(), key=lambda pair: int(pair[0], 16)):
        last = runs[-1][-1] if runs else ("", "")
        if runs and all(int(new, 16) == int(old, 16) + 1 for new, old in zip((code, written), last, strict=True)):
            runs[-1].append((code, written))
        else:
            runs.append([(code, written)])
    return [
        f"{run[0][0]} as {run[0][1]}"
        if len(run) == 1
        else f"{run[0][0]} to {run[-1][0]} as {run[0][1]} to {run[-1][1]}"
        for run in runs
    ]


def _code(index: int) -> str:
    return f"8F{index - SECOND_PLANE:04X}" if index >= SECOND_PLANE else hexadecimal(index)


def _classes(kinds: np.ndarray) -> Mapping[CharacterClass, int]:
    values, counts = np.unique(kinds, return_counts=True)
    return {CharacterClass(int(value)): int(count) for value, count in zip(values, counts, strict=True)}
