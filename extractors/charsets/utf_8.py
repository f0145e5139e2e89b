"""UTF-8: text fields hold Unicode, of one to four bytes a character, with or without a byte order mark.

Read by the usage `utf8`. Numbers are ASCII. A private-use character is a gaiji: its code is its code point. The policies that
make sense for assigned characters apply; each scalar is judged alone, a mark or a variation selector counts as held
where the repertoire has a character with it.
"""

from __future__ import annotations

from pathlib import Path

from extractors.charsets import _policies as character_policies
from extractors.charsets import _unicode as unicode
from extractors.charsets.contract import Charset, CharsetFamily
from extractors.options import Options


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    return character_policies.settle(unicode.charset("utf_8", "utf8", {}), options, folder)


CHARSET = CharsetFamily(name="utf_8", title="UTF-8", options=unicode.OPTIONS, make=make, profiles={"UTF-8": {}})
