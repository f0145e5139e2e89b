"""What a dump of unknown making is: framing, record length, charset and dialect, each proposed with its evidence.

Nothing is guessed silently: every proposal says what speaks for it and how much, and the reader is never set by it. Only
a sample of the bytes is looked at; nothing of their content is repeated, only counts and lengths.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from extractors import charsets, containers, dialects, framings
from extractors.batches import extract
from extractors.container import HEAD, Damaged
from extractors.copybook import read_copybook
from extractors.layout import Layout
from extractors.reading import Choice, Spoken
from extractors.records import Account, frames
from migration_reports.findings import SpecError

SAMPLE = 4 * 1024 * 1024
LEAST_RECORDS = 3
LONGEST_PERIOD = 32_760
FAMILIES = ("container", "framing", "charset", "dialect")


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """One way to read something of the dump: how strongly the sample speaks for it (0 to 1), and why."""

    family: str
    choice: Choice
    strength: float
    evidence: tuple[str, ...]

    @property
    def yaml(self) -> str:
        """The manifest line."""
        if not self.choice.options:
            return f"{self.family}: {self.choice.name}"
        options = ", ".join(f'{key}: "{value}"' for key, value in self.choice.options.items())
        return f"{self.family}: {{name: {self.choice.name}, {options}}}"


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything found out about a dump.

    Attributes:
        size: bytes of the dump, unwrapped where `sampled` is all of it.
        sampled: bytes looked at.
        proposals: of each family the likeliest first.
        remarks: what else a person should know, such as bytes left over.
    """

    size: int
    sampled: int
    proposals: tuple[Proposal, ...]
    remarks: tuple[str, ...]

    def best(self, family: str) -> Proposal | None:
        """The likeliest proposal of a family."""
        return next((p for p in self.proposals if p.family == family), None)

    @property
    def spoken(self) -> Spoken:
        """The likeliest reading."""
        chosen = {family: p.choice for family in FAMILIES if (p := self.best(family)) is not None}
        return Spoken(
            framing=chosen.get("framing", Choice("fixed")),
            charset=chosen.get("charset", Choice("ibm")),
            dialect=chosen.get("dialect", Choice("ibm")),
            container=chosen.get("container"),
        )


LayoutOf = Callable[[Choice], Layout]
"""The layout by a dialect."""


def diagnose(path: Path, layout_of: LayoutOf | None = None, *, folder: Path | None = None) -> Diagnosis:
    """Find out how a dump may be read.

    Args:
        path: the file.
        layout_of: reads the copybook of its records by a dialect, where there is one.
        folder: what table files are relative to.
    """
    remarks: list[str] = []
    proposals: list[Proposal] = []
    size = path.stat().st_size
    with path.open("rb") as raw:
        name = containers.recognise(raw.read(HEAD))
        raw.seek(0)
        stream: BinaryIO = raw
        if name is not None:
            proposals.append(Proposal("container", Choice(name), 0.99, (f"the file begins as {name} does",)))
            stream = containers.load(name, {})(raw)
        sample, damage = _take(stream, SAMPLE)
    if damage:
        remarks.append(f"the container is damaged: {damage}")
    whole = len(sample) < SAMPLE or (name is None and size == len(sample))
    size = len(sample) if whole else size
    data = np.frombuffer(sample, np.uint8)
    if not len(data):
        return Diagnosis(size, 0, tuple(proposals), ("the dump is empty",))
    layouts = _layouts(layout_of)
    framed = sorted(_framings(data, size, whole=whole, layouts=layouts), key=lambda p: -p.strength)
    proposals.extend(framed[:4])
    spoken = Spoken(framed[0].choice) if framed else Spoken()
    decided = _charsets(sample, spoken, layouts, folder or Path.cwd())
    proposals.extend(decided)
    if layouts:
        if decided:
            spoken = dataclasses.replace(spoken, charset=decided[0].choice)
        proposals.extend(_dialects(sample, spoken, layouts, folder or Path.cwd()))
    if framed and framed[0].choice.name == "fixed":
        length = int(framed[0].choice.options["length"])
        if whole and size % length:
            remarks.append(
                f"{size % length} bytes are left over after {size // length:,} records of {length}: cut short?"
            )
    for dialect, layout in layouts.items():
        best = framed[0] if framed else None
        if best is not None and best.choice.name == "fixed" and int(best.choice.options["length"]) != layout.length:
            remarks.append(
                f"the layout has {layout.length} bytes under {dialect}, the records seem to have {best.choice.options['length']}"
            )
    return Diagnosis(size, len(data), tuple(proposals), tuple(dict.fromkeys(remarks)))


def _take(stream: BinaryIO, most: int) -> tuple[bytes, str]:
    """At most so many bytes, and what was damaged."""
    parts: list[bytes] = []
    got = 0
    try:
        while got < most:
            block = stream.read(min(1 << 16, most - got))
            if not block:
                break
            parts.append(block)
            got += len(block)
    except (Damaged, SpecError) as damage:
        return b"".join(parts), str(damage)
    return b"".join(parts), ""


def _layouts(layout_of: LayoutOf | None) -> Mapping[str, Layout]:
    found: dict[str, Layout] = {}
    if layout_of is None:
        return found
    problem: SpecError | None = None
    for dialect in (dialects.DEFAULT, *dialects.DIALECTS):
        try:
            found.setdefault(dialect.name, layout_of(Choice(dialect.name)))
        except SpecError as error:
            problem = error
    if not found and problem is not None:
        raise problem
    return found


_WORDS: Sequence[tuple[str, Mapping[str, str]]] = (
    ("counts itself, big-endian", {}),
    ("without itself, big-endian", {"inclusive": "no"}),
    ("little-endian, counts itself", {"order": "little"}),
    ("little-endian, without itself", {"order": "little", "inclusive": "no"}),
    ("in its last two bytes, big-endian, without itself", {"at": "2", "inclusive": "no"}),
    ("in its last two bytes, little-endian, without itself", {"at": "2", "order": "little", "inclusive": "no"}),
    ("in its last two bytes, little-endian, counts itself", {"at": "2", "order": "little"}),
    ("four bytes, big-endian, without itself", {"width": "4", "inclusive": "no"}),
    ("four bytes, little-endian, without itself", {"width": "4", "order": "little", "inclusive": "no"}),
)


def _framings(data: np.ndarray, size: int, *, whole: bool, layouts: Mapping[str, Layout]) -> Iterable[Proposal]:
    longest = max([32_760, *(layout.length for layout in layouts.values())])
    for said, options in _WORDS:
        words = {f"record_{key}": value for key, value in options.items()}
        found = _walked("variable", words, data, whole=whole, longest=longest)
        if found is not None:
            yield _of_words("variable", words, f"each record has a word whose length is {said}", *found)
    for said, options in _WORDS[:4]:
        for inner_said, inner in _WORDS[:2]:
            words = {f"block_{key}": value for key, value in options.items()}
            words |= {f"record_{key}": value for key, value in inner.items()}
            for name in ("blocked", "spanned"):
                found = _walked(name, words, data, whole=whole, longest=longest)
                if found is None or (name == "spanned" and not _segmented(name, words, data)):
                    continue
                text = f"blocks have words ({said}), records in them too ({inner_said})"
                yield _of_words(name, words, text, *found, more=0.03 if name == "spanned" else 0.02)
    yield from _lines(data)
    yield from _fixed(data, size, layouts=layouts)


def _walked(
    name: str, options: Mapping[str, str], data: np.ndarray, *, whole: bool, longest: int
) -> tuple[int, int, int, int] | None:
    """(records, shortest, longest, bytes reached), where words lead through enough of the sample."""
    framing = framings.load(name, {**options, "longest": str(longest)}, _ANY)
    account = Account()
    lengths: list[np.ndarray] = []
    for part in frames(io.BytesIO(data.tobytes()), framing, _ANY, account):
        lengths.append(part.limits - part.pos)
    sizes = np.concatenate(lengths) if lengths else np.zeros(0, np.int64)
    reached = account.bytes - account.left_over
    rest = account.left_over if whole else max(account.left_over - longest - 8, 0)
    if len(sizes) < LEAST_RECORDS or rest > len(data) // 100 or account.skipped or not sizes.any():
        return None
    return len(sizes), int(sizes.min()), int(sizes.max()), reached


def _segmented(name: str, options: Mapping[str, str], data: np.ndarray) -> bool:
    """Whether some record has more than one segment: fewer records than words."""
    as_blocks = _walked("blocked", options, data, whole=False, longest=32_760)
    as_spanned = _walked(name, options, data, whole=False, longest=32_760)
    return as_blocks is not None and as_spanned is not None and as_spanned[0] < as_blocks[0]


def _of_words(
    name: str,
    options: Mapping[str, str],
    said: str,
    count: int,
    least: int,
    most: int,
    reached: int,
    *,
    more: float = 0.0,
) -> Proposal:
    # Every further word that fits makes chance less likely; one length only may as well be records without words.
    strength = min(0.97, 0.6 + 0.05 * np.log2(count)) + more - (0.05 if least == most else 0)
    evidence = (said, f"{count:,} words in a row lead through {reached:,} bytes", f"records of {least} to {most} bytes")
    return Proposal("framing", Choice(name, dict(options)), float(min(strength, 0.99)), evidence)


def _lines(data: np.ndarray) -> Iterable[Proposal]:
    for ending, last, before in (
        ("crlf", 0x0A, 0x0D),
        ("lf", 0x0A, None),
        ("nl", 0x15, None),
        ("ebcdic_lf", 0x25, None),
    ):
        at = np.flatnonzero(data == last)
        if before is not None:
            at = at[(at > 0) & (data[at - 1] == before)]
        if len(at) < LEAST_RECORDS:
            continue
        gaps = np.diff(at)
        typical = float(np.median(gaps))
        regular = float((np.abs(gaps - typical) <= 0.5 * typical).mean()) if len(gaps) else 0.0
        ends = at[-1] == len(data) - 1
        others = float((data < 0x20).mean()) - len(at) * (2 if before else 1) / len(data)
        strength = 0.9 * regular - 5 * max(others, 0) - (0 if ends else 0.05) - (0 if typical > 2 else 0.5)
        if strength > 0.4:
            evidence = (f"{len(at):,} line ends, half of the lines about {typical:.0f} bytes apart",)
            yield Proposal("framing", Choice("lines", {"ending": ending}), min(strength, 0.95), evidence)


def _kinds_of(data: np.ndarray) -> np.ndarray:
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


def _fixed(data: np.ndarray, size: int, *, layouts: Mapping[str, Layout]) -> Iterable[Proposal]:
    """Record lengths at which bytes repeat their kind, and the layout's own."""
    kinds = _kinds_of(data[: 1 << 20])
    counts = np.bincount(kinds, minlength=7) / len(kinds)
    chance = float((counts**2).sum())
    periods = np.arange(2, min(LONGEST_PERIOD, len(kinds) // LEAST_RECORDS) + 1)
    if not len(periods) or chance > 0.995:
        return
    # Fourier transforms give the agreement at every distance at once.
    length = 1 << int(np.ceil(np.log2(2 * len(kinds))))
    agreement = np.zeros(length)
    for kind in range(7):
        spectrum = np.fft.rfft((kinds == kind).astype(np.float32), length)
        agreement += np.fft.irfft(spectrum * np.conj(spectrum), length)
    share = agreement[periods] / (len(kinds) - periods)
    gain = (share - chance) / (1 - chance)
    # Near neighbours are alike in any text; a record's length stands out from the distances beside it.
    stands_out = np.zeros(len(gain), bool)
    stands_out[1:-1] = (gain[1:-1] > gain[:-2]) & (gain[1:-1] > gain[2:])
    best = float(gain[stands_out].max(initial=0))
    if best < 0.2:
        return
    # The multiples of a period agree as well as it does: the shortest that is nearly as good is meant, or a part of it
    # that divides the dump.
    shortest = int(periods[stands_out & (gain >= best - 0.04)][0])
    parts = [shortest // k for k in range(12, 1, -1) if shortest % k == 0 and size % (shortest // k) == 0]
    parts = [part for part in parts if part >= 2 and gain[part - 2] >= 0.5 * best and stands_out[part - 2]]
    lengths = dict.fromkeys([shortest, *parts, *(layout.length for layout in layouts.values())])
    for candidate in lengths:
        if candidate > periods[-1] or candidate < 2:
            continue
        here = float(gain[candidate - 2])
        divides = size % candidate == 0
        strength = 0.45 + 0.4 * here + (0.12 if divides else -0.08) + (0.05 if candidate in parts else 0)
        evidence = [
            f"bytes {candidate} apart are of one kind in {share[candidate - 2]:.0%} (by chance {chance:.0%})",
            f"{size:,} bytes are {size // candidate:,} records" + ("" if divides else f" and {size % candidate} bytes"),
        ]
        agreeing = [name for name, layout in layouts.items() if layout.length == candidate]
        if agreeing:
            strength += 0.08
            evidence.append(f"the layout has {candidate} bytes ({', '.join(agreeing)})")
        if here >= 0.2:
            choice = Choice("fixed", {"length": str(candidate)})
            yield Proposal("framing", choice, min(strength, 0.98), tuple(evidence))


_CANDIDATES = (
    Choice("single_byte", {"page": "cp037"}),
    Choice("single_byte", {"page": "ascii"}),
    Choice("single_byte", {"page": "jis_x_0201"}),
    Choice("fujitsu"),
    Choice("hitachi"),
    Choice("ibm"),
    Choice("ibm", {"ccsid": "939"}),
    Choice("nec"),
    Choice("nec", {"form": "jips_j"}),
    Choice("unisys"),
    Choice("iso_2022_jp"),
    Choice("shift_jis"),
    Choice("euc_jp"),
    Choice("utf_8"),
)
"""What is tried, one form of each; editions and pages that differ in few codes are told apart by a person."""

_CODECS = {"shift_jis": "cp932", "euc_jp": "euc_jp", "utf_8": "utf_8"}
"""Codecs that tell how much of a sample above X'7F' is characters, for the charsets without shift codes."""


def _charsets(sample: bytes, spoken: Spoken, layouts: Mapping[str, Layout], folder: Path) -> list[Proposal]:
    """Charsets by what their decoding finds odd, or, without a layout, by their spaces, digits and shift codes."""
    counts = np.bincount(np.frombuffer(sample, np.uint8), minlength=256)
    ebcdic = int(counts[0x40] + counts[0xF0:0xFA].sum())
    ascii_ = int(counts[0x20] + counts[0x30:0x3A].sum())
    share = ebcdic / max(ebcdic + ascii_, 1)
    spaces = f"of its spaces and digits {share:.0%} are EBCDIC, {1 - share:.0%} ASCII"
    found: list[Proposal] = []
    for choice in _CANDIDATES:
        charset = charsets.load(choice.name, choice.options, folder)
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
        odd = _oddness(sample, dataclasses.replace(spoken, charset=choice), layouts, folder, text_only=True)
        if odd is not None:
            strength += 0.25 - min(odd, 0.5)
            evidence.append(f"{odd:.1%} of text fields hold codes or shifts that it does not know")
        found.append(Proposal("charset", choice, float(np.clip(strength, 0, 0.99)), tuple(evidence)))
    return sorted(found, key=lambda p: -p.strength)[:3]


def _above_ascii(sample: bytes, codec: str) -> tuple[int, float]:
    """How many characters above X'7F' a codec sees, and the share of them that it can read."""
    text = sample[: 1 << 20].decode(codec, "replace")
    high = sum(character > "\x7f" for character in text)
    return high, 1 - text.count("\ufffd") / high if high else 0.0


def _paired(sample: bytes, opening: bytes, closing: bytes) -> tuple[int, float]:
    """How many shifts to double-byte text there are, and the share that a shift back follows at a fitting distance."""
    data = np.frombuffer(sample[: 1 << 20], np.uint8)
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


def _dialects(sample: bytes, spoken: Spoken, layouts: Mapping[str, Layout], folder: Path) -> list[Proposal]:
    found = []
    for name, layout in layouts.items():
        odd = _oddness(
            sample, dataclasses.replace(spoken, dialect=Choice(name)), {name: layout}, folder, text_only=False
        )
        if odd is None:
            continue
        evidence = [f"{odd:.2%} of numbers are none, or have more digits than their PICTURE"]
        length = spoken.framing.options.get("length")
        agrees = spoken.framing.name != "fixed" or length == str(layout.length)
        evidence.append(f"the layout has {layout.length} bytes")
        strength = 0.8 - min(10 * odd, 0.5) - (0 if agrees else 0.25) + (0.01 if name == "ibm" else 0)
        found.append(Proposal("dialect", Choice(name), float(np.clip(strength, 0, 0.99)), tuple(evidence)))
    return sorted(found, key=lambda p: -p.strength)[:3]


def _oddness(
    sample: bytes, spoken: Spoken, layouts: Mapping[str, Layout], folder: Path, *, text_only: bool
) -> float | None:
    """The share of fields in which decoding finds something odd; None without a layout that fits."""
    layout = layouts.get(spoken.dialect.name) or next(iter(layouts.values()), None)
    if layout is None:
        return None
    options = dict(spoken.framing.options)
    if spoken.framing.name == "fixed" and int(options.get("length", layout.length)) < layout.length:
        options["length"] = str(layout.length)
    framing = framings.load(spoken.framing.name, options, layout)
    charset = charsets.load(spoken.charset.name, spoken.charset.options, folder)
    extraction = extract(io.BytesIO(sample[: 1 << 20]), name="sample", layout=layout, framing=framing, charset=charset)
    odd = cells = 0
    texts = sum(f.arrow_type == "string" for f in layout.fields() if not f.asked_only)
    numbers = sum(1 for f in layout.fields() if not f.asked_only) - texts
    for extracted in extraction:
        codes = extracted.findings.column("code").to_pylist()
        wanted = (
            ("D211", "D212", "D213", "D215", "D216", "D221") if text_only else ("D201", "D202", "D204", "D205", "D206")
        )
        odd += sum(code in wanted for code in codes)
        cells += extracted.batch.num_rows * (texts if text_only else numbers)
    return odd / cells if cells else None


_ANY = read_copybook("01 ANY. 05 BYTES PIC X.", file="any")
