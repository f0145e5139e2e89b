"""Single-byte code pages: the characters of all 256 bytes, U+FFFD where a byte has none.

Those of IBM are codecs of Python and of the package `ebcdic`, and CCSID 1027 of `charsets/tables`. Those of the Japanese
makers are what EBCDIC pages have in common, their own letters, kana and symbols (jef4j 0.12.2 and Jacode4e 2.13.6.13,
which agree but for the few that `docs/reference/charsets.md` names).
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterable
from importlib import resources

import ebcdic

from extractors.options import Options

_ = ebcdic  # its import registers the code pages that Python does not have

NONE = "\N{REPLACEMENT CHARACTER}"
_COMMON = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ .<(+&*);-/,%_>?:#@'=\"`{}")
"""What all EBCDIC pages of Japan have at the same place, which is that of cp037 ({ is C0, } D0)."""

_LATIN = (*range(0x81, 0x8A), *range(0x91, 0x9A), *range(0xA2, 0xAA))
_AMONG_KANA = (0x59, *range(0x62, 0x6A), *range(0x70, 0x79), 0x80, 0x8B, 0x9B, 0x9C, 0xA0, 0xAB, 0xB0, 0xB1)
"""Where a to z stand: in Latin pages, and in the free positions of Hitachi's EBCDIK."""

_LATIN_KANA = (
    *range(0x42, 0x4A),
    *range(0x51, 0x5A),
    *range(0x62, 0x6A),
    *range(0x70, 0x79),
    0x80,
    *range(0x8A, 0x91),
    *range(0x9A, 0xA1),
    *range(0xAA, 0xB8),
)
"""Where Hitachi's Latin page has U+FF61 to U+FF9F."""

_HALF_WIDTH = [chr(point) for point in range(0xFF61, 0xFFA0)]
_LOWER = "abcdefghijklmnopqrstuvwxyz"

USUAL = (
    "cp037",
    "cp273",
    "cp290",
    "cp500",
    "cp1027",
    "cp1047",
    "cp1140",
    "cp8482",
    "cp5123",
    "ascii",
    "latin_1",
    "jis_x_0201",
    "fujitsu_ebcdic",
    "fujitsu_ebcdik",
    "fujitsu_ascii",
    "hitachi_ebcdic",
    "hitachi_ebcdik",
    "nec_ebcdik",
)
"""The pages that messages propose; any other single-byte codec of Python is one too."""

_EURO = {
    "cp1140": ("cp037", 0x9F),
    "cp1141": ("cp273", 0x9F),
    "cp1148": ("cp500", 0x9F),
    "cp8482": ("cp290", 0xE1),
    "cp5123": ("cp1027", 0xE1),
}
"""Pages that differ from another one only in that one byte is the euro sign."""


@functools.cache
def code_page(name: str) -> str | None:
    """The 256 characters of a page; None where there is no single-byte page of that name."""
    if name in _EURO:
        base, byte = _EURO[name]
        text = code_page(base)
        return text and text[:byte] + "€" + text[byte + 1 :]
    if name in _MADE:
        return _MADE[name]()
    return _codec(name)


def read_page(options: Options, name: str, usual: str) -> str:
    """The 256 characters of the page that an option names; those of `usual`, an existing page, where it names none."""
    page = options.get(name, usual)
    text = code_page(page)
    if text is None:
        options.refuse(f"{name} `{page[:40]}` is no single-byte page", USUAL)
        text = code_page(usual)
    assert text is not None
    return text


def _codec(name: str) -> str | None:
    try:
        # The name may come from anybody: only codecs of text are asked, a byte at a time.
        codec = codecs.lookup(name)
        if not codec._is_text_encoding:
            return None
        if len(codec.decode(b"\xc3\xa9", "replace")[0]) != 2:
            return None
        characters = [codec.decode(bytes([byte]), "replace")[0] for byte in range(256)]
    except (LookupError, ValueError):
        return None
    return "".join(characters) if all(len(c) == 1 for c in characters) else None


def _page(symbols: dict[int, str], *, lower: Iterable[int] = (), kana: Iterable[int] | None = None) -> str:
    """An EBCDIC page: the controls and what all pages have in common, letters, kana (None: where IBM 290 has them)."""
    common = ebcdic.cp290.decoding_table
    table = [character if byte < 0x40 or byte == 0xFF else NONE for byte, character in enumerate(common)]
    for byte, character in enumerate(str(_codec("cp037"))):
        if byte >= 0x40 and character in _COMMON:
            table[byte] = character
    where = [common.index(character) for character in _HALF_WIDTH] if kana is None else list(kana)
    for byte, character in (*zip(where, _HALF_WIDTH, strict=False), *zip(lower, _LOWER, strict=False)):
        table[byte] = character
    for byte, character in symbols.items():
        table[byte] = character
    return "".join(table)


def _fujitsu(symbols: dict[int, str], lower: Iterable[int], kana: Iterable[int] | None) -> str:
    return _page({0x6A: "¦", 0x5F: "¬", 0xA1: "~", **symbols}, lower=lower, kana=kana)


_FUJITSU = {0x4A: "£", 0x4F: "|", 0x5A: "!", 0x5B: "\\", 0xE0: "$"}
_HITACHI = {0x4A: "[", 0x4F: "!", 0x5A: "]", 0x5B: "\\", 0x5F: "^", 0x6A: "|", 0xA1: "~", 0xE0: "$"}


def jis8_to_ebcdik() -> tuple[int, ...]:
    """NEC's map from JIS8 to EBCDIC(kana), byte by byte, which is also that from JIPS(J) to JIPS(E)."""
    text = resources.files("extractors.charsets.tables").joinpath("nec_jis8_to_ebcdik.txt").read_text("utf-8")
    return tuple(int(word, 16) for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _nec_ebcdik() -> str:
    jis8, table = _jis_x_0201(), [NONE] * 256
    for byte, ebcdik in enumerate(jis8_to_ebcdik()):
        table[ebcdik] = jis8[byte]
    return "".join(table)


def _jis_x_0201() -> str:
    return "".join(bytes([b]).decode("cp932") if b < 0x80 or 0xA1 <= b <= 0xDF else NONE for b in range(256))


def _cp1027() -> str:
    table = [NONE] * 256
    for line in resources.files("extractors.charsets.tables").joinpath("ibm1027.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            table[int(line[:2], 16)] = chr(int(line[3:], 16))
    return "".join(table)


_MADE = {
    "jis_x_0201": _jis_x_0201,
    "cp1027": _cp1027,
    "fujitsu_ebcdik": lambda: _fujitsu(_FUJITSU, (), None),
    "fujitsu_ebcdic": lambda: _fujitsu({**_FUJITSU, 0x5F: "^"}, _LATIN, ()),
    "fujitsu_ascii": lambda: _fujitsu({0x4A: "[", 0x4F: "!", 0x5A: "]", 0x5B: "$", 0x5F: "^", 0xE0: "\\"}, _LATIN, ()),
    "hitachi_ebcdik": lambda: _page(_HITACHI, lower=_AMONG_KANA),
    "hitachi_ebcdic": lambda: _page(_HITACHI, lower=_LATIN, kana=_LATIN_KANA),
    "nec_ebcdik": _nec_ebcdik,
}
