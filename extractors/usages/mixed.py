"""PICTURE X text that may change between single bytes and kanji by shift codes, or by bytes that begin a pair.

    C1 C2 C3 40 0E 4F 58 0F 40  ->  "ABC 漢"  in CCSID 930: SO (0E) begins double-byte text, SI (0F) ends it

Shift codes of one to four bytes (28, KEIS 0A42, JIPS 3F75, ESC $ B) act at character boundaries only and are no characters.
Trailing spaces, half-width and ideographic, are padding and are left out. Text that ends within double-byte mode is read
to its end, half a character (at the end of the field or the record, before the trailing spaces, or before the shift code
that ends double-byte text) reads as U+FFFD, X'00' as a space, an undefined code as U+FFFD; a shift into the mode that the
text is in already does nothing. Each is a finding, never an exception.
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect
from extractors.layout.storage import DISPLAY, Described, Stored
from extractors.usages import _shifted as shifted
from extractors.usages._written import BOTH


def store(item: Described, dialect: Dialect) -> Stored | None:
    """PICTURE X, and A and 9 among it."""
    return shifted.stored(item) if item.storage == DISPLAY and item.category == "alphanumeric" else None


USAGE = shifted.usage("mixed", __doc__ or "", mode=BOTH, stores=store)
