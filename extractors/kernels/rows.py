"""Rows of cells in memory: where they end, their cells laid into places, and the marks that containers put before them."""

from __future__ import annotations

import enum

import numpy as np

from extractors.kernels.memory import jit

LONG, STRAY, NUMBER, FORMULA, WRONG, DAY, MERGED, CONTROL = (1 << bit for bit in range(8))
"""Bits of a cell; from NUMBER on a container says them, in a mark before the cell."""
FEWER, MORE, UNCLOSED, HIDDEN = 1, 2, 4, 8
"""Bits of a row."""

MARK = 0x1A
"""Before a cell: a byte follows with its bits from NUMBER on, over 40. Before a row: a byte that says what it is."""
SEPARATOR, END = 0x1F, 0x1E
"""What stands between the cells and the rows of a container."""


class Says(enum.IntEnum):
    """What a row is that begins with a MARK."""

    HEAD = ord("0")
    NOTE = ord("1")
    NOT_READ = ord("2")
    ACCOUNT = ord("3")
    MISSING = ord("4")
    DIFFERING = ord("5")
    HIDDEN = ord("6")
    BROKEN = ord("7")
    ROW_HIDDEN = ord("9")


@jit
def find_rows(buffer, first, stop, ends, separator, quote, end, longest, pos, limits):
    """Fill where rows begin and end; (how many, what is done with, whether a row is too long)."""
    found = 0
    start = first
    while start < stop and found < len(pos):
        i = start
        fresh = True
        done = False
        while i < stop:
            byte = buffer[i]
            if fresh and byte == quote:
                close = i + 1
                broken = False
                while close < stop and close - start <= longest:
                    if buffer[close] == quote:
                        if close + 1 < stop and buffer[close + 1] == quote:
                            close += 1
                        else:
                            break
                    broken |= buffer[close] == end
                    close += 1
                if close >= stop - 1 and not ends and close - start <= longest:
                    return found, start, False
                after = buffer[close + 1] if close + 1 < stop else end
                closed = close < stop and close - start <= longest
                # What closes a cell over a line break, and is followed by more of it, opens another row's cell.
                if not closed or (broken and after != separator and after != end and after != 13):
                    while i < stop and buffer[i] != end:
                        i += 1
                    done = i < stop
                    break
                i = close + 1
                fresh = False
                continue
            if byte == end:
                done = True
                break
            fresh = byte == separator
            i += 1
        if not done and not ends:
            return found, start, stop - start > longest
        if i - start > longest:
            return found, start, True
        limit = i
        if end == 10 and done and limit > start and buffer[limit - 1] == 13:
            limit -= 1
        pos[found] = start
        limits[found] = limit
        found += 1
        start = i + 1 if done else i
    return found, start, False


@jit
def lay_rows(data, pos, limits, order, separator, quote, marked, offsets, widths, length, out, flags):
    """Copy the cells of rows into their places, quotes taken off, and flag what is odd."""
    columns = len(offsets)
    for r in range(len(pos)):
        i, stop = pos[r], limits[r]
        base = np.int64(16) + r * length
        cell = 0
        if marked and i + 1 < stop and data[i] == 0x1A and data[i + 1] == 0x39:
            flags[r, columns] |= 8
            i += 2
        while True:
            column = order[cell] if cell < len(order) else np.int64(-1)
            bits = np.int64(0)
            if marked and i + 1 < stop and data[i] == 0x1A:
                bits = (np.int64(data[i + 1]) & 0x3F) << 2
                i += 2
            at, room = np.int64(0), np.int64(0)
            if column >= 0:
                at, room = base + offsets[column], widths[column]
            size = np.int64(0)
            quoted = i < stop and data[i] == quote
            if quoted:
                close = i + 1
                while close < stop:
                    if data[close] == quote:
                        if close + 1 < stop and data[close + 1] == quote:
                            close += 1
                        else:
                            break
                    close += 1
                if close >= stop:
                    flags[r, columns] |= 4
                i += 1
                while i < close:
                    if size < room:
                        out[at + size] = data[i]
                    size += 1
                    i += 2 if data[i] == quote else 1
                i = min(close + 1, stop)
            while i < stop and data[i] != separator:
                if (quoted and data[i] != 32) or data[i] == quote:
                    bits |= 2
                if size < room:
                    out[at + size] = data[i]
                size += 1
                i += 1
            if column >= 0:
                flags[r, column] |= bits | np.int64(size > room)
            elif cell >= len(order) and size > 0:
                flags[r, columns] |= 2
            cell += 1
            if i >= stop:
                break
            i += 1
        if cell < len(order) and not marked:
            flags[r, columns] |= 1


@jit
def write_rows(data, count, offsets, widths, length, separator, quote, end, out):
    """Write laid records as rows, trailing spaces left out; how many bytes, or -1 where a cell holds what ends one."""
    at = 0
    for r in range(count):
        for column in range(len(offsets)):
            if column > 0:
                out[at] = separator
                at += 1
            i = r * length + offsets[column]
            stop = i + widths[column]
            while stop > i and data[stop - 1] == 32:
                stop -= 1
            quoted = False
            for k in range(i, stop):
                special = data[k] == separator or data[k] == end or data[k] == quote or data[k] == 13
                quoted |= special or (quote < 0 and data[k] == 0x1A)
            if quoted and quote < 0:
                return -1
            if quoted:
                out[at] = quote
                at += 1
            while i < stop:
                if data[i] == quote:
                    out[at] = quote
                    at += 1
                out[at] = data[i]
                at += 1
                i += 1
            if quoted:
                out[at] = quote
                at += 1
        out[at] = end
        at += 1
    return at
