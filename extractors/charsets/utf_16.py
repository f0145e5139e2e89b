"""UTF-16: text fields hold Unicode, two bytes a code unit; `order` is big (the default) or little.

Read by the usage `utf16`. A byte order mark at a field's beginning is left out; one of the other order is U+FFFE, which is
undefined: a finding. Numbers of USAGE DISPLAY are ASCII: digits of two bytes each are not read. Policies are those of UTF-8.
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
    order = options.choice("order", "big", ("big", "little"))
    return character_policies.settle(unicode.charset("utf_16", "utf16", {"order": order}), options, folder)


CHARSET = CharsetFamily(
    name="utf_16",
    title="UTF-16",
    options={"order": "byte order: big or little (big)", **unicode.OPTIONS},
    make=make,
    profiles={"UTF-16BE": {}, "UTF-16LE": {"order": "little"}},
)
