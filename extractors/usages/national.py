"""Double-byte text without shift codes: PICTURE G or N, USAGE DISPLAY-1.

    4F 58 40 40  ->  "漢"  in CCSID 300; 4040 is the ideographic space

Read by the kernel of `mixed`, which begins in double-byte mode and knows no shifts; trailing spaces are left out.
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect
from extractors.layout.storage import DISPLAY_1, NATIONAL, Described, Stored
from extractors.usages import _shifted as shifted
from extractors.usages import _unicode
from extractors.usages._written import DOUBLE_ONLY


def store(item: Described, dialect: Dialect) -> Stored | None:
    """PICTURE N and G, but for those that are UTF-16."""
    return shifted.stored(item) if _unicode.is_double(item) and not _unicode.is_utf16(item, dialect) else None


USAGE = shifted.usage(
    "national",
    __doc__ or "",
    mode=DOUBLE_ONLY,
    words={"DISPLAY-1": DISPLAY_1, "KANJI": DISPLAY_1, "NATIONAL": NATIONAL},
    stores=store,
)
