"""Records -> a piece of a dump: descriptor words before them, blocks around them; the inverse of the walks.

No record is looked at by itself: words are written for all of them, and what goes on is a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from extractors.framings._words import Word
from extractors.framings.contract import Wrap

BLOCK = 32_760
"""Bytes of the blocks that are written, the block's word included: the most that a block without extended words has."""


def words(word: Word, sizes: np.ndarray) -> np.ndarray:
    """Descriptor words before so many bytes each.

    Args:
        word: how they are written.
        sizes: int64, the bytes that follow each.

    Returns:
        (words, bytes of a word) uint8; zero beside the length.

    Raises:
        ValueError: a length does not fit.
    """
    _, at, width, little, added = word.numbers
    lengths = sizes - added
    written = np.zeros((len(sizes), word.size), np.uint8)
    if not len(sizes):
        return written
    extended = word == Word() and bool((lengths >= 0x8000).any())
    if extended:
        # The first bit set: the length takes all four bytes.
        at, width, lengths = 0, 4, lengths | (1 << 31)
    if lengths.min() < 0 or (width < 8 and lengths.max() >= 1 << 8 * width):
        raise ValueError(f"a length of {int(sizes.max()):,} bytes does not fit a descriptor word of {width}")
    shifts = np.arange(width) if little else np.arange(width)[::-1]
    written[:, at : at + width] = lengths[:, None] >> 8 * shifts & 0xFF
    return written


def between(data: np.ndarray, sizes: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Pieces with something before and after each.

    Args:
        data: uint8, the pieces one after another.
        sizes: int64, the bytes of each.
        before: (pieces, bytes) uint8.
        after: (pieces, bytes) uint8.
    """
    left, right = before.shape[1], after.shape[1]
    begins = np.cumsum(sizes + left + right) - sizes - right
    out = np.empty(len(data) + len(sizes) * (left + right), np.uint8)
    out[(begins - left)[:, None] + np.arange(left)] = before
    out[(begins + sizes)[:, None] + np.arange(right)] = after
    out[np.arange(len(data)) + np.repeat(begins - (np.cumsum(sizes) - sizes), sizes)] = data
    return out


def worded(word: Word, trailing: int = 0) -> Wrap:
    """Each record after its word, and before so many zero bytes."""

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return between(data, sizes, words(word, sizes), np.zeros((len(sizes), trailing), np.uint8))

    return wrap


def blocked(block: Word, word: Word | None) -> Wrap:
    """Blocks of whole records, each record after its word where it has one."""

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        whole = data if word is None else worded(word)(data, sizes)
        ends = np.cumsum(sizes + (0 if word is None else word.size))
        begins = np.concatenate((np.zeros(1, np.int64), ends))
        cuts = [0]
        while cuts[-1] < len(sizes):
            room = begins[cuts[-1]] + BLOCK - block.size
            cuts.append(max(int(np.searchsorted(ends, room, "right")), cuts[-1] + 1))
        blocks = np.diff(begins[np.array(cuts)])
        return worded(block)(whole, blocks)

    return wrap


def spanned(block: Word | None, word: Word) -> Wrap:
    """Records in segments that fill every block to its end; without blocks, segments of a block's size."""

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        head = block.size if block is not None else 0
        owners, lengths, blocks = _segments(sizes, BLOCK - head, word.size)
        first = np.ones(len(owners), bool)
        first[1:] = owners[1:] != owners[:-1]
        last = np.ones(len(owners), bool)
        last[:-1] = first[1:]
        written = words(word, lengths)
        written[:, 2] = np.where(first, np.where(last, 0, 1), np.where(last, 2, 3))
        whole = between(data, lengths, written, np.zeros((len(lengths), 0), np.uint8))
        if block is None:
            return whole
        return worded(block)(whole, np.bincount(blocks, weights=lengths + word.size).astype(np.int64))

    return wrap


def _segments(sizes: np.ndarray, room: int, word: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each segment its record, its bytes and its block."""
    parts = list(_blocks(sizes, room, word))
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    blocks = np.repeat(np.arange(len(parts)), [len(owners) for owners, _ in parts])
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), blocks


def _blocks(sizes: np.ndarray, room: int, word: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    ends = np.cumsum(sizes + word)
    record, done = 0, 0
    while record < len(sizes):
        owners, lengths, left = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], room
        if done:
            size = min(int(sizes[record]) - done, left - word)
            owners, lengths, left = [np.array([record])], [np.array([size])], left - word - size
            done += size
            if done == sizes[record]:
                record, done = record + 1, 0
        if not done and record < len(sizes):
            before = int(ends[record - 1]) if record else 0
            upto = max(int(np.searchsorted(ends, before + left, "right")), record)
            owners.append(np.arange(record, upto))
            lengths.append(sizes[record:upto])
            left -= int(ends[upto - 1]) - before if upto > record else 0
            record = upto
            if record < len(sizes) and left > word:
                owners.append(np.array([record]))
                lengths.append(np.array([left - word]))
                done = left - word
        yield np.concatenate(owners), np.concatenate(lengths)
