"""UTF-16: text fields hold Unicode, two bytes a code unit; `order` is big (the default) or little.

Read by the usage `utf16`. A byte order mark at a field's beginning is left out. Numbers of USAGE DISPLAY are ASCII: digits
of two bytes each are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from extractors import characters
from extractors.characters import Charset, CharsetFamily
from extractors.code_pages import NONE
from extractors.options import choice


def make(options: Mapping[str, str], folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: the byte order is none.
    """
    order = choice(options, "order", "big", ("big", "little"))
    double = characters.undefined(65536)
    return Charset(
        name="utf_16",
        single=characters.single_byte_table("".join(chr(b) if b < 0x80 else NONE for b in range(256))),
        double=double,
        double_space=None,
        ascii=True,
        usage="utf16",
        policies=MappingProxyType({"order": order}),
    )


CHARSET = CharsetFamily(
    name="utf_16",
    title="UTF-16",
    options={"order": "byte order: big or little (big)"},
    make=make,
    profiles={"UTF-16BE": {}, "UTF-16LE": {"order": "little"}},
)
