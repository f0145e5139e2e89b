"""Texts written as a charset's bytes, between its shift codes: the inverse of the kernel of shifted text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets._character_tables import EncodeTables, encode_tables
from extractors.charsets.contract import Charset
from extractors.kernels.memory import inner, jit


@jit
def write(ends, text, width, single, double, begins, steps, targets, opening, closing, mode, blank, cells, misfit):
    """Write UTF-8 texts into cells of `width` bytes already filled with spaces; mark those that do not fit.

    Compiled. A text that is too long, or holds a character that the charset cannot write, is marked and left blank.
    `mode`: 0 single bytes only, 1 both, 2 double-byte only.
    """
    for r in range(len(ends) - 1):
        i, stop = ends[r], ends[r + 1]
        at = 0
        is_double = mode == 2
        fits = True
        while i < stop and fits:
            node, i = _point(text, i)
            entry = _choose(node, single, double, mode)
            after = i
            while begins[node] and after < stop:
                point, after = _point(text, after)
                key = node << 21 | point
                found = np.searchsorted(steps, key)
                if found == len(steps) or steps[found] != key:
                    break
                node = targets[found]
                longer = _choose(node, single, double, mode)
                if longer != 0:
                    entry = longer
                    i = after
            size = entry >> 24
            if size == 0:
                fits = False
                break
            if mode == 1 and (size > 1) != is_double and len(opening) > 0:
                shift = opening if size > 1 else closing
                if at + len(shift) > width:
                    fits = False
                    break
                for byte in shift:
                    cells[r, at] = byte
                    at += 1
                is_double = size > 1
            if at + size + (len(closing) if is_double and mode == 1 else 0) > width:
                fits = False
                break
            if size == 3:
                cells[r, at] = 0x8F
                at += 1
            if size > 1:
                cells[r, at] = (entry >> 8) & 0xFF
                at += 1
            cells[r, at] = entry & 0xFF
            at += 1
        if is_double and mode == 1 and fits:
            for byte in closing:
                cells[r, at] = byte
                at += 1
        if not fits:
            misfit[r] = True
            cells[r, :] = blank


@inner
def _choose(node, single, double, mode):
    """The entry that writes a node: a single byte where the field may hold one and the charset has it."""
    if mode == 0:
        return np.int64(single[node])
    if mode == 2 or single[node] == 0:
        return np.int64(double[node])
    return np.int64(single[node])


@inner
def _point(text, i):
    """(the scalar that begins at i, where the next one does)."""
    byte = np.int64(text[i])
    if byte < 0x80:
        return byte, i + 1
    second = np.int64(text[i + 1] & 0x3F)
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | second, i + 2
    third = np.int64(text[i + 2] & 0x3F)
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | second << 6 | third, i + 3
    return (byte & 0x07) << 18 | second << 12 | third << 6 | np.int64(text[i + 3] & 0x3F), i + 4


SINGLE_ONLY, BOTH, DOUBLE_ONLY = range(3)
"""Which bytes a field may hold."""


def encode_text(column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray, *, mode: int) -> np.ndarray:
    """Write a column of text, with shifts where the charset needs them, padded with spaces.

    Args:
        column: texts, null as no text.
        charset: whose codes.
        cells: (texts, width) uint8, written whole.
        mode: SINGLE_ONLY, BOTH or DOUBLE_ONLY.

    Returns:
        The mask of the texts that do not fit.
    """
    tables = encode_tables(charset)
    if isinstance(column, np.ndarray) and len(column) == 1 and mode != DOUBLE_ONLY:
        # A value of a spec: for one text the compiler and Arrow's look for pandas are not started.
        plain = _plain_bytes(column[0] or "", tables)
        if plain is not None and len(plain) <= cells.shape[1]:
            cells[:] = charset.blank
            cells[0, : len(plain)] = plain
            return np.zeros(1, np.bool_)
    array = pa.array(column, pa.string()) if isinstance(column, np.ndarray) else column.cast(pa.string())
    array = pa.concat_arrays([array.fill_null("")])
    ends = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    data = array.buffers()[2]
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    misfit = np.zeros(len(array), np.bool_)
    filled = np.full(cells.shape, charset.blank, np.uint8)
    if mode == DOUBLE_ONLY and charset.double_space is not None and charset.double_space != charset.blank * 0x101:
        # Where two spaces are no ideographic space, a double-byte field is padded with its own.
        even = cells.shape[1] // 2 * 2
        filled[:, 0:even:2], filled[:, 1:even:2] = charset.double_space >> 8, charset.double_space & 0xFF
    shifts = [
        np.frombuffer(code, np.uint8) if code else np.zeros(0, np.uint8) for code in (charset.opening, charset.closing)
    ]
    rest = (tables.single, tables.double, tables.begins, tables.steps, tables.targets, *shifts)
    write(ends, text, cells.shape[1], *rest, mode, charset.blank, filled, misfit)
    cells[:] = filled
    return misfit


def _plain_bytes(text: str, tables: EncodeTables) -> np.ndarray | None:
    """What `write` makes of a text whose characters are single bytes, each by itself; None of any other text."""
    nodes = np.array([ord(character) for character in text], np.int64)
    if tables.begins[nodes].any() or not tables.single[nodes].all():
        return None
    return (tables.single[nodes] & 0xFF).astype(np.uint8)
