"""What framings with descriptor words have in common: the options of a walk from word to word, and of one through blocks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.framings._words import Recovery, Seek, Word, options_of, read_word, seek, seek_blocks, walk
from extractors.framings.contract import MAX_LENGTH, MOST_RECORDS, Framed, Index, State
from extractors.layout import Layout
from extractors.options import Options

WALK_OPTIONS: Mapping[str, str] = {
    "longest": "bytes of the longest record that is believed (32,760, or the layout's if that is more)",
    "shortest": "bytes of the shortest (0)",
    "resynchronise": "yes or no: whether to search for the next record behind a damaged word (no)",
}

BLOCK_OPTIONS: Mapping[str, str] = {
    **options_of("block", "block descriptor word"),
    "largest_block": "bytes of the largest block that is believed (16,777,216)",
}


def bounds(options: Options, layout: Layout, usual: int = 32_760) -> tuple[int, int, bool]:
    """(shortest, longest, whether to resynchronise); `usual` is the longest where nothing is said of it."""
    longest = options.number("longest", max(usual, layout.length), 1, MAX_LENGTH)
    shortest = options.number("shortest", 0, 0, longest)
    return shortest, longest, options.choice("resynchronise", "no", ("yes", "no")) == "yes"


def walker(word: Word, trailing: int, shortest: int, longest: int, again: bool) -> Index:
    """The index function of records with words and nothing around them."""
    numbers = word.numbers
    recovery = Recovery(seeker(word, trailing, shortest, longest) if again else None)
    damage = f"a descriptor word of {word.size} bytes"

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        lost = recovery.goes_on(buffer, first, stop, ends, state, damage)
        if lost is not None:
            return lost
        room = min((stop - first) // (word.size + shortest + trailing) + 1, MOST_RECORDS)
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        found, at, why = walk(buffer, first, stop, numbers, trailing, shortest, longest, pos, limits)
        framed = Framed(pos[:found], limits[:found], at - first, found * (word.size + trailing), again=found == room)
        return recovery.damaged(framed, buffer, at, stop, ends, 0, damage) if why else framed

    return index


def seeker(word: Word, trailing: int, shortest: int, longest: int) -> Seek:
    """The search for a place from which such words follow one another; an empty record is no evidence of one."""
    numbers = word.numbers
    return lambda buffer, first, stop, ends: seek(
        buffer, first, stop, ends, numbers, trailing, max(shortest, 1), longest
    )


def read_blocks(options: Options) -> tuple[Word, int]:
    """The word of a block, and the largest block."""
    return read_word(options, "block"), options.number("largest_block", MAX_LENGTH, 1, MAX_LENGTH)


def left_of_block(state: State) -> int:
    """Bytes that the block goes on for, where nothing of it is lost."""
    return state[0] if state and not state[1] else 0


def word_in(state: State) -> str:
    """Which word is damaged, by what is left of the block."""
    return "a record descriptor word" if state and state[0] else "a block descriptor word"


def block_seeker(block: Word, largest: int, word: Word, shortest: int, longest: int, fixed: int) -> Seek:
    """The search for a place from which blocks of such records follow one another."""
    blocks, words = block.numbers, word.numbers
    return lambda buffer, first, stop, ends: seek_blocks(
        buffer, first, stop, ends, blocks, largest, words, shortest, longest, fixed
    )
