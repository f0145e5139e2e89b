"""Numeric-edited pictures: a number as it was printed, digits among spaces, signs, commas and a decimal point.

    PIC ZZ,ZZ9.99-    " 1,234.50-"  ->  -1234.50        PIC 9(6).99CR    "001234.50  "  ->  1234.50

A picture's own insertions (, / B 0) are skipped, a sign may stand on either side (CR and DB are minus), and the digits are placed
by the decimal point, or, where the picture has V, by their count. Text that is a number but not as this picture prints
it (out of place, fewer digits) is kept and reported; a field of only spaces is no value, unless BLANK WHEN ZERO or a
picture without a 9 makes it zero. A sign may also stand over the last digit where the picture has S.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.dialects.contract import Dialect
from extractors.kernels import plan as p
from extractors.kernels.memory import byte_at, int_at, kernel, le32, put64
from extractors.kernels.plan import argument
from extractors.layout import Field
from extractors.layout.storage import DISPLAY, Described, Stored
from extractors.usages import _edited_table as tables
from extractors.usages import _signs as signs
from extractors.usages._digits import add_scaled, digits_of, to_integers
from extractors.usages._numbers import number_type, prepare_number
from extractors.usages.contract import LOST, NUMBER, OUT_OF_PICTURE, Prepared, Rules, Usage


@kernel
def decode(plan, first, last, found):
    """Read a printed number a byte at a time, to 38 digits."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride = argument(plan, p.WIDTH), argument(plan, p.STRIDE)
    bytes_of, scale, digits = argument(plan, p.SINGLE), argument(plan, p.SCALE), argument(plan, p.DIGITS)
    letters = argument(plan, p.LETTERS)
    credit, over = letters > 3, letters == 3
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    explicit = argument(plan, p.POINT) != 0
    inserted = argument(plan, p.DOUBLE)
    for r in range(first, last):
        start = base + int_at(pos + 8 * r)
        top, total = np.uint64(0), np.uint64(0)
        bad = False
        negative = False
        signed = 0
        seen = np.int64(0)
        after = np.int64(-1)
        ended = False
        stop = width
        if credit:
            ending = np.int64(byte_at(start + width - 2) << np.uint64(8) | byte_at(start + width - 1))
            blank = ending == argument(plan, p.BLANK) & 0xFFFF
            bad |= not (blank or ending == letters)
            negative = not blank
            stop = width - 2
        for i in range(stop):
            own = byte_at(inserted + 2 * i + 1) != np.uint64(0)
            if own and byte_at(inserted + 2 * i) == byte_at(start + i):
                continue
            entry = le32(bytes_of + 4 * np.int64(byte_at(start + i)))
            kind = entry & np.uint64(0x1FF0)
            if kind == np.uint64(0x10) or (over and (kind & np.uint64(0xC00)) != np.uint64(0)):
                bad |= ended
                if kind != np.uint64(0x10):
                    negative = (kind & np.uint64(0x800)) != np.uint64(0)
                    signed += 1
                    ended = True
                top, total = add_scaled(top, total, np.uint64(10), entry & np.uint64(0xF))
                seen += 1
                if after >= 0:
                    after += 1
            elif kind == np.uint64(0x20):
                bad |= after >= 0 or ended
                after = np.int64(0)
            elif kind == np.uint64(0x80) or kind == np.uint64(0x100):
                signed += 1
                negative |= kind == np.uint64(0x100)
                ended |= seen > 0
            elif kind == np.uint64(0x1000):
                ended |= seen > 0
            else:
                bad |= kind != np.uint64(0x40)
        bad |= seen == 0 or signed > 1 or seen > 38
        odd = False
        if explicit:
            # Fewer places after the point than the picture has: they are zeros.
            missing = scale - max(after, np.int64(0))
            bad |= missing < 0 or seen + missing > 38
            odd = missing != 0
            if not bad:
                for _ in range(missing):
                    top, total = add_scaled(top, total, np.uint64(10), np.uint64(0))
        else:
            bad |= after >= 0
        odd |= seen > digits
        bad |= seen > digits and stride == 1 and seen > 18
        if negative:
            total = ~total + np.uint64(1)
            top = ~top + np.uint64(total == np.uint64(0))
        put64(out + 8 * stride * r, np.int64(total))
        if stride == 2:
            put64(out + 16 * r + 8, np.int64(top))
        lost = np.int64(bad)
        beyond = np.int64(odd) & (lost ^ 1)
        put64(listed + 8 * found, (lost | beyond << 1) << 32 | r)
        found += lost | beyond
    return found


def store(item: Described, dialect: Dialect) -> Stored | None:
    """A number as it is printed, whatever room its PICTURE has beside the digits."""
    picture = item.picture
    if item.storage != DISPLAY or picture is None or picture.category != "edited":
        return None
    return Stored(picture.positions, number_type(picture, picture.positions), picture)


def prepare(row: np.ndarray, field: Field, rules: Rules) -> Prepared:
    """Write what each byte may be, what the picture itself puts where, and how it writes its sign."""
    prepare_number(row, field, rules)
    picture, in_ascii = field.picture, rules.charset.ascii
    known = tables.table(in_ascii=in_ascii, picture=picture, ascii_signs=field.ascii_signs)
    inserted = tables.inserted(in_ascii=in_ascii, picture=picture)
    row[p.SINGLE], row[p.DOUBLE] = known.ctypes.data, inserted.ctypes.data
    row[p.SCALE], row[p.POINT] = max(picture.scale, 0), "." in picture.symbols
    row[p.LETTERS] = tables.sign_of(picture.symbols, in_ascii=in_ascii)
    return Prepared(decode, (known, inserted))


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers as the picture prints them."""
    values = to_integers(column)
    digits, misfit = digits_of(values, field.picture.size, field.picture.size)
    minus = np.asarray(values < 0, bool)
    if not field.picture.signed:
        misfit |= minus
    codec = "latin-1" if charset.ascii else "cp037"
    code = {c: c.encode(codec)[0] for c in " 0123456789,./*+-$CRDB"}
    if field.picture.decimal_comma:
        code["."], code[","] = code[","], code["."]
    symbols = field.picture.symbols.replace("V", "").replace("S", "")
    floating = next((s for s in "+-$" if symbols.count(s) > 1), "")
    started = np.zeros(len(values), bool)
    zero = np.asarray(values == 0, bool)
    place = position = 0
    last_filler = np.full(len(values), -1)
    suppress_all = "9" not in symbols
    skipped = False
    for position, symbol in enumerate(symbols):
        if symbol in "9Z*" or (symbol == floating and skipped):
            digit = digits[:, place]
            place += 1
            started |= (digit != 0) | (symbol == "9")
            filler = code["*"] if symbol == "*" else code[" "]
            cells[:, position] = np.where(started, digit + code["0"], filler)
            if symbol == floating:
                last_filler[~started] = position
        elif symbol == floating:
            skipped = True
            cells[:, position] = code[" "]
            last_filler[:] = position
        elif symbol in ",/0B":
            insertion = code[" "] if symbol == "B" else code[symbol]
            suppressed = ~started & (symbol == ",")
            star = "*" in symbols
            cells[:, position] = np.where(suppressed, code["*"] if star else code[" "], insertion)
            if floating:
                last_filler[suppressed] = position
        elif symbol == ".":
            started[:] = True
            cells[:, position] = code["."]
        elif symbol in "+-":
            cells[:, position] = np.where(minus, code["-"], code["+"] if symbol == "+" else code[" "])
        elif symbol == "$":
            cells[:, position] = code["$"]
        else:
            letter = symbol.upper()
            cells[:, position] = np.where(minus, code[letter], code[" "])
    if floating:
        sign = code["$"] if floating == "$" else code["-"]
        plain = code["$"] if floating == "$" else code["+"] if floating == "+" else code[" "]
        rows = np.nonzero(last_filler >= 0)[0]
        cells[rows, last_filler[rows]] = np.where(minus[rows], sign, plain)
    if (suppress_all and floating != "*" and "*" not in symbols) or field.blank_when_zero:
        cells[zero] = code[" "]
    if "S" in field.picture.symbols:
        rows = np.nonzero(minus)[0]
        last = cells[rows, -1] & 0x0F
        cells[rows, -1] = signs.over_digits(field, last, minus[rows], in_ascii=charset.ascii)
    return misfit


USAGE = Usage(
    name="edited",
    doc=__doc__ or "",
    value=NUMBER,
    stores=store,
    prepare=prepare,
    flags={LOST: "D206", OUT_OF_PICTURE: "D207"},
    blank_code="D203",
    empty=b"\x00\x40\x20",
    encode=encode,
)
