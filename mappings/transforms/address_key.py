"""An address as a key to compare by: digits of every kind the same, 丁目番地号 and dashes the same; the address itself stays.

    霞が関一丁目２番３号, 霞が関１－２－３, 霞ヶ関1丁目2番地3  ->  霞ケ関1-2-3        栄町二十三番地の四, 栄町二三－四  ->  栄町23-4
    栄町千二百三十四番地, 栄町一二三四番地  ->  栄町1234                              栄町１－２－Ａ  ->  栄町1-2-A

Give it a column of its own beside the address. Kanji numbers to 9999, place by place or with 十百千, change only beside 丁目, 番地, 番,
号, 条, a dash, or の between two numbers, so that 三田 and 八王子 stay. ヶ, が between kanji and ケ are one; spaces are left out,
but between two numbers a space parts them as a dash does. The key is for comparing and is no address.

Sources: 住居表示に関する法律 (街区符号 and 住居番号, the numbers that 番 and 号 follow); 政府相互運用性フレームワーク (GIF), whose address
has what follows the 町字 as 1-6. How a number is written no standard settles: the forms are those met in registers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform

_NARROW = {
    chr(0xFF00 + ascii_ - 0x20): chr(ascii_) for ascii_ in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))
}
_PLACES = "〇一二三四五六七八九"
_KANJI = f"[{_PLACES}十百千]"
_NUMBER = f"[0-9{_PLACES}十百千]"
_DASH = "‐‑–—―－−ｰ"
_MARK = "(?:丁目|番地|番|号|条)"
_BEGIN, _END = "\ufdd0", "\ufdd1"
"""Around a number. Noncharacters are for a program's own use and stand in no text."""


class AddressKeyParams(Params):
    """No parameters."""


@functools.cache
def _numbers() -> Mapping[str, str]:
    """Every number to 9999 as it is marked, in both writings, to its digits."""
    made = {}
    for number in range(10_000):
        powers = ""
        for power, name in ((1000, "千"), (100, "百"), (10, "十")):
            digit = number // power % 10
            powers += ("" if digit == 1 else _PLACES[digit]) + name if digit else ""
        powers += _PLACES[number % 10] if number % 10 or not number else ""
        for kanji in (powers, "".join(_PLACES[int(digit)] for digit in str(number))):
            made[f"{_BEGIN}{kanji}{_END}"] = str(number)
    return made


def apply(values: Sequence[pl.Expr], params: AddressKeyParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Make the key."""
    (value,) = values
    key = value.str.replace_many(_NARROW)
    # Twice, for the digit between two of them belongs to both.
    for _ in range(2):
        key = key.str.replace_all(f"({_NUMBER})(?:[ \u3000]+|[{_DASH}のー])({_NUMBER})", "${1}-${2}")
    key = key.str.replace_all("[ \u3000]", "")
    key = key.str.replace_all(r"([\p{Han}])[ヶケがガヵ]([\p{Han}])", "${1}ケ${2}")
    key = key.str.replace_all(f"({_MARK})の({_NUMBER})", "${1}${2}")
    key = key.str.replace_all("(?:丁目|番地の?|番|号室?|条)", "-").str.replace_all(f"[{_DASH}]([0-9A-Za-z])", "-${1}")
    key = key.str.replace_all(f"({_KANJI}+)-", f"{_BEGIN}${{1}}{_END}-")
    key = key.str.replace_all(rf"-({_KANJI}+)([^\p{{Han}}]|$)", f"-{_BEGIN}${{1}}{_END}${{2}}")
    key = key.str.replace_many(_numbers()).str.replace_all(f"[{_BEGIN}{_END}]", "")
    return Outcome(key.str.replace_all("-+", "-").str.strip_chars_end("-"))


TRANSFORM = Transform(
    "address_key", __doc__ or "", AddressKeyParams, takes=frozenset({"text"}), gives="text", apply=apply
)
