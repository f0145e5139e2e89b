"""Single-byte text (PICTURE A): every byte is a character, none is a shift code.

    C1 C2 C3 40  ->  "ABC"

Read by the kernel of `mixed` with a table of no shifts; trailing spaces are padding and are left out.
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect
from extractors.layout.storage import DISPLAY, Described, Stored
from extractors.usages import _shifted as shifted
from extractors.usages._written import SINGLE_ONLY


def store(item: Described, dialect: Dialect) -> Stored | None:
    """PICTURE A."""
    return shifted.stored(item) if item.storage == DISPLAY and item.category == "alphabetic" else None


USAGE = shifted.usage("text", __doc__ or "", mode=SINGLE_ONLY, stores=store)
