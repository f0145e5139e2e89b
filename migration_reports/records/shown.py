"""How numbers, amounts, moments and characters are written for people."""

from __future__ import annotations

import datetime
from typing import Literal

from migration_reports.records.run_record import Control
from migration_reports.words import WORDS

JAPAN = datetime.timezone(datetime.timedelta(hours=9), "JST")


def number(value: int) -> str:
    """A count with its thousands marked."""
    return f"{value:,}"


def amount(text: str) -> str:
    """A decimal string with its thousands marked; what is no number stays as it is."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, rest = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{rest}" if whole.isdigit() else text


def controlled(control: Control, side: Literal["stated", "found"]) -> str:
    """One side of a control: counts and sums are amounts, but a municipality's code is none."""
    text = control.stated if side == "stated" else control.found
    return amount(text) if control.kind in ("count", "sum", "parents") else text


def control_name(control: Control, language: str) -> str:
    """What a control is called; its name in the record is the English one."""
    of_file = f" [{control.file}]" if control.file else ""
    if language == "en":
        return control.name + of_file
    subject = control.name.removeprefix("one ").partition(" of ")[2] or control.name.removeprefix("one ")
    said = {
        "count": "{} の件数",
        "sum": "{} の合計",
        "hash": "{} のハッシュ合計",
        "value": "{} の値",
        "trailer": "{} が一つあること",
        "parents": "親ごとの {}",
    }
    return said[control.kind].format(subject) + of_file


def when(text: str) -> str:
    """A moment in Japanese time; a dash where there is none."""
    if not text:
        return "–"
    return f"{datetime.datetime.fromisoformat(text).astimezone(JAPAN):%Y-%m-%d %H:%M:%S} JST"


def glyph(unicode: str) -> str:
    """The characters that `U+XXXX U+YYYY` names."""
    return "".join(chr(int(word.removeprefix("U+"), 16)) for word in unicode.split())


def size(count: int) -> str:
    """Bytes in a unit that is read at a glance."""
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:,} {unit}"
        count = -(-count // 1024)
    return f"{count:,} GB"


def changed(now: int, former: int | None, language: str) -> str:
    """Say how a count has changed since the run before: new, gone, more, fewer or the same."""
    words = WORDS[language]
    if former is None:
        return "–"
    if now == former:
        return words["issue_same"]
    if not former:
        return words["issue_new"]
    was = f"({words['since_before']} {former:,})"
    return f"{words['issue_gone']} {was}" if not now else f"{now - former:+,} {was}"
