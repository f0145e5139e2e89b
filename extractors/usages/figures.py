"""A number as text files write it: digits with or without commas, a sign before or behind them, a decimal point.

    "1,234.5"  ->  1234.50 (of two decimals)        "120-"  ->  -120        "12.345"  ->  no value: a decimal would be lost

Spaces around it are left out, and a field of only spaces is no value. Commas stand among digits before the point; nothing
is rounded, a zero behind the decimals of its column is no loss, and more digits than the sheet says are no value.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.kernels import plan as p
from extractors.kernels.memory import byte_at, int_at, kernel, put64
from extractors.kernels.plan import argument
from extractors.layout import Field
from extractors.usages._digits import add_scaled, to_integers
from extractors.usages._numbers import prepare_number
from extractors.usages.contract import LOST, NUMBER, Prepared, Rules, Usage

_SPACE, _COMMA, _POINT, _PLUS, _MINUS = (np.uint64(ord(mark)) for mark in " ,.+-")
_ZERO = np.uint64(ord("0"))


@kernel
def decode(plan, first, last, found):
    """Read a written number a byte at a time, to 38 digits."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride = argument(plan, p.WIDTH), argument(plan, p.STRIDE)
    scale, digits = argument(plan, p.SCALE), argument(plan, p.DIGITS)
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    for r in range(first, last):
        at = base + int_at(pos + 8 * r)
        stop = at + width
        while stop > at and byte_at(stop - 1) == _SPACE:
            stop -= 1
        while at < stop and byte_at(at) == _SPACE:
            at += 1
        negative = signed = False
        if at < stop and (byte_at(at) == _MINUS or byte_at(at) == _PLUS):
            negative = byte_at(at) == _MINUS
            signed = True
            at += 1
        elif at < stop and (byte_at(stop - 1) == _MINUS or byte_at(stop - 1) == _PLUS):
            negative = byte_at(stop - 1) == _MINUS
            signed = True
            stop -= 1
        while signed and at < stop and byte_at(at) == _SPACE:
            at += 1
        while signed and at < stop and byte_at(stop - 1) == _SPACE:
            stop -= 1
        top, total = np.uint64(0), np.uint64(0)
        seen, leading, after = np.int64(0), True, np.int64(-1)
        bad = at == stop
        while at < stop:
            byte = byte_at(at)
            at += 1
            value = byte - _ZERO
            if value < np.uint64(10):
                if after >= scale:
                    # What stands behind the decimals of the column must be nothing.
                    bad |= value != np.uint64(0)
                    continue
                leading &= value == np.uint64(0)
                top, total = add_scaled(top, total, np.uint64(10), value)
                seen += np.int64(not leading)
                after += np.int64(after >= 0)
            elif byte == _POINT:
                bad |= after >= 0
                after = np.int64(0)
            else:
                bad |= byte != _COMMA or after >= 0 or at == stop or byte_at(at) - _ZERO >= np.uint64(10)
        for _ in range(scale - max(after, np.int64(0))):
            top, total = add_scaled(top, total, np.uint64(10), np.uint64(0))
            seen += np.int64(not leading)
        bad |= seen > digits
        if negative:
            total = ~total + np.uint64(1)
            top = ~top + np.uint64(total == np.uint64(0))
        put64(out + 8 * stride * r, np.int64(total))
        if stride == 2:
            put64(out + 16 * r + 8, np.int64(top))
        lost = np.int64(bad)
        put64(listed + 8 * found, lost << 32 | r)
        found += lost
    return found


def prepare(row: np.ndarray, field: Field, rules: Rules) -> Prepared:
    """Write how many decimals the column has."""
    prepare_number(row, field, rules)
    row[p.SCALE] = field.picture.scale
    return Prepared(decode)


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write unscaled numbers, with the decimals of the column and a minus before them where they are negative."""
    scale, width = field.picture.scale, cells.shape[1]
    misfit = np.zeros(len(cells), bool)
    for row, value in enumerate(to_integers(column).tolist()):
        figures = str(abs(value)).zfill(scale + 1)
        text = ("-" if value < 0 else "") + (f"{figures[:-scale]}.{figures[-scale:]}" if scale else figures)
        misfit[row] = len(figures) > max(field.picture.size, scale + 1)
        cells[row] = np.frombuffer(text.encode()[:width].ljust(width), np.uint8)
    return misfit


USAGE = Usage(
    name="figures",
    doc=__doc__ or "",
    value=NUMBER,
    prepare=prepare,
    flags={LOST: "D206"},
    blank_code="D203",
    empty=b"\x00\x20",
    encode=encode,
)
