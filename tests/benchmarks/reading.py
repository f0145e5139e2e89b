"""Reading, beside a memory copy, a look-up of every byte and the same work in C, all in the same run.

`python -m tests.benchmarks.reading` prints a Markdown table. Files are read, under the full contract: fresh Arrow buffers,
validity, findings with record, offset and codes. Rates are of the clock; ratios are of processor time, medians of rounds
that take turns. "Of its own kernels" is the share of the kernels in the whole; "of C" is the same extraction with the
compiled driver replaced by reference.c, the Python around it being the same in both.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import ctypes
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from extractors import decoder, framings
from extractors.batches import extract
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Blanks
from extractors.kernels import plan
from extractors.layout import Field
from extractors.records import Account, Slice, frames, slices
from extractors.usages import _binary as binary
from extractors.usages import _shifted as mixed
from extractors.usages import packed, zoned
from tests.benchmarks.figures import asked, middle, say, spread
from tests.benchmarks.ground import ROOT
from tests.benchmarks.sizes import peak
from tests.benchmarks.watching import replaced
from tests.benchmarks.workloads import (
    Workload,
    numeric,
    of_many_kinds,
    packed_of,
    resident,
    text,
    varying,
    with_counts,
    with_words,
)

LIMITS = {"look_up": 0.75, "kernels": 0.7, "c": 1.0}
"""What was asked of the resident record: of a look-up of its bytes, of its own kernels, and of C."""

TITLES = {"look_up": "a look-up of every byte", "kernels": "its own kernels", "c": "C"}


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

    def reads(self, workload: Workload) -> bool:
        """Whether it reads such records: of fixed structure, with numbers of at most eighteen digits."""
        simple = workload.layout.variable is False and not any(_is_long(f) for f in workload.layout.fields())
        return self.library is not None and simple

    def look_up(self, data: np.ndarray) -> None:
        """Look up every byte into fresh memory, which it is from some 32 MB on: what is smaller, malloc keeps."""
        assert self.library is not None
        out, table = np.empty(len(data), np.uint8), np.arange(256, dtype=np.uint8)
        addresses = [ctypes.c_int64(a) for a in (data.ctypes.data, out.ctypes.data, len(data), table.ctypes.data)]
        self.library.look_up(*addresses)


def _is_long(field: Field) -> bool:
    return field.picture.category == "numeric" and field.picture.size > 18


Times = list[tuple[float, float]]
"""Seconds of each round: of the clock, and of processors."""


def in_turns(rounds: int, **works: Callable[[], object]) -> dict[str, Times]:
    """Seconds of each work in each round, the works taking turns; the first round is not counted."""
    seconds: dict[str, Times] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            start, busy = time.perf_counter(), time.process_time()
            work()
            if number:
                seconds[name].append((time.perf_counter() - start, time.process_time() - busy))
    return seconds


def rates(size: int, seconds: Times) -> str:
    """MB/s by the clock: the median, with the least and the most."""
    return spread(size / wall / 1e6 for wall, _ in seconds)


def faster(one: Times, other: Times) -> float:
    """How fast the first is, of the second, in processor time: the median of the rounds' ratios."""
    return middle(b / a for (_, a), (_, b) in zip(one, other, strict=True))


def gained(one: Times, other: Times) -> float:
    """How fast the first is, of the second, by the clock: what more threads are for."""
    return middle(b / a for (a, _), (b, _) in zip(one, other, strict=True))


def decoding(workload: Workload, reference: Reference, rounds: int) -> dict[str, float]:
    """Print a row: a workload beside its limits; gives the ratios."""
    in_kernels: list[float] = []
    compiled = decoder._drive

    def drive(*words: Any) -> None:
        start = time.process_time()
        compiled(*words)
        in_kernels[-1] += time.process_time() - start

    def ours() -> None:
        in_kernels.append(0.0)
        with replaced(decoder, _drive=drive):
            workload.read()

    def in_c() -> None:
        with replaced(decoder, _drive=reference.drive):
            workload.read()

    data = np.fromfile(workload.file, np.uint8)
    works: dict[str, Callable[[], object]] = {"ours": ours, "copy": data.copy}
    if reference.library is not None:
        works["look_up"] = lambda: reference.look_up(data)
    if reference.reads(workload):
        works["c"] = in_c
    seconds = in_turns(rounds, **works)
    ratios = {name: faster(seconds["ours"], seconds[name]) for name in works if name != "ours"}
    ratios["kernels"] = middle(k / busy for k, (_, busy) in zip(in_kernels[1:], seconds["ours"], strict=True))
    missing = "no compiler" if reference.library is None else "not in the reference"
    cells = (f"{ratios[n]:.2f}" if n in ratios else missing for n in ("kernels", "c", "look_up", "copy"))
    say(f"| {workload.name} | {rates(len(data), seconds['ours'])} | {' | '.join(cells)} |")
    return ratios


def beside(workload: Workload, full: Workload, rounds: int) -> float:
    """The bytes that a workload gets through in a second of processor time, of those of another, in turns."""
    seconds = in_turns(rounds, this=workload.read, full=full.read)
    return faster(seconds["this"], seconds["full"]) * workload.size / full.size


def threads(workload: Workload, rounds: int) -> None:
    """Two threads, a half of the dump each."""
    size = workload.size
    with workload.file.open("rb") as stream:
        halves: Sequence[Slice] = slices(
            stream, workload.framing, workload.layout, sizes=[size], target=(size + 1) // 2
        )[:2]

    def both() -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(workload.read, halves))

    def spin() -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: _spin(4_000_000), range(2)))

    seconds = in_turns(rounds, one=workload.read, two=both, spin_one=lambda: _spin(8_000_000), spin_two=spin)
    say(
        f"\ntwo threads, {workload.name}: {rates(size, seconds['two'])} MB/s, "
        f"{gained(seconds['two'], seconds['one']):.2f} times one "
        f"(a loop that only computes: {gained(seconds['spin_two'], seconds['spin_one']):.2f})"
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


def indexing(data: np.ndarray, rounds: int) -> None:
    """Step through descriptor words without decoding."""
    say("\nindexing by descriptor words | MB/s | of a memory copy")
    any_layout = read_copybook("01 R. 05 B PIC X.", file="any")
    framing = framings.load("variable", {}, any_layout)
    for length in (60, 200, 400):
        made = with_words(data[: len(data) // 2], length).ravel()

        def index(made: bytes = made.tobytes()) -> None:
            for _ in frames(io.BytesIO(made), framing, any_layout, Account()):
                pass

        def walk(buffer: np.ndarray = made) -> None:
            at, framed = 0, framing.index(buffer, 0, len(buffer), True, ())
            while framed.again:
                at += framed.used
                framed = framing.index(buffer, at, len(buffer), True, framed.state)

        seconds = in_turns(rounds, walk=walk, stream=index, copy=made.copy)
        walked, streamed = (rates(made.size, seconds[name]) for name in ("walk", "stream"))
        copied = faster(seconds["walk"], seconds["copy"])
        say(f"{length} B | {walked} (with reading the stream {streamed}) | {copied:.2f}")


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
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("wb") as sink:
        workload = resident(60_000, Path(folder))
        stream = Endless(workload.file.read_bytes(), size // workload.layout.length * workload.layout.length)
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
        f"{peak(os.getpid()):,.0f} MB at the peak"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--staged", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.staged:
        staged(arguments.staged)
        return 0
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as name:
        folder = Path(name)
        fixed = measure(folder, arguments.residents, arguments.rounds)
        threads(fixed, arguments.rounds)
        indexing(np.fromfile(fixed.file, np.uint8), arguments.rounds)
    say()
    size = str(int(arguments.gigabytes * 1e9))
    subprocess.run([sys.executable, "-m", "tests.benchmarks.reading", "--staged", size], cwd=ROOT, check=True)
    return 0


def measure(folder: Path, count: int, rounds: int) -> Workload:
    """Decode everything, beside its limits; gives the workload of fixed records."""
    reference = Reference(folder)
    fixed, numbers = resident(count, folder / "inbox"), numeric(4 * count, folder)
    blank, null = (numeric(4 * count, folder, blank=0.3, policy=p) for p in (decoder.AS_FINDINGS, Blanks("null")))
    variable, spanned = varying(fixed, folder), varying(fixed, folder, spanned=True)
    many = of_many_kinds(fixed, folder)
    odo, full = with_counts(4 * count, folder), with_counts(4 * count, folder, full=True)
    packed_numbers = (packed_of(15, 5 * count, folder), packed_of(38, 2 * count, folder))
    say("| workload | MB/s, one thread | of its own kernels | of C | of a look-up of every byte | of a memory copy |")
    say("|---|---|---|---|---|---|")
    ratios = decoding(fixed, reference, rounds)
    for workload in (
        numbers, blank, null, text(2 * count, folder), *packed_numbers, variable, spanned, many, odo, full,
    ):  # fmt: skip
        decoding(workload, reference, rounds)
    say()
    for name, limit in LIMITS.items():
        if name in ratios:
            asked(f"reading, {fixed.name}, of {TITLES[name]}", ratios[name], least=limit)
    for workload, other, limit in (
        (blank, numbers, 0.5), (null, numbers, 0.5), (variable, fixed, 0.7), (spanned, fixed, 0.7), (many, fixed, 0.7),
        (odo, full, 0.7),
    ):  # fmt: skip
        asked(f"reading, {workload.name}, of {other.name}", beside(workload, other, rounds), least=limit)
    return fixed


if __name__ == "__main__":
    sys.exit(main())
