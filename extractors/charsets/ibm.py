"""IBM's Japanese mixed codes: kanji between SO (0E) and SI (0F), single bytes of EBCDIC.

By `ccsid`, which IBM defines as a single-byte and a double-byte CCSID ("Double byte EBCDIC CCSIDs", swg27015679):

    930   290 (half-width kana) + 300      1390  8482 (290 and the euro sign at E1) + 16684
    939   1027 (Latin letters)  + 300      1399  5123 (1027 and the euro sign)      + 16684
    5026  290 + 4396, and 5035  1027 + 4396, which is 300 with 1,880 user-defined codes
    931   037 (English)         + 300

Any other single-byte page may be named by `single` (cp500, cp1047). Tables: `tables/derive_ibm.py` and the package
`ebcdic`. CCSID 16684 has the characters of JIS X 0213, 25 of its codes are two scalars (ECB5 か゚).

    41 to 68      rows of non-kanji and kanji, in an order of their own
    69 to 7F      user-defined: U+E000 + (lead - 69) * 190 + (low - 41); to 72EA in 4396, and to 89BD in 16684
    4040          ideographic space

Where IBM publishes two variants of a symbol of CCSID 300, the JIS one is taken (444A U+2014, 447C U+2016, 4260 U+2212,
43A1 U+301C, 426A U+00A6), or with `symbols` ms the other. CCSID 16684 has both, so nothing changes there.

Compared with glibc's iconv (IBM930, IBM939, IBM1390, IBM1399) over all 65,536 pairs and 256 bytes, these codes differ:

- 424A, 434A and 425F are U+00A3, U+00A2 and U+00AC as in every other maker's code, there U+FFE1, U+FFE0 and U+FFE2 (what
  `symbols` ms gives): one profile of symbols for all;
- 00 and the pair 0000 (LOW-VALUES) read as a space and an ideographic space, with a finding; there U+0000, and no pair;
- 27 bytes that IBM does not assign are undefined, there silently U+001A: of 1390 57 59 6A 9C, of 1399 41 6A 80 90, and of
  both CA to CF, DA to DF, EA to EF and FA to FE.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import numpy as np

from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import read_page
from extractors.charsets.contract import (
    FIRST_SEQUENCE,
    REPLACEMENT,
    Area,
    CharacterClass,
    Charset,
    CharsetFamily,
    Shift,
)
from extractors.options import Options

LOW = range(0x41, 0xFF)
CCSIDS: Mapping[str, tuple[str, str, int]] = MappingProxyType(
    {
        "930": ("cp290", "300", 4370),
        "939": ("cp1027", "300", 4370),
        "931": ("cp037", "300", 4370),
        "5026": ("cp290", "300", 1880),
        "5035": ("cp1027", "300", 1880),
        "1390": ("cp8482", "16684", 6205),
        "1399": ("cp5123", "16684", 6205),
    }
)
"""Single-byte page, double-byte table and number of user-defined codes of each CCSID."""


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    ccsid = options.choice("ccsid", "930", tuple(CCSIDS))
    usual_page, plane, size = CCSIDS[ccsid]
    text = read_page(options, "single", usual_page)
    double, sequences = _plane(plane)
    double = double.copy()
    first = policies.private_area(options, size)
    codes = np.array([lead << 8 | low for lead in range(0x69, 0x8A) for low in LOW][:size])
    double[codes] = first + np.arange(size) | CharacterClass.USER_DEFINED << 24
    characters.spaces(double, 0x4040)
    last = int(codes[-1]) >> 8
    charset = Charset(
        name="ibm",
        single=characters.single_byte_table(text),
        double=double,
        shifts=(Shift(b"\x0e", True), Shift(b"\x0f", False)),
        sequences=sequences,
        areas=(
            Area("user-defined", range(0x69, last + 1), LOW, CharacterClass.USER_DEFINED, "the municipality"),
            Area("standard", range(0x41, 0xFF), LOW, CharacterClass.STANDARD, f"IBM CCSID {plane}, by glibc's iconv"),
        ),
        ascii=text[0x41] == "A",
        policies=MappingProxyType({"ccsid": ccsid, "single": options.get("single", usual_page)}),
    )
    return policies.settle(charset, options, folder)


@functools.cache
def _plane(name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The table of a double-byte CCSID without its user-defined area, and its sequences."""
    double = characters.undefined(65536)
    sequences: list[str] = []
    for part in ("ibm300", "ibm16684") if name == "16684" else ("ibm300",):
        text = resources.files("extractors.charsets.tables").joinpath(f"{part}.txt").read_text("utf-8")
        for row in text.split("\n"):
            if not row or row.startswith("#"):
                continue
            code, _, cells = row.partition(" ")
            if len(code) == 4:
                double[int(code, 16)] = characters.entry(FIRST_SEQUENCE + len(sequences))
                sequences.append(cells)
                continue
            for low, character in zip(LOW, cells, strict=True):
                if ord(character) != REPLACEMENT:
                    double[int(code, 16) << 8 | low] = characters.entry(ord(character))
    return double, tuple(sequences)


CHARSET = CharsetFamily(
    name="ibm",
    title="IBM CCSID 930, 939, 1390, 1399, 5026, 5035, 931",
    options={
        "ccsid": f"{', '.join(CCSIDS)} (930)",
        "single": "single-byte page, where it is not that of the CCSID: cp290, cp1027, cp037, cp500, cp1047 ...",
        **policies.OPTIONS,
    },
    make=make,
    profiles={f"CCSID {ccsid}": {"ccsid": ccsid} for ccsid in CCSIDS},
)
