"""Fujitsu JEF: kanji between the shifts 28 (also 38, and 30E2 of two bytes) and 29, single bytes of EBCDIC.

The single bytes are EBCDIK (half-width kana, no lower case: the default), EBCDIC (lower case, no kana) or ASCII, by the
option `single`. 28 and 38 tell sizes of print (12 and 9 point), 30E2 a third (7 point): all begin kanji, 28 is written.

    A1A1 to FEFE  standard area: JIS C 6226:1978 + 8080, computed from EUC-JP and its listed exceptions. What the editions
                  of 1983 and 1990 added is not assigned; eight symbols of row 2D are Fujitsu's own.
    80A1 to A0FE  user-defined: private use, 94 cells a row
    41A1 to 7FFE  extended kanji (41 to 70) and non-kanji (71 to 7F): no public standard has their table, so it comes from
                  a table file (`table`); without one these codes are undefined, but for twelve variants of usual kanji
                  in `tables/jef_variants.txt`, which read as those kanji and are counted.
    4040          ideographic space, written; A1A1 reads as one, too

By `forms`, the codes that the standard of 1983 changed read as the forms of 1978 (`jis78`, the default: the bytes can be
written again), as the characters that the code has since 1983 (`jis83`, as converters that keep the code do), or by
appearance (`face`: 39 more codes read as the code point of their 1978 glyph, on which public tables disagree).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from types import MappingProxyType

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import code_page
from extractors.charsets.contract import Area, CharacterClass, Charset, CharsetFamily, Shift
from extractors.options import Options

LOW = range(0xA1, 0xFF)
STANDARD = Area("standard", range(0xA1, 0xFF), LOW, CharacterClass.STANDARD, "JIS C 6226:1978 + 8080")
USER_DEFINED = Area("user-defined", range(0x80, 0xA1), LOW, CharacterClass.USER_DEFINED, "the municipality")
EXTENDED_KANJI = Area("extended kanji", range(0x41, 0x71), LOW, CharacterClass.EXTENDED, "a table file")
EXTENDED_OTHER = Area("extended non-kanji", range(0x71, 0x80), LOW, CharacterClass.EXTENDED, "a table file")

ROW_13 = {0xADE5: "㊤", 0xADE6: "㊥", 0xADE7: "㊦", 0xADE8: "㊧", 0xADE9: "㊨", 0xADF3: "∮", 0xADF8: "∟", 0xADF9: "⊿"}
"""Fujitsu's own eight symbols in row 2D (jef4j 0.12.2)."""

SHIFTS = (Shift(b"\x28", True), Shift(b"\x38", True), Shift(b"\x30\xe2", True), Shift(b"\x29", False))


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    single = options.choice("single", "ebcdik", ("ebcdik", "ebcdic", "ascii"))
    forms = options.choice("forms", "jis78", ("jis78", "jis83", "face"))
    double = characters.undefined(65536)
    characters.assign(double, {code + jis.GR: text for code, text in jis.x0208(1978).items()})
    if forms != "jis83":
        changed = jis.exceptions("jef", glyphs=forms == "face")
        characters.assign(double, {code: text for code, (text, _) in changed.items()})
    characters.assign(double, ROW_13)
    variants = resources.files("extractors.charsets.tables").joinpath("jef_variants.txt").read_text("utf-8")
    pairs = (line.split(" ") for line in variants.splitlines() if not line.startswith("#"))
    characters.assign(double, {int(code, 16): text for code, text in pairs}, CharacterClass.VARIANT)
    first = policies.private_area(options, policies.areas_size((USER_DEFINED,)))
    characters.user_defined_area(double, (USER_DEFINED,), first)
    characters.spaces(double, 0xA1A1, 0x4040)
    page = code_page(f"fujitsu_{single}")
    assert page is not None
    charset = Charset(
        name="fujitsu",
        single=characters.single_byte_table(page),
        double=double,
        shifts=SHIFTS,
        areas=(STANDARD, USER_DEFINED, EXTENDED_KANJI, EXTENDED_OTHER),
        policies=MappingProxyType({"single": single, "forms": forms}),
    )
    return policies.settle(charset, options, folder)


CHARSET = CharsetFamily(
    name="fujitsu",
    title="Fujitsu JEF",
    options={
        "single": "single bytes: ebcdik (kana), ebcdic (lower case) or ascii (ebcdik)",
        "forms": "codes that JIS changed in 1983: jis78, jis83, or face (by appearance) (jis78)",
        **policies.OPTIONS,
    },
    make=make,
    profiles={
        "JEF with EBCDIK": {},
        "JEF with EBCDIC": {"single": "ebcdic"},
        "JEF with EBCDIC (ASCII)": {"single": "ascii"},
    },
)
