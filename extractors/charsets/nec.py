"""NEC JIPS: kanji between shifts of two bytes, JIPS(J) with JIS8 or JIPS(E) with EBCDIC(kana) as single bytes.

By `form`, jips_e (ACOS-2 and ACOS-4: shifts 3F75 and 3F76, the default) or jips_j (ACOS-6: shifts 1A70 and 1A71). JIPS(E)
is JIPS(J) with every byte mapped by `tables/nec_jis8_to_ebcdik.txt`; the codes below are those of JIPS(J).

    2121 to 7E7E  G0: JIS C 6226:1978 with its listed exceptions, and the line elements of row 28; NEC's row 29 (half-width
                  ASCII), row 2A (half-width kana) and row 2D (as row 13 of Windows, which NEC brought there)
    7421 to 7E7E  in it, user-defined: private use, 94 cells a row
    A1A1 to FEFE  G1: NEC's extended characters; no public table: a table file (`table`) gives it
    E0A1 to FEFE  in it, user-defined, after those of G0
    A121 to FE7E  G2: no public table
    2121          ideographic space (in JIPS(E) 4F4F)

Rows 2B and 2C (line elements), and those symbols of row 2 that JIS added in 1983 and NEC has, are in no table that two
sources agree on: they are undefined until a table file gives them. 3646 is 尭, as the later standard and one public
table have it; the other reads it as 堯, as in 1978.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import code_page, jis8_to_ebcdik
from extractors.charsets.contract import IDEOGRAPHIC_SPACE, Area, CharacterClass, Charset, CharsetFamily, Shift
from extractors.options import Options

GL, GR = range(0x21, 0x7F), range(0xA1, 0xFF)
G0_USER_DEFINED = Area("G0 user-defined", range(0x74, 0x7F), GL, CharacterClass.USER_DEFINED, "the municipality")
G0 = Area("G0", range(0x21, 0x74), GL, CharacterClass.STANDARD, "JIS C 6226:1978 and NEC's rows 29, 2A and 2D")
G1_USER_DEFINED = Area("G1 user-defined", range(0xE0, 0xFF), GR, CharacterClass.USER_DEFINED, "the municipality")
G1 = Area("G1", range(0xA1, 0xE0), GR, CharacterClass.EXTENDED, "a table file")
G2 = Area("G2", range(0xA1, 0xFF), GL, CharacterClass.EXTENDED, "a table file")


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    form = options.choice("form", "jips_e", ("jips_e", "jips_j"))
    forms = options.choice("forms", "jis78", ("jis78", "jis83"))
    table = _jips_j(options, forms)
    areas: tuple[Area, ...] = (G0_USER_DEFINED, G0, G1_USER_DEFINED, G1, G2)
    opening, closing, page, space = b"\x1a\x70", b"\x1a\x71", "jis_x_0201", 0x2121
    if form == "jips_e":
        to_e = np.array(jis8_to_ebcdik())
        codes = np.arange(65536)
        mapped = np.empty_like(table)
        mapped[to_e[codes >> 8] << 8 | to_e[codes & 0xFF]] = table
        table, space, page = mapped, 0x4F4F, "nec_ebcdik"
        opening, closing = (bytes(to_e[list(code)].tolist()) for code in (opening, closing))
        areas = tuple(_mapped(area, to_e) for area in areas)
    text = code_page(page)
    assert text is not None
    charset = Charset(
        name="nec",
        single=characters.single_byte_table(text),
        double=table,
        shifts=(Shift(opening, True), Shift(closing, False)),
        double_space=space,
        ascii=form == "jips_j",
        areas=areas,
        policies=MappingProxyType({"form": form, "forms": forms}),
    )
    return policies.settle(charset, options, folder)


def _jips_j(options: Options, forms: str) -> np.ndarray:
    table = characters.undefined(65536)
    characters.assign(table, dict(jis.x0208(1978)))
    characters.assign(table, {code: jis.x0208()[code] for code in range(0x2821, 0x2841)})
    if forms == "jis78":
        characters.assign(table, {code - jis.GR: text for code, (text, _) in jis.exceptions("jips").items()})
    characters.assign(table, {0x2900 + point: chr(point) for point in range(0x21, 0x7F)})
    characters.assign(table, {0x2A21 + n: chr(0xFF61 + n) for n in range(63)})
    row_13 = {cell: jis.strictly(bytes((0x87, cell + 0x1F + (cell >= 0x60))), "cp932") for cell in GL}
    characters.assign(table, {0x2D00 | cell: text for cell, text in row_13.items() if text})
    characters.assign(table, {0x2D68: "㊧", 0x2D69: "㊨"})
    areas = (G0_USER_DEFINED, G1_USER_DEFINED)
    characters.user_defined_area(table, areas, policies.private_area(options, policies.areas_size(areas)))
    table[0x2121] = characters.entry(IDEOGRAPHIC_SPACE)
    table[0] = characters.entry(IDEOGRAPHIC_SPACE, CharacterClass.LOW_VALUE)
    return table


def _mapped(area: Area, to_e: np.ndarray) -> Area:
    """An area of JIPS(J) where its bytes stand in JIPS(E): no longer a block, so its rows and cells are listed."""
    lead, low = (tuple(sorted(int(to_e[byte]) for byte in part)) for part in (area.lead, area.low))
    return Area(area.name, lead, low, area.kind, area.source)


CHARSET = CharsetFamily(
    name="nec",
    title="NEC JIPS",
    options={
        "form": "jips_e (with EBCDIC kana) or jips_j (with JIS8) (jips_e)",
        "forms": "codes that JIS changed in 1983: jis78 or jis83 (jis78)",
        **policies.OPTIONS,
    },
    make=make,
    profiles={"JIPS(E)": {}, "JIPS(J)": {"form": "jips_j"}},
)
