"""Single-byte charsets without kanji: EBCDIC code pages such as 037, 273, 500, 1047 and 1140, and ASCII.

The tables are those of the package `ebcdic` and of Python's own codecs, by the option `page`: cp037 (the default), cp500,
cp1047, cp290, ascii, latin_1, cp932's single bytes as `jis_x_0201`, and any other single-byte codec.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path

import ebcdic

from extractors import characters
from extractors.characters import Charset, CharsetFamily
from migration_reports.findings import Position, Problem, SpecError

_USUAL = ("cp037", "cp273", "cp500", "cp1047", "cp1140", "cp1141", "cp1148", "cp290", "ascii", "latin_1", "jis_x_0201")
_EURO = {"cp1140": "cp037", "cp1141": "cp273", "cp1148": "cp500"}
"""Pages that differ from another one only in that 9F is the euro sign."""


def make(options: Mapping[str, str], folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: the page is no single-byte codec.
    """
    page = options.get("page", "cp037")
    text = _decoding(page)
    if text is None:
        raise SpecError([Problem("L904", Position("(options)"), f"page `{page[:40]}` is no single-byte codec", _USUAL)])
    return Charset(
        name="single_byte",
        single=characters.single_byte_table(text),
        double=characters.undefined(65536),
        shifts={},
        to_double=0,
        to_single=0,
        ascii=text[0x41] == "A",
    )


def _decoding(page: str) -> str | None:
    """The characters of all 256 bytes, U+FFFD where there is none."""
    if page == "jis_x_0201":
        return "".join(
            bytes([b]).decode("cp932", "replace") if b < 0x80 or 0xA1 <= b <= 0xDF else "\ufffd" for b in range(256)
        )
    try:
        # The name may come from anybody: only codecs of text are asked, a byte at a time.
        codec = codecs.lookup(page)
        if not codec._is_text_encoding:
            return None
        if len(codec.decode(b"\xc3\xa9", "replace")[0]) != 2:
            return None
        characters_ = [codec.decode(bytes([byte]), "replace")[0] for byte in range(256)]
    except (LookupError, ValueError):
        base = _EURO.get(page)
        if base is None:
            return None
        text = _decoding(base)
        return text and text[:0x9F] + "€" + text[0xA0:]
    return "".join(characters_) if all(len(c) == 1 for c in characters_) else None


_ = ebcdic  # its import registers the code pages that Python does not have

CHARSET = CharsetFamily(
    name="single_byte",
    title="Single-byte code pages without kanji",
    options={"page": "the code page, for example cp037, cp500, cp1047, ascii (cp037)"},
    make=make,
)
