"""What is read in the benchmarks of reading: bytes in a file, and how they are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load as load_municipality
from extractors import charsets, decoder, framings
from extractors.batches import Kind, extract
from extractors.charsets.contract import Charset
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Blanks
from extractors.framings.contract import Framing
from extractors.layout import Layout
from extractors.records import WHOLE, Slice
from extractors.writing.encode import encode
from tests.benchmarks.ground import ROOT, TOWN

DUMP = "juki_master"
KINDS = "JKLMNOPQ"
"""Letters that stand in the place of the resident record's own, one a kind."""


@dataclasses.dataclass(frozen=True, slots=True)
class Workload:
    """Bytes in a file, and how they are read."""

    name: str
    file: Path
    layout: Layout
    framing: Framing
    charset: Charset
    kinds: Sequence[Kind] = (Kind("record"),)
    blanks: Blanks = decoder.AS_FINDINGS

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.file.stat().st_size

    def read(self, part: Slice = WHOLE) -> int:
        """Read all of it, or a part; gives the number of findings."""
        with self.file.open("rb") as stream:
            stream.seek(part.offset)
            extraction = extract(
                stream, name=self.name, layout=self.layout, framing=self.framing, charset=self.charset,
                kinds=self.kinds, blanks=self.blanks, part=part,
            )  # fmt: skip
            return sum(extracted.findings.num_rows for extracted in extraction)


def resident(residents: int, folder: Path) -> Workload:
    """The 400-byte resident record of a shipped municipality, as `hikkoshi synthesize` makes it."""
    town = ROOT / "mappings" / "municipalities" / TOWN
    reader = load_municipality(town).dumps[DUMP]
    (made,) = synthesize(town, residents=residents, seed=1, faults=0.001, out=folder)
    kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
    reading = reader.reading
    return Workload("resident, 400 B", made.dump, reading.layout, reading.framing, reading.charset, kinds)


def of_many_kinds(fixed: Workload, folder: Path) -> Workload:
    """The resident records as so many kinds in one file, one after the other at random."""
    (kind,) = (k for k in fixed.kinds if k.name == "resident")
    (tells,) = (f for f in fixed.layout.fields() if f.name == kind.field)
    cells = np.fromfile(fixed.file, np.uint8).reshape(-1, fixed.layout.length)
    of_kind = cells[:, tells.offset] == ord(kind.values[0].encode("cp037"))
    letters = np.frombuffer(KINDS.encode("cp037"), np.uint8)
    cells[of_kind, tells.offset] = np.random.default_rng(5).choice(letters, int(of_kind.sum()))
    others = [k for k in fixed.kinds if k is not kind]
    kinds = [dataclasses.replace(kind, name=letter, values=(letter,)) for letter in KINDS]
    name = f"resident, {len(KINDS)} kinds"
    return dataclasses.replace(fixed, name=name, file=_filed(folder, name, cells), kinds=[*others, *kinds])


def numeric(count: int, folder: Path, *, blank: float = 0.0, policy: Blanks = decoder.AS_FINDINGS) -> Workload:
    """Twelve packed and seven binary numbers in 100 bytes, some of the packed ones blank."""
    fields = [f"05 P{n} PIC S9({d}) COMP-3." for n, d in enumerate((5, 7, 7, 9, 9, 9, 9, 11, 11, 13, 13, 15))]
    fields += [f"05 B{n} PIC S9({d}) COMP." for n, d in enumerate((4, 4, 4, 9, 9, 9, 9))]
    layout = read_copybook("01 R. " + " ".join(fields) + " 05 FILLER PIC X(13).", file="numeric")
    random = np.random.default_rng(1)
    made = {
        f.name: random.integers(-(10**f.picture.size) + 1, 10**f.picture.size, count)
        for f in layout.fields()
        if not f.filler
    }
    ibm = charsets.load("ibm", {}, ROOT)
    cells = encode(layout.fields(), made, charset=ibm, length=layout.length, count=count)
    for field in layout.fields():
        if blank and field.usage == "packed":
            cells[random.random(count) < blank, field.offset : field.offset + field.width] = 0x40
    name = f"numbers, {layout.length} B" + (f", {blank:.0%} of the packed ones blank" if blank else "")
    if policy != decoder.AS_FINDINGS:
        name += ", null by policy"
    fixed = framings.load("fixed", {}, layout)
    return Workload(name, _filed(folder, name, cells), layout, fixed, ibm, blanks=policy)


def text(count: int, folder: Path) -> Workload:
    """Eight Latin fields of 20 to 40 bytes, about half full."""
    widths = (20, 20, 20, 20, 20, 30, 30, 40)
    layout = read_copybook("01 R. " + " ".join(f"05 T{n} PIC A({w})." for n, w in enumerate(widths)), file="text")
    random = np.random.default_rng(2)
    cells = np.full((count, layout.length), 0x40, np.uint8)
    letters = np.frombuffer("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".encode("cp037"), np.uint8)
    for field in layout.fields():
        size = random.integers(0, field.width + 1, count)
        inside = np.arange(field.width) < size[:, None]
        block = letters[random.integers(0, len(letters), (count, field.width))]
        cells[:, field.offset : field.offset + field.width] = np.where(inside, block, 0x40)
    page = charsets.load("ibm", {}, ROOT)
    name = f"text, {layout.length} B"
    return Workload(name, _filed(folder, name, cells), layout, framings.load("fixed", {}, layout), page)


def packed_of(digits: int, count: int, folder: Path) -> Workload:
    """Ten packed numbers of so many digits."""
    fields = " ".join(f"05 P{n} PIC S9({digits}) COMP-3." for n in range(10))
    layout = read_copybook(f"01 R. {fields}", file="packed")
    random = np.random.default_rng(3)
    width = layout.fields()[0].width
    nibbles = random.integers(0, 10, (count * 10, 2 * width), dtype=np.uint8)
    nibbles[:, -1] = 0xC
    if digits % 2 == 0:
        nibbles[:, 0] = 0
    cells = nibbles[:, 0::2] << 4 | nibbles[:, 1::2]
    ibm = charsets.load("ibm", {}, ROOT)
    name = f"packed, {digits} digits"
    return Workload(name, _filed(folder, name, cells), layout, framings.load("fixed", {}, layout), ibm)


def varying(fixed: Workload, folder: Path, *, spanned: bool = False) -> Workload:
    """Fixed records as variable ones (V), or in two segments each (VS)."""
    name = "resident, VS" if spanned else "resident, V"
    framing = framings.load("spanned" if spanned else "variable", {"blocks": "no"} if spanned else {}, fixed.layout)
    made = with_words(np.fromfile(fixed.file, np.uint8), fixed.layout.length, spanned=spanned)
    return dataclasses.replace(fixed, name=name, file=_filed(folder, name, made), framing=framing)


def with_words(cells: np.ndarray, length: int, *, spanned: bool = False) -> np.ndarray:
    """Fixed records as variable ones, by columns: each after its word, or in two segments."""
    rows = cells[: len(cells) // length * length].reshape(-1, length)
    pieces = [(1, rows[:, : length // 2]), (2, rows[:, length // 2 :])] if spanned else [(0, rows)]
    parts = []
    for code, piece in pieces:
        size = piece.shape[1] + 4
        parts += [np.tile(np.array([size >> 8, size & 0xFF, code, 0], np.uint8), (len(rows), 1)), piece]
    return np.hstack(parts)


def with_counts(count: int, folder: Path, *, full: bool = False) -> Workload:
    """Records of 0 to 5 history entries, laid out from their counts; or all of them with five, in fixed records."""
    times = "5 TIMES" if full else "0 TO 5 TIMES DEPENDING ON N"
    layout = read_copybook(
        "01 R. 05 A PIC 9(11). 05 B PIC X(30). 05 C PIC S9(9) COMP. 05 D PIC X(60). 05 E PIC S9(11) COMP-3."
        f" 05 N PIC S9(4) COMP. 05 H OCCURS {times}. 10 Y PIC 9(7). 10 J PIC X(2). 05 Z PIC X(4).",
        file="counts",
    )
    counts = np.full(count, 5) if full else np.random.default_rng(4).integers(0, 6, count)
    row = b"\xf1" * 11 + b"\xc1" * 15 + b"\x40" * 15 + b"\x00\x00\x00\x07" + b"\xc2" * 30 + b"\x40" * 30
    row += b"\x00\x00\x00\x12\x34\x5c"
    entry, tail = b"\xf3" * 7 + b"\xf0\xf1", b"\xe9" * 4
    rows = [row + int(n).to_bytes(2, "big") + entry * int(n) + tail for n in range(6)]
    framed = rows if full else [(len(r) + 4).to_bytes(2, "big") + b"\0\0" + r for r in rows]
    name = "the same, 5 entries, fixed" if full else "ODO, 0 to 5 entries"
    file = _filed(folder, name, np.frombuffer(b"".join(framed[n] for n in counts), np.uint8))
    ibm = charsets.load("ibm", {}, ROOT)
    return Workload(name, file, layout, framings.load("fixed" if full else "variable", {}, layout), ibm)


def _filed(folder: Path, name: str, cells: np.ndarray) -> Path:
    """Write bytes into a file of that name."""
    file = folder / f"{name}.dat"
    cells.tofile(file)
    return file
