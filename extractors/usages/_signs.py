"""Numbers written as characters: tables of what each byte may be, the kernel that reads by them, and the usages of it.

The fast path (`zoned`) knows one form only: EBCDIC digits, the sign over the last. This kernel reads every other form a
byte at a time: the sign over the first digit or the last, in a byte of its own, in EBCDIC or in ASCII.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.dialects.contract import AsciiSigns
from extractors.kernels import plan as p
from extractors.kernels.memory import Kernel, byte_at, int_at, kernel, le32, put64
from extractors.kernels.plan import argument
from extractors.kernels.wide import to_decimal256
from extractors.layout import Field
from extractors.layout.storage import Storage
from extractors.usages._digits import add_scaled, digits_of, to_integers
from extractors.usages._floats import field_bytes
from extractors.usages._numbers import prepare_number
from extractors.usages.contract import LOST, NUMBER, OUT_OF_PICTURE, Prepared, Rules, Stores, Usage

DIGIT = 0x10
"""A plain digit; its value stands in the low four bits."""
PLUS_DIGIT = 0x20
MINUS_DIGIT = 0x40
"""A digit with a sign over it."""
PLUS = 0x80
MINUS = 0x100
"""A sign alone."""

BLANK = 0x200
"""A space or X'00'."""

TRAILING, LEADING, TRAILING_SEPARATE, LEADING_SEPARATE = range(4)
"""Where the sign stands: a kernel's PLACE."""
PADDED = 4
"""Added to the PLACE where spaces and X'00' around the digits are left out rather than make it no number."""

_ASCII: Mapping[AsciiSigns, tuple[tuple[bytes, ...], tuple[bytes, ...]]] = {
    "ebcdic": ((b"{ABCDEFGHI",), (b"}JKLMNOPQR", b"pqrstuvwxy")),
    "fujitsu": ((b"@ABCDEFGHI",), (b"PQRSTUVWXY",)),
}
"""The digits 0 to 9 under a plus and under a minus, in ASCII. P is -7 in the one and -0 in the other: a file has one."""


@functools.cache
def table(*, in_ascii: bool, plus: str, minus: str, ascii_signs: AsciiSigns = "ebcdic") -> np.ndarray:
    """(256,) uint32: what each byte may be.

    Args:
        in_ascii: ASCII digits; otherwise EBCDIC.
        plus: the EBCDIC zones that mean plus.
        minus: those that mean minus.
        ascii_signs: how a sign over an ASCII digit is written.
    """
    made = np.zeros(256, np.uint32)
    made[0], made[0x20 if in_ascii else 0x40] = BLANK, BLANK
    if in_ascii:
        for digit in range(10):
            made[0x30 + digit] = digit | DIGIT
            for kind, alphabets in zip((PLUS_DIGIT, MINUS_DIGIT), _ASCII[ascii_signs], strict=True):
                for codes in alphabets:
                    made[codes[digit]] = digit | kind
        made[ord("+")], made[ord("-")] = PLUS, MINUS
        return made
    for zone in "ABCDEF":
        for digit in range(10):
            kind = PLUS_DIGIT if zone in plus else MINUS_DIGIT if zone in minus else 0
            made[int(zone, 16) << 4 | digit] = digit | kind if kind else 0
    for digit in range(10):
        made[0xF0 | digit] = digit | DIGIT
    made[0x4E], made[0x60] = PLUS, MINUS
    return made


@kernel
def decode(plan, first, last, found):
    """Read digits and a sign a byte at a time, to 38 digits."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride, mode = argument(plan, p.WIDTH), argument(plan, p.STRIDE), argument(plan, p.PLACE)
    bytes_of, signed = argument(plan, p.SINGLE), argument(plan, p.MINUS) != 0
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    padded = mode >= 4
    mode &= 3
    separate = mode >= 2
    leading = mode == 1 or mode == 3
    for r in range(first, last):
        start = base + int_at(pos + 8 * r)
        left, right = np.int64(0), width
        if padded:
            while right > 0 and (le32(bytes_of + 4 * np.int64(byte_at(start + right - 1))) & np.uint64(0x200)) != 0:
                right -= 1
            while left < right and (le32(bytes_of + 4 * np.int64(byte_at(start + left))) & np.uint64(0x200)) != 0:
                left += 1
        begin = left + 1 if mode == 3 else left
        stop = right - 1 if mode == 2 else right
        over = np.int64(-1) if separate else begin if leading else stop - 1
        top, total = np.uint64(0), np.uint64(0)
        bad = stop <= begin
        negative = False
        for i in range(begin, stop):
            entry = le32(bytes_of + 4 * np.int64(byte_at(start + i)))
            plain = (entry & np.uint64(0x10)) != np.uint64(0)
            if i == over:
                negative = (entry & np.uint64(0x40)) != np.uint64(0)
                bad |= (not plain) and (entry & np.uint64(0x60)) == np.uint64(0)
                bad |= negative and not signed
            else:
                bad |= not plain
            top, total = add_scaled(top, total, np.uint64(10), entry & np.uint64(0xF))
        if separate and right > left:
            entry = le32(bytes_of + 4 * np.int64(byte_at(start + (left if leading else right - 1))))
            negative = (entry & np.uint64(0x100)) != np.uint64(0)
            bad |= (entry & np.uint64(0x180)) == np.uint64(0)
        if negative:
            total = ~total + np.uint64(1)
            top = ~top + np.uint64(total == np.uint64(0))
        put64(out + 8 * stride * r, np.int64(total))
        if stride == 2:
            put64(out + 16 * r + 8, np.int64(top))
        lost = np.int64(bad)
        fewer = np.int64(right - left < width) & (lost ^ 1)
        put64(listed + 8 * found, (lost | fewer << 1) << 32 | r)
        found += lost | fewer
    return found


def usage(
    name: str,
    doc: str,
    *,
    over: int | None,
    empty: bytes,
    stores: Stores | None = None,
    becomes: Callable[[Charset], str | None] | None = None,
    words: Mapping[str, Storage] = MappingProxyType({}),
    fast: Callable[[Field], Kernel] | None = None,
) -> Usage:
    """The usage of digits a byte each.

    Args:
        name, doc, empty, stores, becomes, words: as a `Usage` has them.
        over: TRAILING or LEADING, where the sign stands over a digit; None where it is a byte of its own.
        fast: the kernel for numbers that are not padded; by default the one here, which reads all.
    """

    def place(field: Field) -> int:
        return over if over is not None else LEADING_SEPARATE if field.leading else TRAILING_SEPARATE

    def prepare(row: np.ndarray, field: Field, rules: Rules) -> Prepared:
        prepare_number(row, field, rules)
        if fast is not None and not rules.padded:
            return Prepared(fast(field))
        known = _known(field, rules)
        row[p.SINGLE] = known.ctypes.data
        row[p.PLACE] = place(field) + (PADDED if rules.padded else 0)
        return Prepared(decode, (known,))

    def read(
        field: Field, data: np.ndarray, starts: np.ndarray, rules: Rules
    ) -> tuple[pa.Array, np.ndarray, np.ndarray]:
        return _read(field, field_bytes(data, starts, field.width), _known(field, rules), place(field))

    def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
        return _encode(field, to_integers(column), cells, place(field), in_ascii=charset.ascii)

    return Usage(
        name=name,
        doc=doc,
        value=NUMBER,
        words=words,
        stores=stores,
        becomes=becomes,
        prepare=prepare,
        read=read,
        flags={LOST: "D202", OUT_OF_PICTURE: "D210"},
        blank_code="D203",
        empty=empty,
        encode=encode,
    )


def _known(field: Field, rules: Rules) -> np.ndarray:
    plus, minus = rules.dialect.plus_signs, rules.dialect.minus_signs
    return table(in_ascii=rules.charset.ascii, plus=plus, minus=minus, ascii_signs=field.ascii_signs)


def _read(field: Field, raw: np.ndarray, known: np.ndarray, place: int) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Decode a column of more than 38 digits."""
    entries = known[raw]
    at, others = (0, entries[:, 1:]) if place in (LEADING, LEADING_SEPARATE) else (-1, entries[:, :-1])
    separate = place in (LEADING_SEPARATE, TRAILING_SEPARATE)
    sign = entries[:, at]
    allowed, minus = (PLUS | MINUS, MINUS) if separate else (DIGIT | PLUS_DIGIT | MINUS_DIGIT, MINUS_DIGIT)
    negative = (sign & minus) != 0
    bad = ((others & DIGIT) == 0).any(axis=1) | ((sign & allowed) == 0)
    if not separate:
        bad |= negative & (not field.picture.signed)
    rows = np.nonzero(bad)[0]
    digits = np.where(bad[:, None], 0, others if separate else entries) & 0xF
    column = to_decimal256(digits.astype(np.uint8), negative, field.arrow_type)
    return column, rows, np.full(len(rows), LOST, np.int64)


def _encode(field: Field, values: np.ndarray, cells: np.ndarray, place: int, *, in_ascii: bool) -> np.ndarray:
    """Write a column of unscaled numbers: digits, and the sign in its place; without S in the PICTURE there is none."""
    separate = place in (LEADING_SEPARATE, TRAILING_SEPARATE)
    at, rest = (0, np.s_[1:]) if place in (LEADING, LEADING_SEPARATE) else (-1, np.s_[:-1])
    digits, misfit = digits_of(values, field.width - separate, field.picture.size)
    minus = np.asarray(values < 0, bool)
    zone = 0x30 if in_ascii else 0xF0
    if separate:
        plus_sign, minus_sign = b"+-" if in_ascii else b"\x4e\x60"
        cells[:, at], cells[:, rest] = np.where(minus, minus_sign, plus_sign), digits | zone
        return misfit
    cells[:] = digits | zone
    if not field.picture.signed:
        return np.asarray(misfit | minus, bool)
    cells[:, at] = over_digits(field, digits[:, at], minus, in_ascii=in_ascii)
    return misfit


def over_digits(field: Field, digits: np.ndarray, minus: np.ndarray, *, in_ascii: bool) -> np.ndarray:
    """Digits with their signs over them: C and D in EBCDIC, in ASCII as the field's dialect writes them."""
    fujitsu = field.ascii_signs == "fujitsu"
    plus_zone, minus_zone = (0xC0, 0xD0) if not in_ascii else (0x40, 0x50) if fujitsu else (0x30, 0x70)
    return (digits | np.where(minus, minus_zone, plus_zone)).astype(np.uint8)
