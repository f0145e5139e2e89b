"""EUC-JP: a byte A1 to FE begins a pair, 8E a half-width kana, 8F a character of three bytes; no shift codes.

By `variant`: jis_x_0208 (the default; three bytes are JIS X 0212:1990) or jis_x_0213 (EUC-JIS-2004; three bytes are plane
2). Codes of three bytes are shown as 8FA1A1.

Compared with glibc's iconv (EUC-JP, EUC-JISX0213) over all codes, A1BD is the em dash U+2014 of `symbols` jis here and U+2015
there, and one has the narrow form of a character where the other has the wide one: 8FA2B7 U+007E (U+FF5E), and in
jis_x_0213 A2B2 U+007E (U+FF5E), A2D6 U+2985 (U+FF5F) and A2D7 U+2986 (U+FF60).
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import NONE
from extractors.charsets.contract import FIRST_SEQUENCE, SECOND_PLANE, Area, CharacterClass, Charset, CharsetFamily
from extractors.options import Options

LOW = range(0xA1, 0xFF)
_KANA = 0x8E


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    variant = options.choice("variant", "jis_x_0208", ("jis_x_0208", "jis_x_0213"))
    planes = (jis.x0208(), jis.x0212()) if variant == "jis_x_0208" else (jis.x0213(1), jis.x0213(2))
    double = characters.undefined(2 * SECOND_PLANE)
    sequences: list[str] = []
    for number, plane in enumerate(planes):
        for code, text in plane.items():
            if len(text) > 1:
                double[code + jis.GR] = characters.entry(FIRST_SEQUENCE + len(sequences))
                sequences.append(text)
            else:
                double[number * SECOND_PLANE + code + jis.GR] = characters.entry(ord(text))
    characters.assign(double, {_KANA << 8 | 0xA1 + n: chr(0xFF61 + n) for n in range(63)})
    characters.spaces(double, 0xA1A1)
    charset = Charset(
        name="euc_jp",
        single=characters.single_byte_table("".join(chr(b) if b < 0x80 else NONE for b in range(256))),
        double=double,
        leads=MappingProxyType({**dict.fromkeys(LOW, 2), _KANA: 2, 0x8F: 3}),
        sequences=tuple(sequences),
        double_space=0xA1A1,
        ascii=True,
        areas=(
            Area("half-width kana", (_KANA,), LOW, CharacterClass.STANDARD, "JIS X 0201"),
            Area("standard", LOW, LOW, CharacterClass.STANDARD, "JIS X 0208 and 0212, or 0213, by Python's codecs"),
        ),
        policies=MappingProxyType({"variant": variant}),
    )
    return policies.settle(charset, options, folder)


CHARSET = CharsetFamily(
    name="euc_jp",
    title="EUC-JP",
    options={"variant": "jis_x_0208 or jis_x_0213 (jis_x_0208)", **policies.OPTIONS},
    make=make,
    profiles={"EUC-JP": {}, "EUC-JIS-2004": {"variant": "jis_x_0213"}},
)
