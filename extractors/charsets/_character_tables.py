"""A charset in the forms that the kernels read: its decode tables, and their inverse.

A text is written as its charset's canonical codes. Where one character has several codes, the first assigned one of the
best class is canonical, but for the ideographic space, which is the charset's own choice; the others are its `one_way`
codes. A character that has a single-byte code, too, is written as that, but in a field of double-byte text alone.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from extractors.charsets.contract import (
    FIRST_SEQUENCE,
    IDEOGRAPHIC_SPACE,
    REPLACEMENT,
    SECOND_PLANE,
    CharacterClass,
    Charset,
)
from extractors.table_files.contract import MAX_TEXT

FOUR_BYTES, SEQUENCE, PAIR, TRIPLE = 4, 5, 6, 7
"""Sizes of an entry that are not simply bytes to write: UTF-8 of four bytes, a sequence, the first of two or three."""

HALF_PAIR = 7
"""In the table of pairs: the second byte cannot belong to the first, which reads as U+FFFD alone."""

CELL = MAX_TEXT + 1
"""Bytes of a sequence's cell: up to 15 of UTF-8, then how many."""

_FAR = 0x40000
"""From here on UTF-8 does not begin with F0: such a character is kept among the sequences."""

TO_DOUBLE, TO_SINGLE, ASK = 1, 2, 3
"""What a byte at a character boundary does: change the state, or ask the shift codes."""


@dataclasses.dataclass(frozen=True, slots=True)
class DecodeTables:
    """A charset in the form that the text kernel reads.

    Attributes:
        single: (256,) uint32, the UTF-8 bytes in the low 24 bits (of a sequence of four the last three: the first is
            always F0 below U+40000), the size in bits 24 to 26, the class in bits 27 to 29, what the byte does to the
            state in bits 30 and 31. A size up to 3 is the number of UTF-8 bytes.
        double: the same of each pair, its state bits those of its first byte; then again for each shift code after which
            some pairs read as others.
        shifts: (n, 4) int64, the longest first: length, code, where in bytes its table of pairs begins in `double`,
            TO_DOUBLE or TO_SINGLE; a row of zeros ends it.
        sequences: cells of `CELL` bytes.
        growth: most UTF-8 bytes that a byte of the dump can become.
    """

    single: np.ndarray
    double: np.ndarray
    shifts: np.ndarray
    sequences: np.ndarray
    growth: int


def _entries(table: np.ndarray, far: np.ndarray, sequences: int) -> np.ndarray:
    point = (table & 0xFFFFFF).astype(np.uint32)
    beyond = (point >= _FAR) & (point < FIRST_SEQUENCE)
    point[beyond] = FIRST_SEQUENCE + sequences + np.searchsorted(far, point[beyond])
    kind = table >> 24
    low6 = np.uint32(0x3F)
    two = (0xC0 | point >> 6) | (0x80 | point & low6) << 8
    three = (0xE0 | point >> 12) | (0x80 | point >> 6 & low6) << 8 | (0x80 | point & low6) << 16
    four = (0x80 | point >> 12 & low6) | (0x80 | point >> 6 & low6) << 8 | (0x80 | point & low6) << 16
    sequence = point - np.uint32(FIRST_SEQUENCE)
    size = 1 + (point >= 0x80).astype(np.uint32) + (point >= 0x800) + (point >= 0x10000) + (point >= FIRST_SEQUENCE)
    data = np.select([size == 1, size == 2, size == 3, size == 4], [point, two, three, four], sequence)
    return np.ascontiguousarray(data | size << 24 | kind << 27).astype(np.uint32)


@functools.lru_cache(maxsize=16)
def decode_tables(charset: Charset, *, shifted: bool) -> DecodeTables:
    """Bring a charset into the kernel's form; without `shifted` no byte is a shift code or begins a pair."""
    points = np.concatenate([charset.single, charset.double]) & 0xFFFFFF
    far = np.unique(points[(points >= _FAR) & (points < FIRST_SEQUENCE)])
    single, double = (_entries(table, far, len(charset.sequences)) for table in (charset.single, charset.double))
    ordered = sorted(charset.shifts, key=lambda s: -len(s.code)) if shifted else []
    for first in {shift.code[0] for shift in ordered}:
        alone = [s for s in ordered if s.code[0] == first]
        direct = len(alone) == 1 and len(alone[0].code) == 1 and not alone[0].moved
        action = (TO_DOUBLE if alone[0].double else TO_SINGLE) if direct else ASK
        single[first] |= np.uint32(action << 30)
        double[first << 8 : (first + 1) << 8] |= np.uint32(action << 30)
    if shifted and charset.leads:
        for byte, size in charset.leads.items():
            single[byte] = (PAIR if size == 2 else TRIPLE) << 24
        _mark_half_pairs(charset, double)
    table = np.zeros((len(ordered) + 1, 4), np.int64)
    planes = [double]
    for row, shift in zip(table, ordered, strict=False):
        plane = 0
        if shift.moved:
            plane = sum(part.nbytes for part in planes)
            planes.append(double.copy())
            planes[-1][list(shift.moved)] = double[list(shift.moved.values())]
        row[:] = len(shift.code), int.from_bytes(shift.code), plane, TO_DOUBLE if shift.double else TO_SINGLE
    double = np.concatenate(planes) if len(planes) > 1 else double
    longest = [len(text.encode()) for text in charset.sequences]
    cells = np.zeros((len(charset.sequences) + len(far) + 1, CELL), np.uint8)
    cells[len(charset.sequences) : -1, -1] = 4
    cells[len(charset.sequences) : -1, :4] = np.frombuffer("".join(map(chr, far)).encode(), np.uint8).reshape(-1, 4)
    for cell, text in zip(cells, charset.sequences, strict=False):
        data = text.encode()
        if len(data) >= CELL:
            raise ValueError(f"a sequence of {len(text)} scalars is longer than {CELL - 1} bytes of UTF-8")
        cell[: len(data)] = np.frombuffer(data, np.uint8)
        cell[-1] = len(data)
    return DecodeTables(single, double, table, cells, max(3, (max(longest, default=0) + 1) // 2))


def _mark_half_pairs(charset: Charset, double: np.ndarray) -> None:
    """Where a byte that begins a pair stands before one that never ends a pair, it alone is what cannot be read."""
    assigned = (charset.double >> 24 != CharacterClass.UNDEFINED).reshape(-1, 256, 256)
    never = ~assigned[:, list(charset.leads)].any(axis=(0, 1))
    planes = double.reshape(-1, 256, 256)
    for byte in charset.leads:
        planes[:, byte, never] = planes[:, byte, never] & ~np.uint32(7 << 24) | np.uint32(HALF_PAIR << 24)


@dataclasses.dataclass(frozen=True, slots=True)
class EncodeTables:
    """The inverse of a charset, in the form that `write` reads.

    A text is read as nodes: a scalar is its own node; a sequence continues from one node to the next by `steps`, sorted
    node << 21 | scalar, whose targets are numbered from 0x110000 in the same order as `targets` says.

    Attributes:
        single: (nodes,) uint32, 1 << 24 | byte, or 0 where no single byte encodes the node.
        double: (nodes,) uint32, 2 << 24 | pair, 3 << 24 | pair after a third byte, or 0.
        begins: (nodes,) uint8, whether a longer sequence begins with the node.
        steps: sorted int64 keys.
        targets: the node that each leads to.
    """

    single: np.ndarray
    double: np.ndarray
    begins: np.ndarray
    steps: np.ndarray
    targets: np.ndarray


_WRITTEN = (
    CharacterClass.VARIANT,
    CharacterClass.DECIDED,
    CharacterClass.EXTENDED,
    CharacterClass.USER_DEFINED,
    CharacterClass.STANDARD,
)
"""The classes whose codes are written, the preferred ones last."""


@functools.lru_cache(maxsize=16)
def encode_tables(charset: Charset) -> EncodeTables:
    """Invert a charset."""
    steps: dict[int, int] = {}
    nodes: list[int] = []
    for text in charset.sequences:
        node = ord(text[0])
        for character in text[1:]:
            key = node << 21 | ord(character)
            node = steps.setdefault(key, FIRST_SEQUENCE + len(steps))
        nodes.append(node)
    size = FIRST_SEQUENCE + len(steps)
    node_of = np.concatenate([np.arange(FIRST_SEQUENCE), np.array(nodes, np.int64)]).astype(np.int64)
    single, double = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
    for kind in _WRITTEN:
        for table, target in ((charset.single, single), (charset.double, double)):
            codes = np.nonzero(table >> 24 == kind)[0][::-1].astype(np.uint32)
            if table is charset.double and charset.decode_only:
                codes = codes[~np.isin(codes, list(charset.decode_only))]
            marks = (
                np.uint32(1 << 24)
                if table is charset.single
                else np.where(codes < SECOND_PLANE, 2, 3).astype(np.uint32) << 24
            )
            target[node_of[table[codes] & 0xFFFFFF]] = marks | codes & 0xFFFF
    if charset.double_space is not None:
        double[IDEOGRAPHIC_SPACE] = 2 << 24 | charset.double_space
    single[REPLACEMENT] = double[REPLACEMENT] = 0
    begins = np.zeros(size, np.uint8)
    begins[[key >> 21 for key in steps]] = 1
    keys = np.array(sorted(steps), np.int64)
    targets = np.array([steps[int(key)] for key in keys], np.int64)
    return EncodeTables(single, double, begins, keys, targets)


def one_way(charset: Charset) -> dict[int, int]:
    """The double-byte codes that are not written back as themselves, each with the code that is; Unicode has none."""
    if charset.usage is not None:
        return {}
    tables = encode_tables(charset)
    node_of = _nodes(charset)
    codes = np.nonzero(np.isin(charset.double >> 24, _WRITTEN))[0]
    back = tables.double[node_of[charset.double[codes] & 0xFFFFFF]]
    again = np.where(back >> 24 == 3, (back & 0xFFFF) + SECOND_PLANE, back & 0xFFFF)
    return {int(code): int(other) for code, other in zip(codes, again, strict=True) if code != other}


def _nodes(charset: Charset) -> np.ndarray:
    """The node of every character number."""
    tables = encode_tables(charset)
    found = list(range(FIRST_SEQUENCE))
    for text in charset.sequences:
        node = ord(text[0])
        for character in text[1:]:
            at = int(np.searchsorted(tables.steps, node << 21 | ord(character)))
            node = int(tables.targets[at])
        found.append(node)
    return np.array(found, np.int64)
