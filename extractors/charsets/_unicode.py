"""Text that is Unicode already: what each scalar reads as, in the form of a charset's table.

The codes of such a charset are scalars, so that the policies of every other charset apply to it, too. Private-use characters
are its gaiji; noncharacters, U+FFFD and planes 4 to 13, which hold nothing, are undefined.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets import contract as characters
from extractors.charsets._code_pages import NONE
from extractors.charsets._policies import OPTIONS as POLICIES
from extractors.charsets.contract import FIRST_SEQUENCE, REPLACEMENT, SPACE, CharacterClass, Charset

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        **{name: POLICIES[name] for name in ("gaiji", "mj", "kana", "wide_spaces", "controls", "repertoire")},
        "symbols": "wave dash and its relatives: kept, or both forms read as that of jis or ms (kept)",
    }
)
"""The policies that make sense where every code is assigned already."""

PRIVATE = ((0xE000, 0xF900), (0xF0000, 0xFFFFE), (0x100000, 0x10FFFE))
_NOTHING = ((0xD800, 0xE000), (0x40000, 0xE0000))
_NONCHARACTERS = (*range(0xFDD0, 0xFDF0), *(plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF)))
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))


@functools.cache
def scalars() -> np.ndarray:
    """Every scalar as itself; what is none, or can hold none, as U+FFFD."""
    table = np.arange(FIRST_SEQUENCE, dtype=np.uint32)
    for first, end in _NOTHING:
        table[first:end] = REPLACEMENT
    table.setflags(write=False)
    return table


def charset(name: str, usage: str, policies: Mapping[str, str]) -> Charset:
    """A charset of Unicode, before its policies."""
    double = scalars().copy()
    double[list(_CONTROLS)] |= CharacterClass.CONTROL << 24
    for first, end in PRIVATE:
        double[first:end] |= CharacterClass.USER_DEFINED << 24
    double[list(_NONCHARACTERS)] = REPLACEMENT
    double[double == REPLACEMENT] = characters.entry(REPLACEMENT, CharacterClass.UNDEFINED)
    double[0] = characters.entry(SPACE, CharacterClass.LOW_VALUE)
    return Charset(
        name=name,
        single=characters.single_byte_table("".join(chr(b) if b < 0x80 else NONE for b in range(256))),
        double=double,
        double_space=None,
        ascii=True,
        usage=usage,
        policies=policies,
    )


@functools.cache
def plain() -> Charset:
    """What UTF-16 fields among those of another charset are read by."""
    return charset("unicode", "utf16", {})


@functools.lru_cache(maxsize=16)
def undecided(charset: Charset) -> Charset:
    """A charset of Unicode that reads every scalar as itself, whatever was decided about it."""
    return dataclasses.replace(charset, double=scalars(), sequences=(), compose=False)


def codes(texts: pa.Array, kinds: np.ndarray, kind: int) -> tuple[np.ndarray, np.ndarray]:
    """The scalars of a class: (index into texts, scalar), in order.

    Args:
        texts: as their bytes have them, read by the `undecided` charset.
        kinds: the class of each scalar.
        kind: the one that is wanted.
    """
    points = np.frombuffer("".join(texts.fill_null("").to_pylist()).encode("utf-32-le"), np.uint32).astype(np.int64)
    rows = np.repeat(np.arange(len(texts)), pc.utf8_length(texts).fill_null(0).to_numpy(zero_copy_only=False))
    wanted = kinds[points] == kind
    return rows[wanted], points[wanted]
