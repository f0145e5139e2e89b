"""UTF-8: text fields hold Unicode, of one to four bytes a character, with or without a byte order mark.

Read by the usage `utf8`. Numbers are ASCII. A private-use character is a gaiji: its code is its code point.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from extractors import characters
from extractors.characters import Charset, CharsetFamily
from extractors.code_pages import NONE


def make(options: Mapping[str, str], folder: Path) -> Charset:
    """Make the charset; it takes no options."""
    return Charset(
        name="utf_8",
        single=characters.single_byte_table("".join(chr(b) if b < 0x80 else NONE for b in range(256))),
        double=characters.undefined(65536),
        double_space=None,
        ascii=True,
        usage="utf8",
    )


CHARSET = CharsetFamily(name="utf_8", title="UTF-8", options={}, make=make, profiles={"UTF-8": {}})
