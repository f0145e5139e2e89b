"""A text has only characters of a repertoire: what banks exchange, what a form may print.

| repertoire | characters |
|---|---|
| `zengin` | 全銀: digits, capital letters, half-width kana without small ones and without the long vowel sign, space and ( ) . , - / ¥ 「 」 in half width |
| `half_width` | all characters of JIS X 0201: ASCII and half-width kana |
| `kana` | full-width katakana, the long vowel sign, the middle dot and the ideographic space |

    holder: {text_repertoire: account_holder, repertoire: zengin, of: creditors}

Source: the instance's; `zengin`: 全国銀行協会連合会 record formats as banks publish them, JIS X 0201 (1997) for the codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from validators.shapes._given import Given
from validators.shapes._terms import Term, literal
from validators.shapes.contract import Parameter, Rule, Shape

REPERTOIRES: Mapping[str, str] = MappingProxyType(
    {
        "zengin": r"0-9A-Zｦｱ-ﾝﾞﾟ ().,/¥\\｢｣-",
        "half_width": r" -~｡-ﾟ¥‾",
        "kana": "ァ-ヴー・\N{IDEOGRAPHIC SPACE}",
    }
)
"""The characters of each, as a class of a regular expression says them."""


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where a character is not among them."""
    column, name = given.column("text_repertoire", "text"), given.text("repertoire", "zengin", allowed=[*REPERTOIRES])
    other, text = f"[^{REPERTOIRES[name]}]", column.value
    wrong = Term(text.expr.str.contains(other), f"({text.sql} ~ {literal(other)})")
    return given.mask((column,), wrong, f"{column.ja}の文字 ({name})", f"characters of the {column.en} ({name})")


SHAPE = Shape(
    "text_repertoire",
    __doc__ or "",
    "V454",
    (
        Parameter("text_repertoire", "the text", required=True),
        Parameter("repertoire", f"{', '.join(REPERTOIRES)}", required=True),
    ),
    make,
)
