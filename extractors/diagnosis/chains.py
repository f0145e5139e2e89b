"""Chains of lengths: numbers among the bytes of a dump, each of which leads to the next.

A chain is known by how its numbers are written, where its first one stands, and what is added to each to come to the next.
How long the descriptor word around a number is and what of the step is adjustment cannot be told from the chain alone:
`readings` gives every way to say it that the bytes allow. Only places are looked for here; framings do the reading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

WINDOW = 1 << 20
STEPS = 16
"""Words that a chain is followed for before the reader itself takes it up."""

LONGEST_WORD = 8
FARTHEST_HEADER = 32_768
_MOST_LIKELY = 40
_FOLLOWED = 160
_FAR = 40


@dataclasses.dataclass(frozen=True, slots=True)
class Number:
    """How a length is written: its bytes, their order, and whether a first bit set makes it one of 31 bits."""

    width: int
    little: bool = False
    long: bool = False

    def values(self, data: np.ndarray) -> np.ndarray:
        """The number at every place, int64; -1 where it is beyond any length."""
        count = max(len(data) - self.width + 1, 0)
        value = np.zeros(count, np.int64)
        beyond = np.zeros(count, bool)
        for i in range(self.width):
            byte = data[self.width - 1 - i if self.little else i :][:count]
            if self.width - i > 4:
                beyond |= byte != 0
            else:
                value = value << 8 | byte
        if self.long:
            low = np.zeros(count, np.int64)
            if count > 2:
                low[: count - 2] = value[2:]
            value = np.where(value >= 0x8000, (value & 0x7FFF) << 16 | low, value)
        value[beyond | (value >= 1 << 31)] = -1
        return value


SHORT, SHORT_LITTLE = Number(2), Number(2, little=True)
LONG = Number(2, long=True)
NUMBERS = (
    SHORT,
    SHORT_LITTLE,
    Number(4),
    Number(4, little=True),
    Number(1),
    Number(3),
    Number(8),
    Number(8, little=True),
)
"""What is tried, the usual first."""


@dataclasses.dataclass(frozen=True, slots=True)
class Chain:
    """Numbers at `places`, each of which leads to `place + value + step`, its entry in `nexts`.

    `bits` says how unlikely the chain is among bytes that mean something else: one in two to their power.
    """

    number: Number
    step: int
    places: np.ndarray
    nexts: np.ndarray
    bits: float


def find(data: np.ndarray, *, whole: bool, longest: int) -> Sequence[Chain]:
    """Chains from the beginning of a dump; where there is none, those behind a header of any length."""
    near = np.arange(min(LONGEST_WORD, max(len(data) - 1, 0)))
    steps = np.arange(-64, 73)
    found = [
        chain
        for number in (*NUMBERS, LONG)
        for chain in _follow(
            _Ground.of(data, number, whole=whole, longest=_NO_BOUND if number.long else longest),
            near,
            steps if number.width > 1 else steps[56:81],
        )
        if not number.long or (data[chain.places] >= 0x80).any()
    ]
    if not any(c.bits > 60 and c.number.width > 1 and abs(c.step) <= LONGEST_WORD for c in found):
        far = np.arange(1, min(FARTHEST_HEADER, len(data) // 2))
        for number in NUMBERS[:4]:
            ground = _Ground.of(data, number, whole=whole, longest=longest)
            for step in range(-8, 17):
                # One step at a time: what is followed together stays near the core.
                found.extend(_first_words(_follow(ground, far, np.array([step]))))
    return sorted(found, key=lambda c: -c.bits)[:_MOST_LIKELY]


_NO_BOUND = 1 << 29


@dataclasses.dataclass(frozen=True, slots=True)
class _Ground:
    """Bytes as numbers of one making: each at its place, and some of them in order, to tell chance by."""

    window: np.ndarray
    number: Number
    values: np.ndarray
    some: np.ndarray
    ends: bool
    longest: int

    @classmethod
    def of(cls, data: np.ndarray, number: Number, *, whole: bool, longest: int) -> _Ground:
        window = data[:WINDOW]
        values = number.values(window).astype(np.int32)
        some = np.sort(values[:: max(len(values) // 4096, 1)])
        return cls(window, number, values, some, whole and len(window) == len(data), longest)

    def chance(self, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """The share of places whose number lies within bounds."""
        inside = np.searchsorted(self.some, most, "right") - np.searchsorted(self.some, least, "left")
        return np.asarray(np.clip(inside / max(len(self.some), 1), 1 / max(len(self.values), 1), 1.0))


def _follow(ground: _Ground, starts: np.ndarray, steps: np.ndarray) -> Iterator[Chain]:
    """The chains among many places to begin and many steps, all followed at once."""
    values, size = ground.values, len(ground.window)
    if not len(values) or not len(starts):
        return
    # One row a chain, so that rows may be dropped together: where it began and is, its steps, what they were like.
    by, place = (a.ravel() for a in np.meshgrid(steps, starts, indexing="ij"))
    rows = np.zeros((8, len(by)), np.int32)
    rows[_FIRST] = rows[_PLACE] = place
    rows[_STEP], rows[_LEAST] = by, _NO_BOUND
    done: list[np.ndarray] = []
    for _ in range(STEPS):
        first, by, place, words = rows[_FIRST], rows[_STEP], rows[_PLACE], rows[_WORDS]
        inside = place < len(values)
        # A chain may lead beyond what was looked at; where that is all there is, it must end there, or be long.
        over = ~inside & ((place - np.minimum(first, LONGEST_WORD) <= size) | (words >= 4) | (not ground.ends))
        done.append(rows[:, over])
        rows = rows[:, inside]
        value = values[rows[_PLACE]]
        length = value + rows[_STEP]
        fits = (value >= 0) & (length > 0) & (length <= ground.longest + 64)
        rows, length = rows[:, fits], length[fits]
        rows[_TURNS] += length != rows[_LAST]
        rows[_LEAST], rows[_MOST] = np.minimum(rows[_LEAST], length), np.maximum(rows[_MOST], length)
        rows[_LAST], rows[_PLACE] = length, rows[_PLACE] + length
        rows[_WORDS] += 1
    found = np.concatenate([*done, rows], axis=1)
    found = found[:, found[_WORDS] > 0]
    # Millions of places in bytes that repeat lead on and on: only those that chance does not explain are followed.
    chance = ground.chance(found[_LEAST] - found[_STEP], found[_MOST] - found[_STEP])
    bits = -found[_TURNS] * np.log2(chance)
    if len(starts) > LONGEST_WORD:
        found, bits = found[:, bits > _FAR], bits[bits > _FAR]
    for row in np.argsort(-bits, kind="stable")[:_FOLLOWED]:
        chain = _chain(ground, int(found[_FIRST, row]), int(found[_STEP, row]))
        if chain is not None:
            yield chain


_FIRST, _STEP, _PLACE, _WORDS, _LEAST, _MOST, _TURNS, _LAST = range(8)


def _chain(ground: _Ground, begin: int, step: int) -> Chain | None:
    number, values = ground.number, ground.values
    places: list[int] = []
    at = begin
    while at < len(values) and len(places) < 512:
        length = int(values[at]) + step
        if values[at] < 0 or length <= 0:
            break
        places.append(at)
        at += length
    lengths = np.diff([*places, at])
    # Chance: how many places anywhere hold a number that such a chain might have.
    chance = float(ground.chance(lengths.min() - step, lengths.max() - step))
    bits = -_turns(lengths) * np.log2(chance)
    if ground.ends and 0 <= at - len(ground.window) <= begin:
        bits += np.log2(len(ground.window) / len(places))
    if chance > 0.6 and bits < 40:
        return None
    if len(places) > 1 and _turns(lengths) <= 1 + len(places) // 20:
        # Records of one length repeat every number in them: only one that is that length itself says anything.
        if step not in (0, number.width, 4, 8) or number.width == 1 or begin > LONGEST_WORD:
            return None
        bits = max(min(bits, 40.0), 40.0 if begin == 0 else 24.0)
    # What is far from the usual was found among many more possibilities.
    usual = 0 if number in (SHORT, LONG) else 8 if number.width == 1 else 3
    bits -= usual + (0 if step in (0, 2, 4) else 5) + (0 if begin == 0 else 3 if begin <= LONGEST_WORD else 12)
    begins = np.array(places, np.int64)
    return Chain(number, step, begins, begins + lengths, float(bits)) if bits > 4 else None


def _turns(lengths: np.ndarray) -> int:
    """How many lengths are other than the one before: what only repeats is one piece of evidence."""
    return 1 + int((lengths[1:] != lengths[:-1]).sum())


def _first_words(chains: Iterator[Chain]) -> Iterator[Chain]:
    """Of the chains that run into one another, the three that may be the whole of it."""
    groups: dict[int, list[Chain]] = {}
    for chain in chains:
        groups.setdefault(chain.step, []).append(chain)
    for group in groups.values():
        taken = 0
        for chain in sorted(group, key=lambda c: int(c.places[0])):
            lengths = chain.nexts - chain.places
            # A number that only happens to lead into the chain is hardly ever one of its own size.
            if len(lengths) > 3 and lengths[1:].min() / 2 <= lengths[0] <= lengths[1:].max() * 1.5:
                yield chain
                taken += 1
                if taken == 3:
                    break


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One way to say what the words of a chain are: options of a framing under a prefix, without those that are usual.

    Attributes:
        header: bytes before the first word.
        size, trailing: bytes of the word, and of what follows each record.
        unusual: how much more is assumed than for a usual word.
        segments: whether the word has segment codes that some records need.
    """

    number: Number
    header: int
    at: int
    size: int
    trailing: int
    inclusive: bool
    adjust: int
    unusual: float
    segments: bool

    def options(self, prefix: str) -> dict[str, str]:
        """The options of the word."""
        width = min(2, self.size)
        said = {
            "size": (self.size, 4),
            "at": (self.at, 0),
            "width": (self.number.width, width),
            "order": ("little" if self.number.little else "big", "big"),
            "inclusive": ("yes" if self.inclusive else "no", "yes"),
            "adjust": (self.adjust, 0),
        }
        return {f"{prefix}_{name}": str(value) for name, (value, usual) in said.items() if value != usual}

    def describe(self) -> str:
        """The word in words."""
        size = {1: "one byte", 2: "two bytes", 4: "four bytes"}.get(self.size, f"{self.size} bytes")
        where = f", the length in {self.number.width} of them from {self.at}" if self.at or self.size != 4 else ""
        order = "little-endian" if self.number.little else "big-endian"
        counted = "counts itself" if self.inclusive else "does not count itself"
        adjusted = f", {self.adjust:+d} added" if self.adjust else ""
        thirty_one = ", 31 bits where the first is set" if self.number.long else ""
        behind = f", {self.trailing} bytes behind each record" if self.trailing else ""
        return f"{size}{where}, {order}{thirty_one}, {counted}{adjusted}{behind}"


def readings(data: np.ndarray, chain: Chain, ats: Sequence[int] | None = None) -> Iterator[Reading]:
    """Every way to say what a chain's words are, as far as their other bytes allow.

    Args:
        data: the bytes.
        chain: the chain.
        ats: where in its word a length may begin; None: anywhere, what is before the first word being a header.
    """
    places, nexts = chain.places[:256], chain.nexts[:256]
    width = chain.number.width
    first = int(places[0])
    alone = ats is None
    if ats is None:
        ats = [at for at in dict.fromkeys((first, 0, 2, 4)) if at <= min(first, LONGEST_WORD)]
    for at in ats:
        if at and not _constant(data, places, -at, 0):
            continue
        sizes = dict.fromkeys((at + width, *(s for s in (4, 6, 8) if s >= at + width)))
        for size in [4] if chain.number.long else sizes:
            coded = size == 4 and at == 0 and width == 2 and not chain.number.long and _segments(data, places)
            if not (chain.number.long or coded or _constant(data, places, width, size - at)):
                continue
            for trailing, cost in _trailing(data, places, nexts - at, width):
                inclusive, exclusive = chain.step - trailing, chain.step - size - trailing
                counts = abs(inclusive) <= abs(exclusive)
                adjust = inclusive if counts else exclusive
                if width == 1 and (adjust or trailing or (alone and first > at)):
                    # A byte says too little to believe anything more of it.
                    continue
                if abs(adjust) > 64 or (chain.number.long and chain.step - size >= 0):
                    continue
                unusual = cost + (0.06 if adjust else 0) + {2: 0.02, 4: 0.0}.get(size, 0.04)
                unusual += (0.015 if at else 0) + {2: 0.0, 4: 0.01}.get(width, 0.03)
                unusual += 0.1 + 1e-6 * (first - at) if alone and first > at else 0
                header = first - at if alone else 0
                yield Reading(chain.number, header, at, size, trailing, counts, adjust, unusual, coded)


def _constant(data: np.ndarray, places: np.ndarray, begin: int, end: int) -> bool:
    """Whether the bytes from `begin` to `end` of every place are the same at each, spaces and digits apart."""
    inside = places[(places + begin >= 0) & (places + end <= len(data))]
    return len(inside) > 0 and all(
        data[inside[0] + i] < 0x20 and (data[inside + i] == data[inside[0] + i]).all() for i in range(begin, end)
    )


def _segments(data: np.ndarray, places: np.ndarray) -> bool:
    """Whether the words' third bytes are segment codes in an order that records in parts have."""
    inside = places[places + 4 <= len(data)]
    codes = data[inside + 2]
    if not len(codes) or codes.max() > 3 or not codes.any() or data[inside + 3].any():
        return False
    open_before = np.isin(codes[:-1], (1, 3))
    goes_on = np.isin(codes[1:], (2, 3))
    return bool((open_before == goes_on).mean() > 0.9) if len(codes) > 1 else codes[0] == 1


def _trailing(data: np.ndarray, places: np.ndarray, nexts: np.ndarray, width: int) -> Iterator[tuple[int, float]]:
    """Bytes behind each record: none, or as many as repeat the length, or are the same behind each."""
    yield 0, 0.0
    fits = nexts <= len(data)
    places, nexts = places[fits], nexts[fits]
    if len(places) < 2:
        return
    for size in dict.fromkeys((width, 2, 4, 1)):
        behind = np.stack([data[nexts - size + i] for i in range(size)])
        if (
            size == width
            and all((behind[i] == data[places + i]).all() for i in range(width))
            and len(set(nexts - places)) > 1
        ):
            yield size, -0.04
        elif (behind == behind[:, :1]).all() and (behind[:, 0] < 0x20).all():
            yield size, 0.05


def inside(data: np.ndarray, blocks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, Chain]]:
    """Chains that lead through blocks (begin, end), each exactly to its end, and where in its word each number begins.

    A block's end may lie beyond the data.
    """
    some = list(blocks)[:6]
    if not some:
        return
    low, high = some[0][0], min(some[-1][1], len(data))
    for number in NUMBERS[:5]:
        ground = _Ground.of(data[low:high], number, whole=False, longest=high - low)
        values = ground.values
        for at in (0, 2):
            for step in range(-16, 25):
                places: list[int] = []
                for begin, end in some:
                    here = begin + at - low
                    while here < min(end + at - low, len(values)):
                        length = int(values[here]) + step
                        if values[here] < 0 or length <= 0 or (here + length > end + at - low):
                            break
                        places.append(here)
                        here += length
                    else:
                        if here == end + at - low or end > len(data):
                            continue
                    break
                else:
                    lengths = values[places] + step
                    if len(places) < 2 * len(some) and not (len(places) > 2 and number == SHORT and step == at == 0):
                        continue
                    if _turns(lengths) <= 1 + len(places) // 20 and step not in (0, 2, 4):
                        continue
                    bits = -len(places) * np.log2(float(ground.chance(lengths.min() - step, lengths.max() - step)))
                    begins = np.array(places, np.int64) + low
                    yield at, Chain(number, step, begins, begins + lengths, float(bits))
