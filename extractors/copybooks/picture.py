"""PICTURE character strings (ISO/IEC 1989, 13.18.40): text, numbers, scaled and edited pictures, and repetition.

S9(7)V99  ->  nine digits, two after the point, signed        SPPP9(2)   ->  two digits, the units at 10**-5
ZZ,ZZ9.99-  ->  edited: ten bytes of text that hold seven digits, two after the point, and a sign
"""

from __future__ import annotations

import dataclasses
import re

from extractors.layout import Category, Picture

MAX_SIZE = 1 << 24
MAX_DIGITS = 76
MAX_EDITED = 250

_PART = re.compile(r"(?P<symbol>CR|DB|.)(?:\((?P<times>\d{1,9})\))?", re.IGNORECASE | re.DOTALL)
_PLAIN = frozenset("XA9SVPNG")
_EDITING = frozenset("ZB0/,.*+-")
_SIGNS = frozenset(("+", "-", "CR", "DB"))


class PictureError(ValueError):
    """A PICTURE that cannot be read: what is wrong with it, and at which character of it (from 0)."""

    def __init__(self, message: str, at: int = 0, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.at = at
        self.allowed = allowed


def read_picture(text: str, *, decimal_comma: bool = False, currency: str = "$\\¥￥£€") -> Picture:
    """Read a PICTURE character string.

    Args:
        text: the character string, without the word PICTURE.
        decimal_comma: whether DECIMAL-POINT IS COMMA exchanges the comma and the point.
        currency: the characters that are currency signs.

    Raises:
        PictureError: with the character where it goes wrong.
    """
    parts = _parts(text, decimal_comma, currency)
    symbols = {symbol for symbol, _, _ in parts}
    if symbols <= _PLAIN:
        return _plain(text, parts)
    if symbols & {"N", "G"}:
        return _national_edited(text, parts)
    if symbols & {"X", "A"}:
        return _text_edited(text, parts)
    return dataclasses.replace(_edited(text, parts), decimal_comma=decimal_comma)


def _parts(text: str, decimal_comma: bool, currency: str) -> list[tuple[str, int, int]]:
    """(symbol, how often, where) of each part, the decimal point always `.` and a currency sign always `$`."""
    parts = []
    total = 0
    for match in _PART.finditer(text):
        symbol, at = match["symbol"].upper(), match.start()
        times = int(match["times"]) if match["times"] else 1
        if symbol in currency:
            symbol = "$"
        elif decimal_comma and symbol in ",.":
            symbol = "." if symbol == "," else ","
        elif symbol == "E":
            raise PictureError("external floating point (a mantissa, E and an exponent) is not read", at)
        elif symbol not in _PLAIN | _EDITING | _SIGNS:
            hint = ("CR", "DB") if symbol in "CDR" else ("X", "A", "9", "S", "V", "P", "N", "G", "Z", "*", "+", "-")
            raise PictureError(f"`{match['symbol']}` is no PICTURE symbol", at, hint)
        if times < 1:
            raise PictureError("a symbol repeated zero times", at)
        total += times * (2 if symbol in ("CR", "DB") else 1)
        if total > MAX_SIZE:
            raise PictureError(f"longer than {MAX_SIZE:,} characters", at)
        parts.append((symbol, times, at))
    if not parts:
        raise PictureError("the PICTURE is empty", 0, ("X", "A", "9", "N", "G"))
    return parts


def _plain(text: str, parts: list[tuple[str, int, int]]) -> Picture:
    """X A 9 N G with S, V and P."""
    kinds = {symbol for symbol, _, _ in parts} - {"S", "V", "P"}
    if not kinds:
        raise PictureError("the PICTURE has no character or digit", 0, ("X", "A", "9", "N", "G"))
    first = next(at for symbol, _, at in parts if symbol in kinds)
    if len(kinds) > 1 and not kinds <= {"X", "A", "9"} and not kinds <= {"N", "G"}:
        odd = next((symbol, at) for symbol, _, at in parts if symbol in kinds and symbol != parts[0][0])
        raise PictureError(f"`{odd[0]}` cannot follow `{parts[0][0]}`", odd[1])
    size = sum(times for symbol, times, _ in parts if symbol in kinds)
    if kinds != {"9"}:
        wrong = next(((symbol, at) for symbol, _, at in parts if symbol in "SVP"), None)
        if wrong:
            raise PictureError(f"{wrong[0]} belongs to numbers only", wrong[1])
        category: Category = "national" if kinds <= {"N", "G"} else "alphabetic" if kinds == {"A"} else "alphanumeric"
        return Picture(text, category, size, size)
    scale, signed = _number(parts)
    if size > MAX_DIGITS:
        raise PictureError(f"a number of more than {MAX_DIGITS} digits", first)
    return Picture(text, "numeric", size, size, scale, signed)


def _number(parts: list[tuple[str, int, int]]) -> tuple[int, bool]:
    """The scale of a number (negative: so many zeros before the point) and whether it is signed."""
    point: int | None = None
    after = scaled_left = scaled_right = digits = 0
    signed = False
    for number, (symbol, times, at) in enumerate(parts):
        if symbol == "S":
            if number or times != 1:
                raise PictureError("S stands once, before every other symbol", at)
            signed = True
        elif symbol == "V":
            if point is not None or times != 1:
                raise PictureError("V stands once", at)
            point = at
        elif symbol == "P":
            if digits:
                scaled_right += times
            else:
                scaled_left += times
            if scaled_left and scaled_right:
                raise PictureError("P stands on one side of the digits only", at)
        else:
            if scaled_right:
                raise PictureError("a digit cannot follow the P on its right", at)
            digits += times
            after += times if point is not None else 0
    if scaled_left + scaled_right > MAX_DIGITS:
        raise PictureError(f"more than {MAX_DIGITS} P", 0)
    if scaled_left:
        return scaled_left + digits, signed
    return (-scaled_right if scaled_right else after), signed


def _text_edited(text: str, parts: list[tuple[str, int, int]]) -> Picture:
    for symbol, _, at in parts:
        if symbol not in ("X", "A", "9", "B", "0", "/"):
            raise PictureError(f"`{symbol}` cannot stand in edited text", at, ("X", "A", "9", "B", "0", "/"))
    size = sum(times for _, times, _ in parts)
    return Picture(text, "alphanumeric", size, size)


def _national_edited(text: str, parts: list[tuple[str, int, int]]) -> Picture:
    for symbol, _, at in parts:
        if symbol not in ("N", "G", "B", "0", "/"):
            raise PictureError(f"`{symbol}` cannot stand in edited national text", at, ("N", "G", "B", "0", "/"))
    size = sum(times for _, times, _ in parts)
    return Picture(text, "national", size, size)


def _edited(text: str, parts: list[tuple[str, int, int]]) -> Picture:
    """Numeric-edited: the character positions, how many of them are digits, and the scale."""
    symbols = "".join(
        {"CR": "cr", "DB": "db"}.get(symbol, symbol) * times for symbol, times, _ in parts if times <= MAX_EDITED
    )
    if len(symbols) > MAX_EDITED or any(times > MAX_EDITED for _, times, _ in parts):
        raise PictureError(f"an edited number of more than {MAX_EDITED} characters", 0)
    signed = bool(set(symbols) & set("+-cdS"))
    # A sign or currency sign that stands more than once floats: all of them but the first are places for digits.
    floating = next((s for s in "+-$" if symbols.count(s) > 1), "")
    digits = after = left = right = 0
    point = False
    skipped = False
    for symbol in symbols:
        if symbol in "V.":
            if point:
                raise PictureError("the decimal point stands once", max(text.rfind("."), text.upper().rfind("V"), 0))
            point = True
        elif symbol == "P":
            left, right = (left, right + 1) if digits else (left + 1, right)
        elif symbol in "9Z*" or (symbol == floating and skipped):
            digits += 1
            after += point
        elif symbol == floating:
            skipped = True
    if digits == 0:
        raise PictureError("the PICTURE has no digit", 0, ("9", "Z", "*"))
    if digits > MAX_DIGITS:
        raise PictureError(f"a number of more than {MAX_DIGITS} digits", 0)
    scale = left + digits if left else -right if right else after
    positions = sum(1 for symbol in symbols if symbol not in "VPS")
    return Picture(text, "edited", digits, positions, scale, signed, "".join(s for s in symbols if s not in "P"))
