"""PICTURE character strings (ISO/IEC 1989, 13.18.40): X A 9 S V N G and repetition."""

from __future__ import annotations

import re

from extractors.layout import Category, Picture

MAX_SIZE = 1 << 20
MAX_DIGITS = 38

_PART = re.compile(r"(?P<symbol>.)(?:\((?P<times>\d{1,9})\))?")
_LATER = frozenset("PBZ0/*+-$E,.")


class PictureError(ValueError):
    """A PICTURE that cannot be read: what is wrong with it, and at which character of it (from 0)."""

    def __init__(self, message: str, at: int = 0, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.at = at
        self.allowed = allowed


def read_picture(text: str) -> Picture:
    """Read a PICTURE character string.

    Raises:
        PictureError: with the character where it goes wrong.
    """
    symbols = ""
    size = scale = 0
    signed = point = False
    at = 0
    for match in _PART.finditer(text):
        at = match.start()
        symbol = match["symbol"].upper()
        times = int(match["times"]) if match["times"] else 1
        if symbol in "CDR" or symbol in _LATER:
            raise PictureError(f"`{match['symbol']}` belongs to edited or scaled pictures, which are not read yet", at)
        if symbol not in "XA9SVNG":
            raise PictureError(f"`{match['symbol']}` is no PICTURE symbol", at, ("X", "A", "9", "S", "V", "N", "G"))
        if times < 1:
            raise PictureError("a symbol repeated zero times", at)
        if symbol == "S":
            if symbols or times != 1 or point:
                raise PictureError("S stands once, before every other symbol", at)
            signed = True
        elif symbol == "V":
            if point or times != 1:
                raise PictureError("V stands once", at)
            point = True
        else:
            if symbols and symbol not in symbols and not (symbol in "XA9" and set(symbols) <= set("XA9")):
                raise PictureError(f"`{symbol}` cannot follow `{symbols[-1]}`", at)
            symbols += symbol if symbol not in symbols else ""
            size += times
            scale += times if point else 0
            if size > MAX_SIZE:
                raise PictureError(f"longer than {MAX_SIZE:,} characters", at)
    if not symbols:
        raise PictureError("the PICTURE has no character or digit", 0, ("X", "A", "9", "N", "G"))
    kinds = set(symbols)
    category: Category
    if kinds <= {"N", "G"}:
        category = "national"
    elif kinds == {"9"}:
        category = "numeric"
    elif kinds == {"A"}:
        category = "alphabetic"
    else:
        category = "alphanumeric"
    if category != "numeric" and (signed or point):
        raise PictureError("S and V belong to numbers only", 0)
    if category == "numeric" and size > MAX_DIGITS:
        raise PictureError(f"a number of more than {MAX_DIGITS} digits", 0)
    return Picture(text, category, size, scale, signed)
