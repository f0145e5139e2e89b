"""Shift_JIS: a byte 81 to 9F or E0 to FC begins a pair, no shift codes; JIS X 0201 as single bytes.

By `variant`: windows_31j (the default: NEC's row 13, NEC's selection of IBM's extensions and IBM's extensions, user-defined
F040 to F9FC), jis_x_0208 (Shift_JIS of the standard alone), or jis_x_0213 (Shift_JIS-2004, 25 of its codes two scalars).
Tables are Python's `cp932`, `shift_jis` and `shift_jis_2004`.

Compared with glibc's iconv (SHIFT_JISX0213) over all pairs of jis_x_0213, four codes have the narrow form of a character here
and the wide one there: 815F U+005C (U+FF3C), 81B0 U+007E (U+FF5E), 81D4 U+2985 (U+FF5F) and 81D5 U+2986 (U+FF60).

Where a character has several codes in windows_31j (NEC's row 13, NEC's selection and IBM's extensions: 398 codes), the one
that the codec writes is written; the others are listed as written back otherwise.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import NONE, code_page
from extractors.charsets.contract import FIRST_SEQUENCE, Area, CharacterClass, Charset, CharsetFamily
from extractors.options import Options

LEADS = (*range(0x81, 0xA0), *range(0xE0, 0xFD))
LOW = (*range(0x40, 0x7F), *range(0x80, 0xFD))
_CODECS = {"windows_31j": "cp932", "jis_x_0208": "shift_jis", "jis_x_0213": "shift_jis_2004"}
USER_DEFINED = Area("user-defined", range(0xF0, 0xFA), LOW, CharacterClass.USER_DEFINED, "the municipality")


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    variant = options.choice("variant", "windows_31j", tuple(_CODECS))
    double = characters.undefined(65536)
    sequences: list[str] = []
    again: list[int] = []
    for lead in LEADS:
        for low in LOW:
            text = jis.strictly(bytes((lead, low)), _CODECS[variant])
            if len(text) == 1 and text.encode(_CODECS[variant]) != bytes((lead, low)):
                again.append(lead << 8 | low)
            if len(text) > 1:
                double[lead << 8 | low] = characters.entry(FIRST_SEQUENCE + len(sequences))
                sequences.append(text)
            elif text and not "\ue000" <= text <= "\uf8ff":
                double[lead << 8 | low] = characters.entry(ord(text))
    areas: tuple[Area, ...] = (
        Area("standard", LEADS, LOW, CharacterClass.STANDARD, f"Python's codec {_CODECS[variant]}"),
    )
    if variant == "windows_31j":
        first = policies.private_area(options, policies.areas_size((USER_DEFINED,)))
        characters.user_defined_area(double, (USER_DEFINED,), first)
        areas = (USER_DEFINED, *areas)
    characters.spaces(double, 0x8140)
    single = code_page("jis_x_0201")
    assert single is not None
    charset = Charset(
        name="shift_jis",
        single=characters.single_byte_table("".join(NONE if b in LEADS else c for b, c in enumerate(single))),
        double=double,
        leads=MappingProxyType(dict.fromkeys(LEADS, 2)),
        sequences=tuple(sequences),
        decode_only=frozenset(again),
        double_space=0x8140,
        ascii=True,
        areas=areas,
        policies=MappingProxyType({"variant": variant}),
    )
    return policies.settle(charset, options, folder)


CHARSET = CharsetFamily(
    name="shift_jis",
    title="Shift_JIS and Windows-31J",
    options={"variant": f"{', '.join(_CODECS)} (windows_31j)", **policies.OPTIONS},
    make=make,
    profiles={"Windows-31J": {}, "Shift_JIS": {"variant": "jis_x_0208"}, "Shift_JIS-2004": {"variant": "jis_x_0213"}},
)
