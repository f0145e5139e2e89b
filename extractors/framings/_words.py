"""Descriptor words (BDW, RDW): how a length is written before a block or a record, and the walk from word to word.

z/OS DFSMS Using Data Sets, Format-V records: a record descriptor word holds its length, the word included, in its first
two bytes, big-endian, then a segment code and a zero byte; a block descriptor word likewise, or, with its first bit set,
a length of 31 bits. Other systems write the same idea otherwise; every deviation is an option.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from extractors.framings.contract import MAX_LENGTH, Framed, State, Trouble
from extractors.kernels.memory import inner, jit, prefetch
from extractors.options import Options

CHAIN = 4
"""How many words must follow one another before a place is believed to be a word, when resynchronising."""

AHEAD = 8
"""How many words ahead memory is asked for, where they are as far apart as the last two: a walk waits for each word."""

NO, MAYBE, SURE = 0, 1, 2
"""Whether words follow one another from a place; MAYBE where what follows the buffer decides."""

NO_PLACES = np.zeros(0, np.int64)


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """How one kind of descriptor word is written.

    `size` bytes, of which `width` from `at` on are the length, in `order`; `inclusive` where the length counts the word
    itself; `adjust` is added to what is written. `size` 0: there is no such word, which is for a framing to know: no
    option says it, because a walk that need not advance would never end.
    """

    size: int = 4
    at: int = 0
    width: int = 2
    little: bool = False
    inclusive: bool = True
    adjust: int = 0

    @property
    def numbers(self) -> tuple[int, int, int, int, int]:
        """The same for the compiled walk: size, at, width, little, added to get the bytes after the word."""
        added = self.adjust - (self.size if self.inclusive else 0)
        return self.size, self.at, self.width, int(self.little), added


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


def read_word(options: Options, prefix: str, least: int = 1) -> Word:
    """Make a word of its options; it has at least `least` bytes."""
    size = options.number(f"{prefix}_size", 4, least, 64)
    width = options.number(f"{prefix}_width", min(2, size), 1, min(8, size))
    at = options.number(f"{prefix}_at", 0, 0, size - width)
    return Word(
        size,
        at,
        width,
        options.choice(f"{prefix}_order", "big", ("big", "little")) == "little",
        options.choice(f"{prefix}_inclusive", "yes", ("yes", "no")) == "yes",
        options.number(f"{prefix}_adjust", 0, -MAX_LENGTH, MAX_LENGTH),
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
def chained(buffer, at, stop, ends, word, trailing, least, most):
    """Whether `CHAIN` words follow one another from here, or fewer up to exactly the end of the file."""
    for _ in range(CHAIN):
        if at == stop and ends:
            return SURE
        if at + word[0] > stop:
            return NO if ends else MAYBE
        length = length_at(buffer, at, word)
        if length < least or length > most:
            return NO
        at += word[0] + length + trailing
    if at > stop:
        return NO if ends else MAYBE
    return SURE


@inner
def blocks_chained(buffer, at, stop, ends, block, largest, word, least, most, fixed):
    """The same of blocks; the first `CHAIN` records of each must lie in it."""
    for _ in range(CHAIN):
        if at == stop and ends:
            return SURE
        if at + block[0] > stop:
            return NO if ends else MAYBE
        left = length_at(buffer, at, block)
        if left < 1 or left > largest or (fixed > 0 and left % fixed != 0):
            return NO
        inside = at + block[0]
        at = inside + left
        for _ in range(CHAIN if fixed == 0 else 0):
            if inside == at:
                break
            if inside + word[0] > at:
                return NO
            if inside + word[0] > stop:
                return NO if ends else MAYBE
            length = length_at(buffer, inside, word)
            inside += word[0] + length
            if length < least or length > most or inside > at:
                return NO
    if at > stop:
        return NO if ends else MAYBE
    return SURE


@jit
def walk(buffer, first, stop, word, trailing, least, most, pos, limits):
    """Step from record to record by their words.

    Returns:
        (records found, where it stopped, why: 0 the end or no whole record or no room is left, 1 a damaged word).
    """
    at = first
    found = 0
    while found < len(pos) and at + word[0] <= stop:
        length = length_at(buffer, at, word)
        if length < least or length > most:
            return found, at, 1
        begin = at + word[0]
        prefetch(np.int64(buffer.ctypes.data) + at + AHEAD * (word[0] + length + trailing))
        if begin + length + trailing > stop:
            return found, at, 0
        pos[found] = begin
        limits[found] = begin + length
        found += 1
        at = begin + length + trailing
    return found, at, 0


@jit
def walk_blocks(buffer, first, stop, left, block, largest, word, least, most, fixed, pos, limits):
    """Step from block to block by their words, and through each from record to record.

    `left` bytes remain of the block in which `first` lies. `fixed` is the length of records without words of their own;
    0 where each has one.

    Returns:
        (records found, where it stopped, why, what is left of that block, bytes of descriptor words and fill).
    """
    at = first
    found = 0
    overhead = np.int64(0)
    while found < len(pos):
        if left == 0:
            if at + block[0] > stop:
                return found, at, 0, left, overhead
            left = length_at(buffer, at, block)
            if left < 0 or left > largest:
                return found, at, 1, np.int64(0), overhead
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
        prefetch(np.int64(buffer.ctypes.data) + at + AHEAD * (size + length))
        if at + size + length > stop:
            return found, at, 0, left, overhead
        pos[found] = at + size
        limits[found] = at + size + length
        found += 1
        at += size + length
        left -= size + length
        overhead += size
    return found, at, 0, left, overhead


@jit
def seek(buffer, first, stop, ends, word, trailing, least, most):
    """The first place from which words may follow one another (the file's end where there is none), and whether it is sure."""
    for at in range(first, stop):
        verdict = chained(buffer, at, stop, ends, word, trailing, least, most)
        if verdict != NO:
            return at, verdict == SURE
    return stop, False


@jit
def seek_blocks(buffer, first, stop, ends, block, largest, word, least, most, fixed):
    """The same of blocks."""
    for at in range(first, stop):
        verdict = blocks_chained(buffer, at, stop, ends, block, largest, word, least, most, fixed)
        if verdict != NO:
            return at, verdict == SURE
    return stop, False


Seek = Callable[[np.ndarray, int, int, bool], tuple[int, bool]]
"""(buffer, first byte, last byte + 1, whether the file ends here) -> (the next place to try, whether it is sure)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Recovery:
    """What is done behind a damaged word: nothing, where `seek` is None; otherwise the search for the next record.

    What it finds depends on the bytes alone, never on where a buffer ends: a place that what follows may yet refute is
    kept for the next buffer. A framing that recovers has the state (bytes left of the block, whether it is lost).
    """

    seek: Seek | None

    def damaged(
        self, framed: Framed, buffer: np.ndarray, at: int, stop: int, ends: bool, left: int, what: str
    ) -> Framed:
        """Say that the word at `at` is damaged, behind the records that were framed before it."""
        begin = at - framed.used
        trouble = Trouble("F107", framed.used, 0, what)
        if self.seek is None:
            return dataclasses.replace(framed, troubles=(*framed.troubles, trouble), stopped=True)
        there, left, lost = self._next(buffer, at if left else at + 1, stop, ends, left)
        return dataclasses.replace(
            framed,
            used=there - begin,
            state=(left, lost),
            troubles=(*framed.troubles, dataclasses.replace(trouble, skipped=there - at)),
            again=True,
        )

    def goes_on(self, buffer: np.ndarray, first: int, stop: int, ends: bool, state: State, what: str) -> Framed | None:
        """Search on in the next buffer; None where nothing is lost, or `first` is the place that was sought."""
        left, lost = state[:2] if state else (0, 0)
        if not lost:
            return None
        there, left, lost = self._next(buffer, first, stop, ends, left)
        if there == first and not lost:
            return None
        troubles = (Trouble("F107", 0, there - first, what, more=True),) if there > first else ()
        return Framed(NO_PLACES, NO_PLACES, there - first, 0, (left, lost), troubles=troubles, again=True)

    def _next(self, buffer: np.ndarray, at: int, stop: int, ends: bool, left: int) -> tuple[int, int, int]:
        if left:
            # The block's own word was right: the next block is where it says.
            there = min(at + left, stop)
            return there, left - (there - at), int(there - at < left)
        assert self.seek is not None
        place, sure = self.seek(buffer, at, stop, ends)
        return int(place), 0, int(not sure)
