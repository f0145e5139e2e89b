"""Which framing a dump has: descriptor words of every making, lines, records of one length, a length in a field.

Candidates come from the bytes alone; each is then read by the framing itself, as it would be pasted, and, where there is
a layout, judged by what decoding finds. The layout decides between candidates that account for the bytes equally well.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from extractors import framings
from extractors.charsets.contract import Charset
from extractors.copybooks.copybook import read_copybook
from extractors.diagnosis.chains import Chain, Reading, find, inside, readings
from extractors.diagnosis.layout_evidence import Evidence, judge
from extractors.diagnosis.periods import lengths_of, lines_of
from extractors.diagnosis.proposal import Proposal
from extractors.framings.contract import MAX_LENGTH, Framing
from extractors.layout import Field, Layout
from extractors.reading import Choice
from extractors.records import Account, frames
from migration_reports.findings import SpecError

TRIED = (
    "tried: records after words of one to eight bytes, either byte order, counting themselves or not, with adjustments "
    "to 64, lengths repeated behind the record and a header before the first; blocks with words of 16 or 31 bits around "
    "such records or records of one length; spanned records; lines; records of one length; rows of cells (CSV) are "
    "found by their sheet of columns (--layout)"
)
WITH_LAYOUT = "; a length by each whole number of the layout"

_ANY = read_copybook("01 ANY. 05 BYTES PIC X.", file="any")


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A framing that may be meant, before anything but the bytes was asked.

    `depth` tells how much it reads out of the bytes: blocks with records in them more than blocks alone.
    """

    choice: Choice
    strength: float
    evidence: tuple[str, ...]
    header: int = 0
    family: str = ""
    depth: int = 0
    measured: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A candidate that was read: how far it leads, and what the layout says under which dialect."""

    candidate: Candidate
    options: Mapping[str, str]
    records: int
    least: int
    most: int
    reached: int
    mark: bytes
    evidence: Evidence
    dialect: str
    strength: float


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """The bytes looked at: the dump's first, how many it has in all, and its last, where they could be had."""

    data: bytes
    size: int
    whole: bool
    tail: bytes = b""


def diagnose_framing(sample: Sample, layouts: Mapping[str, Layout], charset: Charset) -> list[tuple[Proposal, str]]:
    """The framings that a sample may have, the likeliest first, and the dialect under which each suits its layout best."""
    data = np.frombuffer(sample.data, np.uint8)
    found: list[Found] = []
    seen: dict[bytes, Found] = {}
    for candidate in _candidates(sample, data, layouts):
        one = _read(candidate, sample, layouts, charset)
        if one is None:
            continue
        same = seen.get(one.mark)
        if same is not None and same.strength >= one.strength:
            # It finds the same records: another way to say it.
            continue
        if same is not None:
            found.remove(same)
        seen[one.mark] = one
        found.append(one)
    deepest = max((f.candidate.depth for f in found if f.strength > 0.5), default=0)
    ranked = sorted(found, key=lambda f: (-_standing(f, deepest), -f.candidate.strength))
    return [(_proposal(f, _standing(f, deepest)), f.dialect) for f in ranked if _standing(f, deepest) > 0.05]


def _standing(found: Found, deepest: int) -> float:
    # Words that lead through blocks lead through the records in them too: what explains more is meant.
    less = deepest - found.candidate.depth if found.candidate.depth else 0
    return found.strength * (0.8**less if less > 0 else 1.0)


def _proposal(found: Found, strength: float) -> Proposal:
    candidate = found.candidate
    evidence = list(candidate.evidence)
    if not candidate.measured:
        evidence.append(f"{found.records:,} records lead through {found.reached:,} bytes")
        sizes = f"{found.least:,}" if found.least == found.most else f"{found.least:,} to {found.most:,}"
        evidence.append(f"records of {sizes} bytes")
    if candidate.header:
        evidence.append(f"a header of {candidate.header:,} bytes before the first record")
    evidence.extend(found.evidence.describe())
    options = {"header": str(candidate.header)} if candidate.header else {}
    choice = Choice(candidate.choice.name, found.options)
    return Proposal("framing", choice, float(np.clip(strength, 0, 0.99)), tuple(evidence), options)


def _candidates(sample: Sample, data: np.ndarray, layouts: Mapping[str, Layout]) -> Iterator[Candidate]:
    longest = max([32_760, *(layout.length for layout in layouts.values())])
    for chain in find(data, whole=sample.whole, longest=longest):
        for outer in readings(data, chain):
            yield from _of_words(chain, outer)
            if outer.trailing == 0:
                yield from _of_blocks(data, chain, outer, layouts)
    for one in lines_of(data):
        yield Candidate(Choice("lines", {"ending": one.ending}), one.strength, one.evidence, measured=True)
    for length in lengths_of(sample.data, sample.size, layouts):
        choice = Choice("fixed", {"length": str(length.length)})
        yield Candidate(choice, length.strength, length.evidence, length.header, measured=True)
    for layout in layouts.values():
        yield from _of_fields(sample, layout)


def _strength(bits: float, unusual: float) -> float:
    return float(0.97 * (1 - 2.0 ** (-max(bits, 0) / 8)) - unusual)


def _of_words(chain: Chain, word: Reading) -> Iterator[Candidate]:
    strength = _strength(chain.bits, word.unusual)
    if word.segments:
        text = f"each segment has a word: {word.describe()}; segment codes follow one another as in spanned records"
        yield Candidate(
            Choice("spanned", {"blocks": "no", **word.options("record")}), strength, (text,), word.header, depth=2
        )
    if word.number.long:
        return
    options = word.options("record") | ({"trailing": str(word.trailing)} if word.trailing else {})
    evidence = (f"each record has a word: {word.describe()}",)
    yield Candidate(Choice("variable", options), strength, evidence, word.header, depth=1)


def _of_blocks(data: np.ndarray, chain: Chain, block: Reading, layouts: Mapping[str, Layout]) -> Iterator[Candidate]:
    begins = chain.places - block.at + block.size
    blocks = list(zip(begins.tolist(), (chain.nexts - block.at).tolist(), strict=True))
    whole = [pair for pair in blocks if pair[1] <= len(data) and pair[0] < pair[1]] or blocks[:1]
    said = f"each block has a word: {block.describe()}"
    outer = block.options("block")
    for at, inner in inside(data, whole):
        for word in readings(data, inner, (at,)):
            if word.trailing:
                continue
            bits = chain.bits + inner.bits
            strength = _strength(bits, block.unusual + word.unusual)
            options = outer | word.options("record")
            if word.segments:
                text = (said, f"each segment in it too: {word.describe()}; segment codes as in spanned records")
                yield Candidate(Choice("spanned", options), strength + 0.01, text, block.header, depth=3)
            text = (said, f"each record in it too: {word.describe()}")
            yield Candidate(Choice("blocked", options), strength, text, block.header, depth=2)
    yield from _of_fixed_blocks(data, chain, block, whole, layouts)


def _of_fixed_blocks(
    data: np.ndarray, chain: Chain, block: Reading, whole: Sequence[tuple[int, int]], layouts: Mapping[str, Layout]
) -> Iterator[Candidate]:
    """Blocks of records of one length without words."""
    payload = [end - begin for begin, end in whole]
    common = int(np.gcd.reduce(payload)) if payload else 0
    lengths = {layout.length: 0.0 for layout in layouts.values() if common and common % layout.length == 0}
    if not lengths and len(whole) > 1 and common > 1:
        joined = b"".join(data[begin:end].tobytes() for begin, end in whole[:64])
        lengths = {
            one.length: 0.05
            for one in lengths_of(joined, len(joined), {})
            if common % one.length == 0 and one.header == 0 and one.strength > 0.6
        }
    for length, unusual in lengths.items():
        if max(payload) <= length:
            continue
        evidence = (
            f"each block has a word: {block.describe()}",
            f"every block holds whole records of {length} bytes",
        )
        choice = Choice("blocked", block.options("block") | {"records": "fixed", "length": str(length)})
        yield Candidate(choice, _strength(chain.bits, block.unusual + unusual), evidence, block.header, depth=2)


def _of_fields(sample: Sample, layout: Layout) -> Iterator[Candidate]:
    """Records whose length follows from one of their own fields, by arithmetic."""
    section = layout.segment().sections[0]
    table = layout.segment().tables[0] if len(layout.segment().tables) == 1 else None
    for field in section.fields[:64]:
        if field.usage not in ("zoned", "packed", "binary", "binary_little") or field.picture.scale or field.filler:
            continue
        if table is not None and table.depending is not None:
            if field.ordinal != table.counter:
                continue
            fixed = layout.length - table.most * table.element.width
            expressions = [f"{fixed} + {table.element.width} * N"]
        else:
            expressions = list(_summands(sample, layout, field.name))
        for expression in expressions:
            said = f"the length of each record is {expression}, N being {field.name}"
            options = {"field": field.name} | ({"expression": expression} if expression != "N" else {})
            yield Candidate(Choice("length_field", options), 0.9 - (0.02 if expression != "N" else 0), (said,), depth=1)


def _summands(sample: Sample, layout: Layout, name: str) -> Iterator[str]:
    """Expressions N + c under which a field leads from record to record."""
    try:
        framings.load("length_field", {"field": name}, layout)
    except SpecError:
        return
    start = sample.data[: 1 << 16]
    field = next(f for f in layout.segment().sections[0].fields if f.name == name)
    for added in (0, *(sign * n for n in range(1, 65) for sign in (1, -1))):
        if not _leads(start, field, added):
            continue
        expression = "N" if not added else f"N + {added}" if added > 0 else f"N - {-added}"
        framing = framings.load("length_field", {"field": name, "expression": expression}, layout)
        framed = framing.index(_padded(start, layout), 0, len(start), sample.whole and len(start) == sample.size, ())
        rest = len(start) - framed.used
        if len(framed.pos) >= 2 and not framed.stopped and rest <= (0 if len(start) == sample.size else 32_768):
            lengths = framed.limits - framed.pos
            # Records of one length only would make any field that never changes a length.
            if lengths.min() < lengths.max():
                yield expression


def _leads(data: bytes, field: Field, added: int) -> bool:
    """Whether a field leads through the first records; a quick look that spares a slow one."""
    at = 0
    for _ in range(8):
        length = _number(data[at + field.offset : at + field.offset + field.width], field.usage) + added
        if length < field.offset + field.width or length > 32_760:
            return False
        at += length
        if at >= len(data):
            break
    return True


def _number(cell: bytes, usage: str) -> int:
    if usage == "zoned":
        digits = "".join(f"{byte & 15:X}" for byte in cell)
    elif usage == "packed":
        digits = cell.hex()[:-1]
    else:
        return int.from_bytes(cell, "little" if usage == "binary_little" else "big")
    return int(digits) if digits.isdigit() else -1


def _padded(data: bytes, layout: Layout) -> np.ndarray:
    return np.frombuffer(data + b"\0" * (layout.length + 64), np.uint8)


def _read(candidate: Candidate, sample: Sample, layouts: Mapping[str, Layout], charset: Charset) -> Found | None:
    """Read the sample by a candidate as it would be pasted; None where that does not lead through it."""
    if candidate.header and candidate.choice.name == "fixed":
        candidate = _behind_header(candidate, sample, layouts, charset)
    data = sample.data[candidate.header :]
    some = next(iter(layouts.values()), _ANY)
    options = dict(candidate.choice.options)
    measure = _measure(candidate, options, some, data, sample.whole)
    if measure is None and candidate.choice.name not in ("fixed", "lines", "length_field"):
        # A block or record longer than is believed without being told.
        options["longest"] = str(MAX_LENGTH)
        measure = _measure(candidate, options, some, data, sample.whole)
        if measure is not None:
            longest = max(measure.most, measure.block)
            tight = 1 << max(int(longest - 1).bit_length(), 16)
            options["longest"] = str(min(tight, MAX_LENGTH))
    if measure is None:
        return None
    best, by = Evidence(), ""
    strength = -1.0
    for name, layout in layouts.items():
        framing = load_framing(Choice(candidate.choice.name, options), layout)
        if framing is None:
            continue
        evidence = judge(data, framing, layout, charset)
        weighed = evidence.weigh(candidate.strength)
        if weighed > strength:
            best, by, strength = evidence, name, weighed
    if strength < 0:
        # Records that the layout does not fit into cannot be read by it, and are no answer to it.
        strength = candidate.strength * (0.3 if layouts else 1.0)
    # Hardly anybody writes records of no bytes: zeros among the bytes read as words are more likely.
    strength *= (1 - min(measure.rest / max(len(data), 1), 1.0)) * (1 - measure.empty)
    return Found(
        candidate,
        options,
        measure.records,
        measure.least,
        measure.most,
        measure.reached,
        measure.mark,
        best,
        by,
        strength,
    )


def _behind_header(candidate: Candidate, sample: Sample, layouts: Mapping[str, Layout], charset: Charset) -> Candidate:
    """The same with as long a header as the first record that the layout can read says."""
    length = int(candidate.choice.options["length"])
    for layout in layouts.values():
        framing = load_framing(candidate.choice, layout)
        if framing is None:
            continue
        for header in range(candidate.header, min(candidate.header + 64 * length, len(sample.data) - length), length):
            evidence = judge(sample.data[header : header + length], framing, layout, charset)
            if evidence.numbers and evidence.wrong < 0.3:
                return dataclasses.replace(candidate, header=header)
    return candidate


@dataclasses.dataclass(frozen=True, slots=True)
class _Measure:
    records: int
    least: int
    most: int
    block: int
    reached: int
    rest: int
    empty: float
    mark: bytes


def load_framing(choice: Choice, layout: Layout) -> Framing | None:
    """The framing of a choice, None where it does not fit the layout."""
    try:
        return framings.load(choice.name, choice.options, layout)
    except SpecError:
        return None


def _measure(
    candidate: Candidate, options: Mapping[str, str], layout: Layout, data: bytes, whole: bool
) -> _Measure | None:
    """What a framing makes of the sample, where it leads through enough of it."""
    choice = Choice(candidate.choice.name, options)
    framing = load_framing(choice, layout) or load_framing(choice, _ANY)
    if framing is None:
        return None
    account = Account()
    lengths: list[np.ndarray] = []
    offsets: list[np.ndarray] = []
    broken: list[int] = []
    for part in frames(io.BytesIO(data), framing, layout, account):
        lengths.append(part.limits - part.pos)
        offsets.append(part.offsets)
        broken.extend(t.at for t in part.troubles if t.code == "F108")
    sizes = np.concatenate(lengths) if lengths else np.zeros(0, np.int64)
    # A record without its end behind the last whole one is where the sample ends, and no damage.
    if not len(sizes) or not sizes.any() or any(at < int(np.concatenate(offsets)[-1]) for at in broken):
        return None
    reached = account.bytes - account.left_over
    most = int(sizes.max())
    rest = account.left_over if whole else max(account.left_over - max(most, 32_760) - 8, 0)
    name = candidate.choice.name
    if (
        name not in ("fixed", "lines")
        and rest > max(len(data) // 50, 0)
        and not (whole and len(sizes) > 64 and rest < 4096)
    ):
        return None
    block = most
    if name in ("blocked", "spanned") and not whole:
        block = max(most, account.left_over)
    mark = np.concatenate(offsets)[:4096].tobytes() + sizes[:4096].tobytes() + str(candidate.header).encode()
    empty = float((sizes == 0).mean())
    return _Measure(len(sizes), int(sizes.min()), most, block, reached, rest, empty, mark)
