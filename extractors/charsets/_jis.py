"""The standards that the vendors' standard areas are computed from: JIS X 0208 in its editions, 0212 and 0213.

Codes are those of ISO/IEC 2022, both bytes 21 to 7E. Python's `euc_jp` has JIS X 0208:1990 and JIS X 0212:1990,
`iso2022_jp_2004` JIS X 0213:2004. Never is the latter taken for a vendor's rows: it has characters in rows that are the
vendor's own. (`euc_jis_2004` would also read the codes of JIS X 0212 that plane 2 leaves free.)

Symbols are those of the standard (`jis`): 213D U+2014, 2141 U+301C, 2142 U+2016, 215D U+2212, 2171 U+00A2,
2172 U+00A3, 224C U+00AC.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

ROWS = CELLS = range(0x21, 0x7F)

ADDED_1983 = (
    range(0x223A, 0x2242),
    range(0x224A, 0x2251),
    range(0x225C, 0x226B),
    range(0x2272, 0x227A),
    range(0x227E, 0x227F),
    range(0x2821, 0x2841),
    range(0x7421, 0x7425),
)
"""39 symbols of row 2, 32 line elements of row 8, and 堯槇遙瑤 in row 84."""

ADDED_1990 = (range(0x7425, 0x7427),)
"""凜 and 熙."""

GR = 0x8080
"""What a vendor adds to a code of the standard."""


@functools.cache
def x0208(edition: int = 1990) -> Mapping[int, str]:
    """JIS X 0208 (until 1987 JIS C 6226) as its edition of 1978, 1983 or 1990 assigned codes.

    The characters are those that the 1990 edition has at each code; what earlier editions had otherwise is a vendor's
    exception (`exceptions`).
    """
    left_out = (*(ADDED_1983 if edition < 1983 else ()), *(ADDED_1990 if edition < 1990 else ()))
    found = {code: text for code, text in _plane("euc_jp", b"").items() if not any(code in out for out in left_out)}
    found[0x213D] = "\u2014"
    return MappingProxyType(found)


@functools.cache
def moved_since_1978() -> Mapping[int, int]:
    """The codes of JIS C 6226:1978 that became other ones in 1983, each with the code of its character since.

    22 pairs of level 1 and level 2 were exchanged, and 堯槇遙瑤 moved to row 84.
    """
    now = {text: code for code, text in x0208().items()}
    changed = exceptions("jef").items()
    return MappingProxyType(
        {code - GR: now[text] for code, (text, reason) in changed if reason in ("exchanged", "moved")}
    )


@functools.cache
def x0212() -> Mapping[int, str]:
    """JIS X 0212:1990, the supplementary kanji."""
    return _plane("euc_jp", b"\x8f")


@functools.cache
def x0213(plane: int) -> Mapping[int, str]:
    """JIS X 0213:2004, plane 1 or 2; 25 codes of plane 1 are two scalars."""
    return _plane("iso2022_jp_2004", b"\x1b$(Q" if plane == 1 else b"\x1b$(P", high=0)


def _plane(codec: str, before: bytes, *, high: int = 0x80) -> Mapping[int, str]:
    found = {}
    for row in ROWS:
        for cell in CELLS:
            text = strictly(before + bytes((row | high, cell | high)), codec)
            if text:
                found[row << 8 | cell] = text
    return MappingProxyType(found)


def strictly(data: bytes, codec: str) -> str:
    """The text of some bytes, empty where the codec has none: skipping a bad byte would read the rest as another one."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return ""


@functools.cache
def exceptions(vendor: str, *, glyphs: bool = False) -> Mapping[int, tuple[str, str]]:
    """Where a vendor's standard area differs: character and reason, by the vendor's code (+ 8080).

    Args:
        vendor: jef, keis78 or jips.
        glyphs: with the codes whose 1978 glyph is taken as a code point of its own, too.
    """
    found = {}
    for line in (
        resources.files("extractors.charsets.tables")
        .joinpath("standard_exceptions.txt")
        .read_text("utf-8")
        .splitlines()
    ):
        if not line.startswith("#"):
            code, character, reason, *vendors = line.split(" ")
            if vendor in vendors and (glyphs or reason != "glyph"):
                found[int(code, 16)] = (character, reason)
    return MappingProxyType(found)
