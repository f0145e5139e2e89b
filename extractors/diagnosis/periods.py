"""Records of one length, and lines: what repeats in a dump at one distance.

Bytes that far apart are of one kind (a space, a digit, a letter ...) more often than chance has it. The bytes at the
dump's two ends that do not repeat so are a header or a trailer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from extractors.layout import Layout

LONGEST_PERIOD = 32_760
LEAST_RECORDS = 3
FARTHEST_HEADER = 32_768

_PROFILED = 1 << 19


@dataclasses.dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a kind of ending."""

    ending: str
    strength: float
    evidence: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Length:
    """Records of one length behind a header."""

    length: int
    strength: float
    evidence: tuple[str, ...]
    header: int = 0


def lines_of(data: np.ndarray) -> Iterator[Lines]:
    """The line ends that a dump may have."""
    for ending, last, before in (
        ("crlf", 0x0A, 0x0D),
        ("lf", 0x0A, None),
        ("nl", 0x15, None),
        ("ebcdic_lf", 0x25, None),
    ):
        at = np.flatnonzero(data == last)
        if before is not None:
            at = at[(at > 0) & (data[at - 1] == before)]
        if len(at) < LEAST_RECORDS and not (len(at) and at[-1] == len(data) - 1):
            continue
        gaps = np.diff(at, prepend=-1)
        typical = float(np.median(gaps))
        regular = float((np.abs(gaps - typical) <= 0.5 * typical).mean())
        ends = at[-1] == len(data) - 1
        others = float((data < 0x20).mean()) - len(at) * (2 if before else 1) / len(data)
        strength = 0.9 * regular - 5 * max(others, 0) - (0 if ends else 0.05) - (0 if typical > 2 else 0.5)
        # A few bytes that are an ending by chance are far fewer than the lines that a record's length makes.
        strength -= 0.35 if len(at) < LEAST_RECORDS else 0.0
        if strength > 0.4:
            evidence = (f"{len(at):,} line ends, half of the lines about {typical:.0f} bytes apart",)
            yield Lines(ending, min(strength, 0.95), evidence)


def kinds_of(data: np.ndarray) -> np.ndarray:
    """Every byte as a kind: space, X'00', digit, sign or packed, letter, other."""
    kinds = np.full(256, 6, np.uint8)
    kinds[0x80:0xF0] = 5
    kinds[0xC0:0xDA] = 4
    kinds[0x41:0x5B] = kinds[0x61:0x7B] = 4
    kinds[0xF0:0xFA] = kinds[0x30:0x3A] = 3
    kinds[[0x0C, 0x0D, 0x0F, 0x1C, 0x2C, 0x3C]] = 2
    kinds[0x00] = 1
    kinds[[0x40, 0x20]] = 0
    return np.asarray(kinds[data])


def lengths_of(sample: bytes, size: int, layouts: Mapping[str, Layout]) -> Iterator[Length]:
    """Record lengths at which bytes repeat their kind, and the layout's own.

    Args:
        sample: the first bytes of the dump.
        size: bytes of the dump.
        layouts: by dialect.
    """
    kinds = kinds_of(np.frombuffer(sample[:_PROFILED], np.uint8))
    own = dict.fromkeys(layout.length for layout in layouts.values() if layout.length)
    periods, share, gain, chance = _gains(kinds)
    candidates: dict[int, float] = {}
    if len(periods):
        # Near neighbours are alike in any text; a record's length stands out from the distances beside it.
        stands_out = np.zeros(len(gain), bool)
        stands_out[1:-1] = (gain[1:-1] > gain[:-2]) & (gain[1:-1] > gain[2:])
        best = float(gain[stands_out].max(initial=0))
        if best >= 0.2:
            # The multiples of a period agree as well as it does: the shortest that is nearly as good is meant, or a
            # part of it that divides the dump.
            shortest = int(periods[stands_out & (gain >= best - 0.04)][0])
            parts = [shortest // k for k in range(12, 1, -1) if shortest % k == 0 and size % (shortest // k) == 0]
            parts = [p for p in parts if p >= 2 and gain[p - 2] >= 0.5 * best and stands_out[p - 2]]
            candidates = {shortest: 0.0, **dict.fromkeys(parts, 0.05)}
    for length in dict.fromkeys((*candidates, *own)):
        here = float(gain[length - 2]) if 2 <= length < 2 + len(gain) else None
        divides = size % length == 0
        if here is None and length not in own:
            continue
        evidence = []
        strength = 0.4 + (0.12 if divides else -0.08) + candidates.get(length, 0.0)
        if here is not None:
            strength += 0.4 * max(here, 0)
            agree = f"bytes {length} apart are of one kind in {share[length - 2]:.0%} (by chance {chance:.0%})"
            evidence.append(agree)
        whole = f"{size:,} bytes are {size // length:,} record" + ("s" if size // length != 1 else "")
        evidence.append(whole + ("" if divides else f" and {size % length} bytes"))
        agreeing = [name for name, layout in layouts.items() if layout.length == length]
        if agreeing:
            strength += 0.1
            under = f" ({', '.join(agreeing)})" if len(own) > 1 else ""
            evidence.append(f"the layout has {length} bytes{under}")
        elif own:
            strength -= 0.1
        yield Length(length, min(strength, 0.9), tuple(evidence))
        if divides or size < length:
            continue
        for header in _headers(kinds, size, length, known=length in own):
            why = f"from there on bytes {length} apart are of one kind, before it they are not"
            yield Length(length, min(strength + 0.02, 0.9), (*evidence, why), header)


def _gains(kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """How far bytes at each distance agree: (distances, share, gain over chance, chance)."""
    counts = np.bincount(kinds, minlength=7) / max(len(kinds), 1)
    chance = float((counts**2).sum())
    periods = np.arange(2, min(LONGEST_PERIOD, len(kinds) // LEAST_RECORDS) + 1)
    if not len(periods) or chance > 0.995:
        none = np.zeros(0)
        return none.astype(np.int64), none, none, chance
    # Fourier transforms give the agreement at every distance at once.
    length = 1 << int(np.ceil(np.log2(2 * len(kinds))))
    agreement = np.zeros(length)
    for kind in range(7):
        spectrum = np.fft.rfft((kinds == kind).astype(np.float32), length)
        agreement += np.fft.irfft(spectrum * np.conj(spectrum), length)
    share = agreement[periods] / (len(kinds) - periods)
    return periods, share, (share - chance) / (1 - chance), chance


def _headers(kinds: np.ndarray, size: int, length: int, *, known: bool) -> Iterator[int]:
    """The header that would make the rest whole records: what repeats begins behind it."""
    usual = _alike(kinds, length, 0, len(kinds) - length)
    for header in range(size % length, min(len(kinds) - 2 * length, FARTHEST_HEADER) + 1, length):
        if _alike(kinds, length, header, header + length) >= 0.75 * usual:
            if known or _alike(kinds, length, 0, header) < 0.75 * usual:
                yield header
            return


def _alike(kinds: np.ndarray, length: int, begin: int, end: int) -> float:
    """The share of bytes of a stretch that are of one kind with the byte a record later."""
    end = min(end, len(kinds) - length)
    return float((kinds[begin:end] == kinds[begin + length : end + length]).mean()) if end > begin else 1.0


def ends_alike(sample: bytes, tail: bytes, length: int, size: int) -> tuple[float, float, float]:
    """How far the bytes left over agree with the records: at the dump's end, at its beginning, and records usually."""
    kinds, last = kinds_of(np.frombuffer(sample[:_PROFILED], np.uint8)), kinds_of(np.frombuffer(tail, np.uint8))
    rest = size % length
    usual = _alike(kinds, length, 0, len(kinds) - length)
    first = _alike(kinds, length, 0, rest)
    if len(last) < rest + length:
        return usual, first, usual
    return _alike(last, length, len(last) - rest - length, len(last) - length), first, usual
