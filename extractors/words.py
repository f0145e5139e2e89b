"""Descriptor words (BDW, RDW): how a length is written before a block or a record, and the walk from word to word.

z/OS DFSMS Using Data Sets, Format-V records: a record descriptor word holds its length, the word included, in its first
two bytes, big-endian, then a segment code and a zero byte; a block descriptor word likewise, or, with its first bit set,
a length of 31 bits. Other systems write the same idea otherwise; every deviation is an option.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from extractors.framing import MAX_LENGTH
from extractors.memory import inner, jit
from extractors.options import choice, number

CHAIN = 4
"""How many words must follow one another before a place is believed to be a word, when resynchronising."""

DAMAGED, CUT, NO_ROOM = 1, 2, 3


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """How one kind of descriptor word is written.

    `size` bytes, of which `width` from `at` on are the length, in `order`; `inclusive` where the length counts the word
    itself; `adjust` is added to what is written. `size` 0: there is no such word.
    """

    size: int = 4
    at: int = 0
    width: int = 2
    little: bool = False
    inclusive: bool = True
    adjust: int = 0

    @property
    def numbers(self) -> np.ndarray:
        """The same as int64, for the compiled walk: size, at, width, little, added to get the bytes after the word."""
        added = self.adjust - (self.size if self.inclusive else 0)
        return np.array([self.size, self.at, self.width, self.little, added], np.int64)


def options_of(prefix: str, what: str) -> Mapping[str, str]:
    """The options that describe a word."""
    return {
        f"{prefix}_size": f"bytes of the {what} (4)",
        f"{prefix}_at": "where in it the length begins (0)",
        f"{prefix}_width": "bytes of the length (2)",
        f"{prefix}_order": "big or little: its byte order (big)",
        f"{prefix}_inclusive": "yes or no: whether the length counts the word itself (yes)",
        f"{prefix}_adjust": "what to add to the length that is written (0)",
    }


def read_word(options: Mapping[str, str], prefix: str) -> Word:
    """Make a word of its options.

    Raises:
        SpecError: an option's value does not fit.
    """
    size = number(options, f"{prefix}_size", 4, 0, 64)
    width = number(options, f"{prefix}_width", min(2, size) if size else 2, 1, 8)
    at = number(options, f"{prefix}_at", 0, 0, max(size - width, 0))
    return Word(
        size,
        at,
        width,
        choice(options, f"{prefix}_order", "big", ("big", "little")) == "little",
        choice(options, f"{prefix}_inclusive", "yes", ("yes", "no")) == "yes",
        number(options, f"{prefix}_adjust", 0, -MAX_LENGTH, MAX_LENGTH),
    )


@inner
def length_at(buffer, at, word):
    """The bytes that follow a descriptor word, by what it says; the word must lie within the buffer."""
    value = np.int64(0)
    for i in range(word[2]):
        step = word[2] - 1 - i if word[3] else i
        value = value << 8 | np.int64(buffer[at + word[1] + step])
    if word[2] == 2 and word[0] == 4 and word[1] == 0 and not word[3] and value >= 0x8000 and word[4] < 0:
        # The first bit set: a block longer than 32,767 bytes, whose length takes all four bytes.
        low = np.int64(buffer[at + 2]) << 8 | np.int64(buffer[at + 3])
        value = (value & 0x7FFF) << 16 | low
    return value + word[4]


@inner
def plausible(buffer, at, stop, word, least, most, chain):
    """Whether words follow one another from here: `chain` of them, or fewer up to exactly the end."""
    for _ in range(chain):
        if at == stop:
            return True
        if at + word[0] > stop:
            return False
        length = length_at(buffer, at, word)
        if length < least or length > most:
            return False
        at += word[0] + length
        if at > stop:
            return False
    return True


@jit
def walk(buffer, first, stop, word, trailing, least, most, pos, limits):
    """Step from record to record by their words.

    Returns:
        (records found, where it stopped, why: 0 the end or no whole record is left, DAMAGED).
    """
    at = first
    found = 0
    while at + word[0] <= stop:
        length = length_at(buffer, at, word)
        if length < least or length > most:
            return found, at, 1
        begin = at + word[0]
        if begin + length + trailing > stop:
            return found, at, 0
        pos[found] = begin
        limits[found] = begin + length
        found += 1
        at = begin + length + trailing
    return found, at, 0


@jit
def walk_blocks(buffer, first, stop, left, block, word, least, most, fixed, pos, limits):
    """Step from block to block by their words, and through each from record to record.

    `left` bytes remain of the block in which `first` lies. `fixed` is the length of records without words of their own;
    0 where each has one; -1 where the block is the record.

    Returns:
        (records found, where it stopped, why, what is left of that block, bytes of descriptor words and fill).
    """
    at = first
    found = 0
    overhead = np.int64(0)
    while True:
        if left == 0:
            if at + block[0] > stop:
                return found, at, 0, left, overhead
            left = length_at(buffer, at, block)
            if left < 0 or left > most:
                return found, at, 1, np.int64(0), overhead
            if fixed < 0:
                if at + block[0] + left > stop:
                    return found, at, 0, np.int64(0), overhead
                pos[found] = at + block[0]
                limits[found] = at + block[0] + left
                found += 1
                at += block[0] + left
                overhead += block[0]
                left = np.int64(0)
                continue
            at += block[0]
            overhead += block[0]
            continue
        size = word[0] if fixed == 0 else np.int64(0)
        if left < size:
            return found, at, 1, left, overhead
        if at + size > stop:
            return found, at, 0, left, overhead
        length = length_at(buffer, at, word) if fixed == 0 else fixed
        if length < least or length > most or size + length > left:
            return found, at, 1, left, overhead
        if at + size + length > stop:
            return found, at, 0, left, overhead
        pos[found] = at + size
        limits[found] = at + size + length
        found += 1
        at += size + length
        left -= size + length
        overhead += size


@jit
def seek(buffer, first, stop, word, least, most, chain):
    """The next place from which words follow one another; `stop` where there is none."""
    for at in range(first, stop):
        if plausible(buffer, at, stop, word, least, most, chain):
            return at
    return stop
