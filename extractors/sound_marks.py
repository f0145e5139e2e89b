"""A full-width kana and the half-width sound mark behind it -> one kana: what a charset's policy may ask of its texts."""

from __future__ import annotations

import unicodedata

import polars as pl
import pyarrow as pa


def composed(column: pa.Array) -> pa.Array:
    """Texts with each kana and its mark as one kana, and a mark alone widened."""
    texts = pl.Series(column).str.replace_many(list(_COMPOSED), list(_COMPOSED.values()), leftmost=True)
    return texts.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())


def _compositions() -> dict[str, str]:
    """What stands for a kana and a mark, where there is one kana; and for a mark alone."""
    kana = [chr(point) for point in range(0x30A1, 0x30FB)]
    marks = {"\uff9e": "\u3099", "\uff9f": "\u309a"}
    made = {k + half: unicodedata.normalize("NFC", k + mark) for k in kana for half, mark in marks.items()}
    return {pair: one for pair, one in made.items() if len(one) == 1} | {"\uff9e": "\u309b", "\uff9f": "\u309c"}


_COMPOSED = _compositions()
