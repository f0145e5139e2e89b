"""A window of values, as it is looked at: lengths, kinds of characters, shapes, and the numbers that they are.

A shape shows of each character no more than its kind, and of those that tell a form the character itself.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import polars as pl
import pyarrow as pa

from dags.inspection.value_tests import Kinds
from migration_reports.masking import mask

_KEPT = (
    " 　!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~・，．：；？！´｀¨＾￣＿ー―‐／～〜｜（）「」、。｢｣､｡･－−＋＊＝＠￥＆％＃〒※"
)
"""Characters that a shape shows as they are: they tell the form of a value, and nothing of whose it is."""

_CLASSES: Mapping[str, Kinds] = {
    "9": Kinds.DIGIT,
    "X": Kinds.LATIN,
    "ｱ": Kinds.HALF_KANA,
    "ア": Kinds.KANA,
    "漢": Kinds.KANJI,
    "９": Kinds.WIDE_DIGIT,
    "Ｘ": Kinds.WIDE_LATIN,
    "字": Kinds.OTHER,
    "␀": Kinds.CONTROL,
    "�": Kinds.UNDEFINED,
}
_STANDS = (*_CLASSES, *(c for c in dict.fromkeys(_KEPT) if c != "ー"), "…")
"""What may stand in a shape. A shape is one byte a character while it is counted: its place here, from 1."""

SHOWN = dict(enumerate(_STANDS, 1))
PLACE = {stands: chr(number) for number, stands in SHOWN.items()}
_RUN = len(_STANDS)


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """For each code point of the first plane the place of what stands for it, and for each place its kind."""
    place = {stands: number for number, stands in SHOWN.items()}
    text = "".join(map(chr, range(0xD800))) + "字" * 0x800 + "".join(map(chr, range(0xE000, 0x10000)))
    stands = np.full(0x10000, place["字"], np.uint8)
    for point, (character, masked) in enumerate(zip(text, mask(text), strict=True)):
        if masked != character or masked in _CLASSES:
            stands[point] = place[masked]
        elif character in place:
            stands[point] = place[character]
    for first, last, name in ((0, 0x20, "␀"), (0x7F, 0xA0, "␀"), (0xFF21, 0xFF3B, "Ｘ"), (0xFF41, 0xFF5B, "Ｘ"),
                              (0xFE00, 0xFE10, "漢"), (0xFFFD, 0xFFFE, "�")):  # fmt: skip
        stands[first:last] = place[name]
    stands[ord("字")] = place["漢"]
    others = {
        " ": Kinds.SPACE,
        "　": Kinds.SPACE,
        **dict.fromkeys("-－−‐―", Kinds.HYPHEN),
        **dict.fromkeys("・･．.", Kinds.DOT),
    }
    kinds = [_CLASSES.get(s) or others.get(s, Kinds.SYMBOL) for s in _STANDS]
    return stands, np.array([0, *map(int, kinds)], np.uint32)


def window_of(values: pl.Series, *, collapse: bool) -> pl.DataFrame:
    """A window of text, none of it empty, with its lengths, kinds of characters, shapes, and the numbers that it is."""
    stands, kinds_of = _tables()
    joined = values.str.join("")[0]
    points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    # Beyond the first plane lie kanji (planes 2 and 3, and the variation selectors of kanji); little else is met.
    beyond = np.where((points >= 0x20000) & (points < 0xE01F0), np.uint32(0x4E00), np.uint32(0xE0))
    places = stands[np.where(points < 0x10000, points, beyond)]
    lengths = values.str.len_chars().to_numpy().astype(np.int64)
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    kinds = np.bitwise_or.reduceat(kinds_of[places], starts[:-1])
    shapes, ends = _collapsed(places, starts) if collapse else (places, starts)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(shapes))]
    shape = pl.Series(pa.Array.from_buffers(pa.large_string(), len(lengths), buffers))
    digits = (kinds == int(Kinds.DIGIT)) & (lengths <= 18)
    number = values.set(pl.Series(~digits), None).cast(pl.Int64)
    return pl.DataFrame(
        {"value": values, "length": lengths, "kinds": kinds, "shape": shape, "number": number, "digits": lengths}
    )


def _collapsed(places: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shapes with each run of one kind of character as one, marked where it is longer; and where each text ends."""
    first = np.ones(len(places), bool)
    first[1:] = places[1:] != places[:-1]
    first[starts[:-1]] = True
    runs = np.flatnonzero(first)
    long = np.diff(runs, append=len(places)) > 1
    at = np.zeros(len(runs) + 1, np.int64)
    np.cumsum(1 + long, out=at[1:])
    out = np.full(at[-1], _RUN, np.uint8)
    out[at[:-1]] = places[runs]
    return out, at[np.searchsorted(runs, starts)]
