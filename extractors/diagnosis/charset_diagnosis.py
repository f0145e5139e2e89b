"""Which charset a dump has: by its spaces and digits, its shift codes, the letters that it would have, and its layout.

Pages that differ only in where half-width kana and small letters stand are told apart by which of them makes words of
one script; where the sample has neither, that is said rather than guessed.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from extractors import charsets
from extractors.charsets.contract import FIRST_SEQUENCE, Charset
from extractors.diagnosis.layout_evidence import judge
from extractors.diagnosis.proposal import Proposal, said
from extractors.framings.contract import Framing
from extractors.layout import Layout
from extractors.reading import Choice
from extractors.records import Account, frames

CANDIDATES = (
    Choice("single_byte", {"page": "cp037"}),
    Choice("single_byte", {"page": "cp290"}),
    Choice("single_byte", {"page": "cp1027"}),
    Choice("single_byte", {"page": "ascii"}),
    Choice("single_byte", {"page": "jis_x_0201"}),
    Choice("fujitsu"),
    Choice("fujitsu", {"single": "ebcdic"}),
    Choice("hitachi"),
    Choice("hitachi", {"single": "ebcdic"}),
    Choice("ibm"),
    Choice("ibm", {"ccsid": "939"}),
    Choice("ibm", {"ccsid": "931"}),
    Choice("ibm", {"ccsid": "1390"}),
    Choice("ibm", {"ccsid": "1399"}),
    Choice("nec"),
    Choice("nec", {"form": "jips_j"}),
    Choice("unisys"),
    Choice("iso_2022_jp"),
    Choice("shift_jis"),
    Choice("euc_jp"),
    Choice("utf_8"),
)
"""What is tried, the usual first; editions that differ in few codes are told apart by a person."""

EDITIONS = {
    "hitachi": "KEIS78, 83 and 90 differ in few codes: the edition is for the data owner to say",
    "fujitsu": "JEF's forms of 1978 and 1983 differ in few codes: the data owner knows which",
    "ibm": "CCSID 5026 differs from 930 in user-defined codes only",
    said(Choice("ibm", {"ccsid": "939"})): "CCSID 5035 differs from 939 in user-defined codes only",
}

_CODECS = {"shift_jis": "cp932", "euc_jp": "euc_jp", "utf_8": "utf_8"}
"""Codecs that tell how much of a sample above X'7F' is characters, for the charsets without shift codes."""

SURE = 3.0
NOISE = 0.01
"""How many nats one page must be likelier than another to be preferred, and how many more for each byte of text."""

_SAMPLE = 1 << 20
_TEXT = 1 << 17


def diagnose_charset(sample: bytes, framing: Framing | None, layout: Layout | None) -> tuple[list[Proposal], list[str]]:
    """The charsets that a sample may have, the likeliest first, and what cannot be told.

    Args:
        sample: the bytes, behind any header.
        framing: how they are read with the layout.
        layout: of the records, where there is one.
    """
    counts = np.bincount(np.frombuffer(sample, np.uint8), minlength=256)
    ebcdic = int(counts[0x40] + counts[0xF0:0xFA].sum())
    ascii_ = int(counts[0x20] + counts[0x30:0x3A].sum())
    share = ebcdic / (ebcdic + ascii_) if ebcdic + ascii_ else 0.5
    spaces = f"of its spaces and digits {share:.0%} are EBCDIC, {1 - share:.0%} ASCII"
    text = (
        _texts(sample, framing, layout)
        if framing is not None and layout is not None
        else _runs(sample[:_SAMPLE])[:_TEXT]
    )
    found: list[tuple[Proposal, Charset, float]] = []
    for number, choice in enumerate(CANDIDATES):
        charset = _charset(number)
        fits = 1 - share if charset.ascii else share
        if fits < 0.5:
            continue
        evidence = [spaces]
        strength = 0.3 + 0.3 * fits
        if charset.opening:
            opens, paired = _paired(sample, charset.opening, charset.closing)
            codes = f"{charset.opening.hex().upper()} and {charset.closing.hex().upper()}"
            evidence.append(f"shift codes {codes}: {opens:,}, of which {paired:.0%} enclose whole characters")
            strength += 0.3 * (paired - 0.4) if opens > 2 else -0.1
        elif choice.name in _CODECS:
            high, read = _above_ascii(sample, _CODECS[choice.name])
            if high:
                evidence.append(f"{read:.0%} of the {high:,} characters above X'7F' are read")
                strength += 0.3 * (read - 0.7) if high > 2 else -0.1
            else:
                strength -= 0.15
        if framing is not None and layout is not None:
            judged = judge(sample, framing, layout, charset)
            if judged.texts:
                odd = judged.bad_texts / judged.texts
                strength += 0.25 - min(odd, 0.5)
                evidence.append(f"{odd:.1%} of text fields hold codes or shifts that it does not know")
        likely, letters = _likelihood(text, charset)
        evidence.append(letters)
        found.append((Proposal("charset", choice, strength, tuple(evidence)), charset, likely))
    return _settle(found, text)


def _settle(found: Sequence[tuple[Proposal, Charset, float]], text: bytes) -> tuple[list[Proposal], list[str]]:
    """Let the likelihood of the letters decide within what is otherwise alike, and say what it leaves open."""
    if not found:
        return [], []
    best = max((likely for _, charset, likely in found if not charset.usage), default=0.0)
    size = max(len(text), 1)
    sure = SURE + NOISE * sum(byte != 0x40 for byte in text)
    weighed = []
    for proposal, charset, likely in found:
        less = best - likely
        # Likelihoods of pages that are read in different ways can be compared only roughly: a small part each.
        penalty = 0.0 if less < sure or charset.usage else min(0.02 + 10 * less / size, 0.3)
        strength = float(np.clip(proposal.strength - penalty, 0, 0.99))
        weighed.append((dataclasses.replace(proposal, strength=strength), likely))
    weighed.sort(key=lambda pair: -pair[0].strength)
    first, likely = weighed[0]
    alike = [other for other, its in weighed[1:] if abs(its - likely) < sure and first.strength - other.strength < 0.03]
    remarks = []
    if alike:
        others = ", ".join(said(p.choice) for p in alike)
        doubt = f"or {others}: the sample does not tell"
        remarks.append(
            f"charset {said(first.choice)} cannot be told from {others}: nothing that was looked at, no half-width "
            "kana and no small letter, is read by one of them only; ask the data owner"
        )
        first = dataclasses.replace(first, doubt=doubt, equals=tuple(said(p.choice) for p in alike))
    edition = said(first.choice)
    if edition in EDITIONS and first.strength > 0.5:
        remarks.append(EDITIONS[edition])
    rest = [p for p, _ in weighed[1:]]
    shown = [first, *alike, *(p for p in rest if p not in alike)]
    return shown[: max(3, 1 + len(alike))], remarks


def _texts(sample: bytes, framing: Framing, layout: Layout) -> bytes:
    """The bytes of the layout's single-byte and mixed text, with spaces between them."""
    fields = [f for f in layout.segment().sections[0].fields if f.usage in ("text", "mixed", "utf8") and not f.renames]
    parts: list[bytes] = []
    taken = 0
    for records in frames(io.BytesIO(sample[:_SAMPLE]), framing, layout, Account()):
        for pos, limit in zip(records.pos.tolist(), records.limits.tolist(), strict=True):
            for field in fields:
                part = records.data[pos + field.offset : min(pos + field.offset + field.width, limit)].tobytes()
                parts.append(part)
                taken += len(part)
            if taken > _TEXT:
                return b"@@".join(parts)
    # X'4040' and "@@" are the same bytes: spaces of EBCDIC, and no letter of ASCII.
    return b"@@".join(parts)


def _runs(sample: bytes) -> bytes:
    """What may be single-byte text: bytes in a row that are no controls, without pairs that begin as IBM's kanji do."""
    parts = []
    for run in re.findall(rb"[\x41-\xfe]{3,}|[\x0a\x0e\x28\x38\x3f][^\x40]{2,}|[\x20-\x7e]{3,}", sample):
        leads = [sum(0x41 <= byte <= 0x68 for byte in run[parity::2]) for parity in (0, 1)]
        if max(leads) < 0.8 * (len(run) // 2):
            parts.append(run)
    return b"@@".join(parts)


_KANA, _RARE_KANA, _LOWER, _UPPER, _OTHER, _FOREIGN, _NONE, _NEUTRAL = range(8)
_COST = np.array([np.log(50), np.log(400), np.log(26), np.log(26), 6.0, 9.0, 9.0, 0.0])
_SWITCH = np.zeros((8, 8))
_SWITCH[_KANA, _LOWER] = _SWITCH[_LOWER, _KANA] = 5.0
_SWITCH[_RARE_KANA, _LOWER] = _SWITCH[_LOWER, _RARE_KANA] = 5.0
_SWITCH[_KANA, _UPPER] = _SWITCH[_UPPER, _KANA] = 2.0


def _scripts(charset: Charset) -> np.ndarray:
    """Of each byte: the script of what it reads as."""
    scripts = np.full(256, _NEUTRAL, np.int64)
    for byte, value in enumerate(charset.single.tolist()):
        point = value & 0xFFFFFF
        if byte < 0x40 and not charset.ascii:
            continue
        if point == 0xFFFD:
            scripts[byte] = _NONE
        elif 0xFF71 <= point <= 0xFF9F or point in (0xFF66, 0xFF70):
            scripts[byte] = _KANA
        elif 0xFF61 <= point < 0xFF71:
            scripts[byte] = _RARE_KANA
        elif point < 0x80:
            character = chr(point)
            scripts[byte] = _LOWER if character.islower() else _UPPER if character.isupper() else _NEUTRAL
        elif point < FIRST_SEQUENCE:
            # No letter with an accent is expected in what Japanese municipalities keep.
            scripts[byte] = _FOREIGN if chr(point).isalpha() else _OTHER
    return scripts


def _likelihood(text: bytes, charset: Charset) -> tuple[float, str]:
    """How likely single-byte text is to be what a charset reads it as (nats), and its letters in words."""
    if charset.opening:
        between = re.escape(charset.opening) + b"(?:..){0,200}?" + re.escape(charset.closing)
        text = re.sub(between, b"@@", text, flags=re.DOTALL)
    data = np.frombuffer(text, np.uint8)
    scripts = _scripts(charset)[data]
    # Bytes among control characters are numbers rather than text.
    control = data < (0x20 if charset.ascii else 0x40)
    near = control.copy()
    near[1:] |= control[:-1]
    near[:-1] |= control[1:]
    scripts[near] = _NEUTRAL
    cost = float(_COST[scripts].sum() + _SWITCH[scripts[:-1], scripts[1:]].sum())
    counts = np.bincount(scripts, minlength=8)
    kana, lower = int(counts[_KANA] + counts[_RARE_KANA]), int(counts[_LOWER])
    return (
        -cost,
        f"single bytes would be {kana:,} half-width kana, {lower:,} small letters, {int(counts[_NONE]):,} none",
    )


def _above_ascii(sample: bytes, codec: str) -> tuple[int, float]:
    """How many characters above X'7F' a codec sees, and the share of them that it can read."""
    text = sample[:_SAMPLE].decode(codec, "replace")
    high = sum(character > "\x7f" for character in text)
    return high, 1 - text.count("\ufffd") / high if high else 0.0


def _paired(sample: bytes, opening: bytes, closing: bytes) -> tuple[int, float]:
    """How many shifts to double-byte text there are, and the share that a shift back follows at a fitting distance."""
    data = np.frombuffer(sample[:_SAMPLE], np.uint8)
    places = []
    for code in (opening, closing):
        last = max(len(data) - len(code) + 1, 0)
        hits = np.logical_and.reduce([data[n : n + last] == byte for n, byte in enumerate(code)])
        places.append(np.flatnonzero(hits))
    opens, closes = places
    size = len(opening)
    if not len(opens) or not len(closes):
        return len(opens), 0.0
    after = np.searchsorted(closes, opens + size)
    followed = after < len(closes)
    gap = closes[np.minimum(after, len(closes) - 1)] - opens - size
    fits = followed & (gap > 0) & (gap % 2 == 0) & (gap <= 256)
    return len(opens), float(fits.mean())


@functools.cache
def _charset(number: int) -> Charset:
    # None of them has a table file, whose folder would matter.
    choice = CANDIDATES[number]
    return charsets.load(choice.name, choice.options, Path())


def charset_of(choice: Choice) -> Charset:
    """A charset that was proposed."""
    return _charset(CANDIDATES.index(choice))


def first_guess(sample: bytes) -> Charset:
    """The charset by the bytes alone, to weigh framings with."""
    found, _ = diagnose_charset(sample[:_TEXT], None, None)
    return charset_of(found[0].choice) if found else _charset(0)
