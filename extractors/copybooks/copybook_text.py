"""The bytes of a copybook -> its text: UTF-8, UTF-16 with its mark, Shift_JIS or EUC-JP, seen from the bytes.

Shift_JIS and EUC-JP share codes: B0 B8 is 宛 in the one and two half-width kana in the other. What only one of them can
hold decides; so does kana that no word is written with. Where nothing does, and names would differ, it is refused.
"""

from __future__ import annotations

import re

_KANA = re.compile("[\uff61-\uff9f]+")
_NO_WORD = re.compile(
    "^[\uff67-\uff70\uff9e\uff9f]|[\uff61-\uff65]|(?:[^\uff73\uff76-\uff84\uff8a-\uff8e])\uff9e|[^\uff8a-\uff8e]\uff9f"
)
"""Half-width kana that no word has: a small one, a long mark or a sound mark first, punctuation, a mark where none fits."""
_REMARKS = re.compile(r"^.{6}[*/].*$|\*>.*$", re.MULTILINE)
_KANA_OF_EUC = 0x8E
_JIS_LEVEL_1 = range(0xB0, 0xD0)
_JIS_SIGNS_AND_KANA = range(0xA1, 0xA9)


class NoTextError(ValueError):
    """The bytes are no text of a copybook; says why."""


def decode_text(data: bytes) -> str:
    """The text of a copybook.

    Raises:
        NoTextError: it is in none of the encodings, or could be in two.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = _decoded(data, "utf-16")
        if text is None:
            raise NoTextError("the copybook begins as UTF-16 does and is damaged")
        return text
    if b"\0" in data:
        raise NoTextError("the copybook holds bytes of X'00': is it UTF-16 without a mark, or no text?")
    text = _decoded(data, "utf-8-sig")
    if text is not None:
        return text
    shift_jis, euc_jp = _decoded(data, "cp932"), _decoded(data, "euc_jp")
    if shift_jis is None or euc_jp is None:
        text = shift_jis if shift_jis is not None else euc_jp
        if text is None:
            raise NoTextError("the copybook is neither UTF-8, UTF-16, Shift_JIS nor EUC-JP text")
        return text
    return _decided(shift_jis, euc_jp)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _decided(shift_jis: str, euc_jp: str) -> str:
    """One of two texts of the same bytes."""
    if any(c.encode("cp932")[0] == _KANA_OF_EUC for c in shift_jis if not c.isascii()):
        # Half-width kana of EUC-JP; in Shift_JIS, all the kanji would begin with this one code.
        return euc_jp
    kana = _KANA.findall(shift_jis)
    if any(_NO_WORD.search(run) for run in kana):
        return euc_jp
    # EUC-JP that no one writes: kanji of the second level alone, or signs of a maker.
    leads = [c.encode("euc_jp")[0] for c in euc_jp if not c.isascii()]
    if any(lead not in _JIS_LEVEL_1 and lead not in _JIS_SIGNS_AND_KANA for lead in leads):
        return shift_jis
    if _names(shift_jis).isascii():
        return shift_jis
    raise NoTextError("the names of the copybook can be read as Shift_JIS (half-width kana) and as EUC-JP")


def _names(text: str) -> str:
    """The text without what is no part of any name: remarks, and what stands behind column 72."""
    return "\n".join(line[:72] for line in _REMARKS.sub("", text).split("\n"))
