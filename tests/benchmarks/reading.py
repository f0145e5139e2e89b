"""Reading, beside a memory copy, a look-up of every byte and the same work in C, all in the same run.

`python -m tests.benchmarks.reading` prints a Markdown table. Ratios are of the medians of rounds that take turns, so that
whatever else the machine does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import ctypes
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load as load_municipality
from extractors import charsets, decoder, framings
from extractors.batches import Kind, extract
from extractors.charsets.contract import Charset
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Blanks
from extractors.encode import encode
from extractors.framings.contract import Framing
from extractors.kernels import plan
from extractors.layout import Field, Layout
from extractors.records import WHOLE, Account, Slice, frames, slices
from extractors.usages import _binary as binary
from extractors.usages import _shifted as mixed
from extractors.usages import packed, zoned

ROOT = Path(__file__).resolve().parents[2]
TOWN, DUMP = "990027_mihon", "juki_master"


def say(line: str = "") -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Reference:
    """The C reference in the place of the compiled driver; None where there is no C compiler."""

    def __init__(self, folder: Path) -> None:
        self.library: ctypes.CDLL | None = None
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            return
        names = [n for n in dir(plan) if n.isupper()]
        macros = [f"-D{n}={getattr(plan, n)}" for n in names]
        target = folder / "reference.so"
        source = Path(__file__).with_name("reference.c")
        command = [compiler, "-O3", "-march=x86-64-v2", "-shared", "-fPIC", *macros, "-o", str(target), str(source)]
        if subprocess.run(command, check=False).returncode == 0:
            self.library = ctypes.CDLL(str(target))

    def drive(self, rows: int, fields: int, count: int, data: int, pos: int, touch: int, stride: int) -> None:
        """Decode as the compiled driver does."""
        assert self.library is not None
        usages = {packed.decode_short: 0, packed.decode_long: 0, zoned.decode_short: 1, zoned.decode_long: 1}
        usages |= {binary.decode_short: 2, mixed.decode: 3, decoder.count_filled: 4}
        by_address = {kernel.address: number for kernel, number in usages.items()}
        table = np.ctypeslib.as_array(ctypes.cast(rows, ctypes.POINTER(ctypes.c_int64)), (fields + 1, plan.COLUMNS))
        table[:fields, plan.KERNEL] = [by_address[address] for address in table[:fields, plan.KERNEL]]
        numbers = [ctypes.c_int64(n) for n in (rows, fields, count, data, pos, touch)]
        self.library.decode(*numbers)

    def look_up(self, data: np.ndarray) -> None:
        """Look up every byte into fresh memory."""
        assert self.library is not None
        out, table = np.empty(len(data), np.uint8), np.arange(256, dtype=np.uint8)
        addresses = [ctypes.c_int64(a) for a in (data.ctypes.data, out.ctypes.data, len(data), table.ctypes.data)]
        self.library.look_up(*addresses)


class Workload:
    """Bytes, and how they are read."""

    def __init__(
        self,
        name: str,
        data: bytes,
        layout: Layout,
        framing: Framing,
        charset: Charset,
        kinds: Sequence[Kind] = (Kind("record"),),
        blanks: Blanks = decoder.AS_FINDINGS,
    ) -> None:
        self.name = name
        self.data = data
        self.array = np.frombuffer(data, np.uint8)
        self.layout = layout
        self.framing = framing
        self.charset = charset
        self.kinds = kinds
        self.blanks = blanks

    def read(self, stream: io.BytesIO | None = None, part: Slice = WHOLE) -> int:
        """Read all of it; gives the number of findings."""
        extraction = extract(
            stream or io.BytesIO(self.data), name=self.name, layout=self.layout, framing=self.framing,
            charset=self.charset, kinds=self.kinds, blanks=self.blanks, part=part,
        )  # fmt: skip
        return sum(e.findings.num_rows for e in extraction)


def resident(residents: int, folder: Path) -> Workload:
    """The 400-byte resident record of a shipped municipality, as `hikkoshi synthesize` makes it."""
    town = ROOT / "mappings" / "municipalities" / TOWN
    reader = load_municipality(town).dumps[DUMP]
    made = synthesize(town, residents=residents, seed=1, faults=0.001, out=folder)
    kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
    reading = reader.reading
    return Workload("resident, 400 B", made.dump.read_bytes(), reading.layout, reading.framing, reading.charset, kinds)


def numeric(count: int, *, blank: float = 0.0, policy: Blanks = decoder.AS_FINDINGS) -> Workload:
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
    return Workload(name, cells.tobytes(), layout, framings.load("fixed", {}, layout), ibm, blanks=policy)


def text(count: int) -> Workload:
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
    return Workload(f"text, {layout.length} B", cells.tobytes(), layout, framings.load("fixed", {}, layout), page)


def packed_of(digits: int, count: int) -> Workload:
    """Ten packed numbers of so many digits."""
    fields = " ".join(f"05 P{n} PIC S9({digits}) COMP-3." for n in range(10))
    layout = read_copybook(f"01 R. {fields}", file="packed")
    random = np.random.default_rng(3)
    width = layout.fields()[0].width
    nibbles = random.integers(0, 10, (count * 10, 2 * width), dtype=np.uint8)
    nibbles[:, -1] = 0xC
    if digits % 2 == 0:
        nibbles[:, 0] = 0
    data = (nibbles[:, 0::2] << 4 | nibbles[:, 1::2]).tobytes()
    ibm = charsets.load("ibm", {}, ROOT)
    return Workload(f"packed, {digits} digits", data, layout, framings.load("fixed", {}, layout), ibm)


def with_words(data: bytes, length: int, *, spanned: bool = False) -> bytes:
    """Fixed records as variable ones, by columns: each after its word, or in two segments."""
    cells = np.frombuffer(data, np.uint8)[: len(data) // length * length].reshape(-1, length)
    pieces = [(1, cells[:, : length // 2]), (2, cells[:, length // 2 :])] if spanned else [(0, cells)]
    parts = []
    for code, piece in pieces:
        size = piece.shape[1] + 4
        parts += [np.tile(np.array([size >> 8, size & 0xFF, code, 0], np.uint8), (len(cells), 1)), piece]
    return np.hstack(parts).tobytes()


def with_counts(count: int) -> Workload:
    """Records of 0 to 5 history entries, laid out from their counts."""
    layout = read_copybook(
        "01 R. 05 A PIC 9(11). 05 B PIC X(30). 05 C PIC S9(9) COMP. 05 D PIC X(60). 05 E PIC S9(11) COMP-3."
        " 05 N PIC S9(4) COMP. 05 H OCCURS 0 TO 5 TIMES DEPENDING ON N. 10 Y PIC 9(7). 10 J PIC X(2). 05 Z PIC X(4).",
        file="counts",
    )
    full = layout.record.children
    table = next(item for item in full if item.name == "H")
    random = np.random.default_rng(4)
    counts = random.integers(0, 6, count)
    row = bytearray(b"\xf1" * 11 + b"\xc1" * 15 + b"\x40" * 15 + b"\x00\x00\x00\x07" + b"\xc2" * 30 + b"\x40" * 30)
    row += b"\x00\x00\x00\x12\x34\x5c"
    entry, tail = b"\xf3" * 7 + b"\xf0\xf1", b"\xe9" * 4
    rows = [bytes(row) + int(n).to_bytes(2, "big") + entry * int(n) + tail for n in range(6)]
    framed = [(len(r) + 4).to_bytes(2, "big") + b"\0\0" + r for r in rows]
    assert table.width == len(entry)
    data = b"".join(framed[n] for n in counts)
    ibm = charsets.load("ibm", {}, ROOT)
    return Workload("ODO, 0 to 5 entries", data, layout, framings.load("variable", {}, layout), ibm)


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(rounds: int, **works: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds of each work in each round, the works taking turns; the first round is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            took = timed(work)
            if number:
                seconds[name].append(took)
    return seconds


def rates(size: int, seconds: Sequence[float]) -> str:
    """MB/s: the median, with the least and the most."""
    each = sorted(size / s / 1e6 for s in seconds)
    return f"{statistics.median(each):,.0f} [{each[0]:,.0f}..{each[-1]:,.0f}]"


def ratio(one: Sequence[float], other: Sequence[float]) -> str:
    """How fast the first is, of the second: the median of the rounds' ratios."""
    return f"{statistics.median(b / a for a, b in zip(one, other, strict=True)):.2f}"


def decoding(workloads: Sequence[Workload], reference: Reference, rounds: int) -> None:
    """Decode under the full contract, beside its limits."""
    say("| workload | MB/s, one thread | of C | of a look-up of every byte | of a memory copy |")
    say("|---|---|---|---|---|")
    driver = decoder._drive

    for workload in workloads:
        works: dict[str, Callable[[], object]] = {
            "ours": workload.read,
            "copy": lambda w=workload: bytearray(w.data),  # type: ignore[misc]
        }
        if reference.library is not None:
            works["look_up"] = lambda w=workload: reference.look_up(w.array)  # type: ignore[misc]

            def in_c(w: Workload = workload) -> None:
                decoder._drive = reference.drive
                try:
                    w.read()
                finally:
                    decoder._drive = driver

            if workload.layout.variable is False and not any(_beyond_c(f) for f in workload.layout.fields()):
                works["c"] = in_c
        seconds = in_turns(rounds, **works)
        missing = "no compiler" if reference.library is None else "not in the reference"
        cells = [ratio(seconds["ours"], seconds[n]) if n in seconds else missing for n in ("c", "look_up", "copy")]
        say(f"| {workload.name} | {rates(len(workload.data), seconds['ours'])} | {' | '.join(cells)} |")


def _beyond_c(field: Field) -> bool:
    """Whether a field is none that the C reference reads: it stops at eighteen digits."""
    return field.picture.category == "numeric" and field.picture.size > 18


def threads(workload: Workload, rounds: int) -> None:
    """Two threads, a half of the dump each."""
    size = len(workload.data)
    halves = slices(io.BytesIO(workload.data), workload.framing, workload.layout, sizes=[size], target=(size + 1) // 2)

    def half(part: Slice) -> None:
        stream = io.BytesIO(workload.data)
        stream.seek(part.offset)
        workload.read(stream, part)

    def both() -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(half, halves[:2]))

    def spin() -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: _spin(4_000_000), range(2)))

    seconds = in_turns(rounds, one=workload.read, two=both, spin_one=lambda: _spin(8_000_000), spin_two=spin)
    say(
        f"\ntwo threads, {workload.name}: {rates(size, seconds['two'])} MB/s, "
        f"{ratio(seconds['two'], seconds['one'])} times one "
        f"(a loop that only computes: {ratio(seconds['spin_two'], seconds['spin_one'])})"
    )


def _make_spin() -> Callable[[int], int]:
    import numba as nb

    @nb.njit(nogil=True)
    def spin(count):  # type: ignore[no-untyped-def]
        total = 1
        for i in range(count):
            total = total * 1103515245 + i & 0xFFFFFFFF
        return total

    return spin  # type: ignore[no-any-return]


_spin = _make_spin()


def indexing(data: bytes, rounds: int) -> None:
    """Step through descriptor words without decoding."""
    say("\nindexing by descriptor words | MB/s | of a memory copy")
    any_layout = read_copybook("01 R. 05 B PIC X.", file="any")
    framing = framings.load("variable", {}, any_layout)
    for length in (60, 200, 400):
        made = with_words(data[: len(data) // 2], length)

        def index(made: bytes = made) -> None:
            for _ in frames(io.BytesIO(made), framing, any_layout, Account()):
                pass

        buffer = np.frombuffer(made, np.uint8)

        def walk(buffer: np.ndarray = buffer) -> None:
            at, framed = 0, framing.index(buffer, 0, len(buffer), True, ())
            while framed.again:
                at += framed.used
                framed = framing.index(buffer, at, len(buffer), True, framed.state)

        seconds = in_turns(rounds, walk=walk, stream=index, copy=lambda made=made: bytearray(made))  # type: ignore[misc]
        size = len(made)
        say(
            f"{length} B | {rates(size, seconds['walk'])} (with reading the stream {rates(size, seconds['stream'])}) | {ratio(seconds['walk'], seconds['copy'])}"
        )


class Endless(io.RawIOBase):
    """A block of bytes, again and again, to a given size."""

    def __init__(self, block: bytes, size: int) -> None:
        super().__init__()
        self._block = block
        self._left = size
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Give the next bytes."""
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._block) - self._at, self._left)
        view[:count] = self._block[self._at : self._at + count]
        self._at = (self._at + count) % len(self._block)
        self._left -= count
        return count


def staged(size: int) -> None:
    """Read so many bytes and write them as Arrow IPC, in this process; print its peak memory."""
    from tests.benchmarks.__main__ import peak_kilobytes

    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("wb") as sink:
        workload = resident(60_000, Path(folder))
        body = len(workload.data) // workload.layout.length * workload.layout.length
        stream = Endless(workload.data[:body], size // workload.layout.length * workload.layout.length)
        extraction = extract(
            stream,  # type: ignore[arg-type]
            name="endless", layout=workload.layout, framing=workload.framing, charset=workload.charset,
            kinds=workload.kinds,
        )  # fmt: skip
        writers: dict[str, pa.ipc.RecordBatchStreamWriter] = {}
        start = time.perf_counter()
        findings = 0
        for extracted in extraction:
            findings += extracted.findings.num_rows
            if extracted.kind:
                if extracted.kind not in writers:
                    writers[extracted.kind] = pa.ipc.new_stream(sink, extracted.batch.schema)
                writers[extracted.kind].write_batch(extracted.batch)
        seconds = time.perf_counter() - start
    rate = extraction.account.bytes / seconds / 1e6
    say(
        f"{extraction.account.bytes / 1e9:,.1f} GB to Arrow IPC: {rate:,.0f} MB/s, {findings:,} findings, "
        f"{peak_kilobytes() // 1024:,} MB at the peak"
    )


START = """
import sys, time, io
begun = time.perf_counter()
from pathlib import Path
from dags.pipeline.town import load
from extractors.batches import Kind, extract
from extractors.charsets.contract import Charset
reader = load(Path(sys.argv[1])).dumps[sys.argv[2]]
reading = reader.reading
kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
with open(sys.argv[3], "rb") as dump:
    next(iter(extract(dump, name="d", layout=reading.layout, framing=reading.framing, charset=reading.charset, kinds=kinds)))
print(time.perf_counter() - begun)
"""


def starting(folder: Path, dump: Path, starts: int) -> None:
    """From the start of a process to the first batch, with an empty kernel cache and with a filled one."""
    town = ROOT / "mappings" / "municipalities" / TOWN
    times: dict[str, list[float]] = {"cold": [], "warm": []}
    for number in range(starts):
        cache = folder / f"cache{number}"
        for name in ("cold", "warm", "warm"):
            begun = time.perf_counter()
            environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
            command = [sys.executable, "-c", START, str(town), DUMP, str(dump)]
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
            times[name].append(time.perf_counter() - begun)
    cold, warm = (statistics.median(times[name]) for name in ("cold", "warm"))
    say(f"\nfirst batch, whole process: {cold:.1f} s from a cold start, {warm:.1f} s with a warm kernel cache")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gigabytes", type=float, default=10.0)
    parser.add_argument(
        "--starts", type=int, default=3, help="how often a process is started with an empty kernel cache"
    )
    parser.add_argument("--staged", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.staged:
        staged(arguments.staged)
        return 0
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as name:
        folder = Path(name)
        reference = Reference(folder)
        fixed = resident(arguments.residents, folder / "inbox")
        count = arguments.residents
        length = fixed.layout.length
        variable = framings.load("variable", {}, fixed.layout)
        spanned = framings.load("spanned", {"blocks": "no"}, fixed.layout)
        workloads = [
            fixed,
            numeric(4 * count),
            numeric(4 * count, blank=0.3),
            numeric(4 * count, blank=0.3, policy=Blanks(spaces="null")),
            text(2 * count),
            packed_of(15, 3 * count),
            packed_of(38, 2 * count),
            Workload("resident, V", with_words(fixed.data, length), fixed.layout, variable, fixed.charset, fixed.kinds),
            Workload(
                "resident, VS", with_words(fixed.data, length, spanned=True), fixed.layout, spanned, fixed.charset,
                fixed.kinds,
            ),
            with_counts(4 * count),
        ]  # fmt: skip
        decoding(workloads, reference, arguments.rounds)
        threads(fixed, arguments.rounds)
        indexing(fixed.data, arguments.rounds)
        say()
        size = str(int(arguments.gigabytes * 1e9))
        command = [sys.executable, "-m", "tests.benchmarks.reading", "--staged", size]
        subprocess.run(command, cwd=ROOT, check=True)
        starting(folder, next((folder / "inbox").glob("*.dat")), arguments.starts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
