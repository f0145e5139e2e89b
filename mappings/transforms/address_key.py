"""An address as a key to compare by: digits of every kind the same, 丁目番地号 and dashes the same; the address itself stays.

    霞が関一丁目２番３号, 霞が関１－２－３, 霞ヶ関1丁目2番地3  ->  霞ケ関1-2-3        栄町二十三番地の４  ->  栄町23-4

Give it a column of its own beside the address. Kanji numbers change only before 丁目, 番, 号, 条 or の with a digit after it, so
that 三田 and 八王子 stay. ヶ, が between kanji and ケ are one; spaces are left out. The key is for comparing and is no address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.eras import kanji_numbers
from mappings.spec import CodeTable
from mappings.transform import Outcome, Params, Transform

_WIDE = {chr(0xFF10 + n): str(n) for n in range(10)} | {chr(0xFF21 + n): chr(0x41 + n) for n in range(26)}
_KANJI = "〇一二三四五六七八九十"


class AddressKeyParams(Params):
    """No parameters."""


def _numbers() -> dict[str, str]:
    marks = ("丁目", "番地", "番", "号", "条")
    return {
        f"{kanji}{mark}": f"{digits}{mark}"
        for kanji, digits in kanji_numbers(99).items()
        if kanji != "元"
        for mark in marks
    }


_NUMBERS = dict(sorted(_numbers().items(), key=lambda pair: -len(pair[0])))


def apply(values: Sequence[pl.Expr], params: AddressKeyParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Make the key."""
    (value,) = values
    key = value.str.replace_all("[ \u3000]", "").str.replace_many(list(_WIDE), list(_WIDE.values()))
    key = key.str.replace_many(list(_NUMBERS), list(_NUMBERS.values()), leftmost=True)
    key = key.str.replace_all(r"([\p{Han}])[ヶケがガヵ]([\p{Han}])", "${1}ケ${2}")
    key = key.str.replace_all("(丁目|番地の?|番|号室?|条)", "-").str.replace_all("[‐‑–—―－−ー]([0-9])", "-${1}")
    key = key.str.replace_all("([0-9])の([0-9])", "${1}-${2}").str.replace_all("-+", "-").str.strip_chars_end("-")
    return Outcome(key)


TRANSFORM = Transform(
    "address_key", __doc__ or "", AddressKeyParams, takes=frozenset({"text"}), gives="text", apply=apply
)
