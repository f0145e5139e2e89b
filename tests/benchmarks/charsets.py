"""Text by charset: mixed kanji, double-byte fields, half-width kana and whole resident records, beside what else reads them.

`python -m tests.benchmarks.charsets` prints Markdown tables. Rounds take turns, so that whatever else the machine does falls
on all of them alike. Beside ours: glibc's iconv (one call over the same bytes), a Python loop of `bytes.decode` (as a codec
that a program calls for each field) and the JDK's decoder (x-IBM930, one call), where they are installed.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import io
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load as load_municipality
from extractors import charsets
from extractors.batches import BATCH_RECORDS, Kind, extract
from extractors.charsets.contract import Charset
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Decoder
from extractors.kernels.memory import SLACK
from extractors.writing.encode import encode
from tests.benchmarks.figures import say

ROOT = Path(__file__).resolve().parents[2]
TOWN = ROOT / "mappings" / "municipalities" / "990027_mihon"
VENDORS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "IBM 930": ("ibm", {}),
    "JEF": ("fujitsu", {}),
    "KEIS": ("hitachi", {}),
    "JIPS(E)": ("nec", {}),
}
OTHERS: Mapping[str, tuple[str, Mapping[str, str]]] = {"Windows-31J": ("shift_jis", {}), "EUC-JP": ("euc_jp", {})}
KANJI = "東京都千代田区霞が関一丁目２番３号　中央合同庁舎第２号館"
KANA = "ﾆﾎﾝﾊﾅｺ ﾔﾏﾀﾞ ﾀﾛｳ "
JAVA = """
import java.nio.file.*; import java.nio.charset.*;
public class Decode {
  public static void main(String[] a) throws Exception {
    byte[] data = Files.readAllBytes(Path.of(a[0])); Charset c = Charset.forName(a[1]);
    for (int i = 0; i < 20; i++) new String(data, c);
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 9; i++) { long t = System.nanoTime(); new String(data, c); best = Math.min(best, System.nanoTime() - t); }
    System.out.println(data.length * 1e3 / best);
  }
}
"""


def texts(pattern: str, count: int) -> pa.Array:
    """Texts of about the pattern's length, invented."""
    sizes = np.random.default_rng(1).integers(len(pattern) - 4, len(pattern) + 1, count)
    return pa.array([pattern[: int(size)].rstrip(" \u3000") for size in sizes])


def field(charset: Charset, picture: str, column: pa.Array) -> tuple[np.ndarray, Callable[[], list[pa.Array]]]:
    """The bytes of a column, and what decodes them, a batch at a time as the reader does."""
    layout = read_copybook(f"01 R. 05 A PIC {picture}.", file="text")
    cells = encode(layout.fields(), {"A": column}, charset=charset, length=layout.length, count=len(column))
    around = np.zeros(SLACK, np.uint8)
    buffer = np.concatenate([around, cells.reshape(-1), around])
    pos = SLACK + np.arange(len(column)) * layout.length
    decoder = Decoder(layout.fields(), charset)
    batches = [pos[first : first + BATCH_RECORDS] for first in range(0, len(pos), BATCH_RECORDS)]
    return cells, lambda: [decoder.decode(buffer, part).columns[0] for part in batches]


def in_turns(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, measured in turns."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(seconds[1:]) for name, seconds in times.items()}


def iconv(codec: str, data: bytes) -> Callable[[], object] | None:
    """One call of glibc's iconv over all bytes; None where it is not there."""
    if platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    library.iconv_open.restype = ctypes.c_void_p
    library.iconv.restype = ctypes.c_ssize_t
    library.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
    opened = library.iconv_open(b"UTF-8", codec.encode())
    if opened in (None, ctypes.c_void_p(-1).value):
        return None
    source, target = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(3 * len(data))

    def work() -> None:
        library.iconv(opened, None, None, None, None)
        places = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_void_p(ctypes.addressof(target))
        left = ctypes.c_size_t(len(data)), ctypes.c_size_t(3 * len(data))
        refs = (ctypes.byref(places[0]), ctypes.byref(left[0]), ctypes.byref(places[1]), ctypes.byref(left[1]))
        if library.iconv(opened, *refs) != 0 or left[0].value:
            raise RuntimeError("iconv did not read all of it")

    return work


def by_codec(rows: Sequence[bytes], codec: str) -> list[str]:
    """Each field by a call of Python's codec, its trailing spaces cut off."""
    return [row.decode(codec).rstrip() for row in rows]


def fields_of_text(count: int, rounds: int, folder: Path) -> None:
    """Fields of text under each charset, each beside a copy of its bytes."""
    say("| field | charset | MB/s of field bytes | of a memory copy of them |")
    say("|---|---|--:|--:|")
    for what, picture, pattern in (
        ("mixed kanji, X(62)", "X(62)", KANJI),
        ("double-byte, N(30)", "N(30)", KANJI),
        ("half-width kana, X(60)", "X(60)", KANA * 3),
    ):
        column = texts(pattern, count)
        made = {
            name: field(charsets.load(family, options, ROOT), picture, column)
            for name, (family, options) in {**VENDORS, **OTHERS}.items()
            if not (name == "EUC-JP" and pattern == KANA * 3)
        }
        for _, decode in made.values():
            assert pa.concat_arrays(decode()).equals(column)
        works = {name: decode for name, (_, decode) in made.items()}
        copies = {f"{name} copy": cells.copy for name, (cells, _) in made.items()}
        seconds = in_turns({**works, **copies}, rounds)
        for name, (cells, _) in made.items():
            rate = cells.nbytes / seconds[name] / 1e6
            say(f"| {what} | {name} | {rate:,.0f} | {seconds[f'{name} copy'] / seconds[name]:.2f} |")
    beside(count, rounds, folder)


def beside(count: int, rounds: int, folder: Path) -> None:
    """The same mixed kanji read by others."""
    say()
    say("| mixed kanji, X(62), read by | charset | MB/s | ours is |")
    say("|---|---|--:|--:|")
    column = texts(KANJI, count)
    for name, (family, options), codec, python, java in (
        ("IBM 930", VENDORS["IBM 930"], "IBM930", "", "x-IBM930"),
        ("Windows-31J", OTHERS["Windows-31J"], "CP932", "cp932", "windows-31j"),
        ("EUC-JP", OTHERS["EUC-JP"], "EUC-JP", "euc_jp", "EUC-JP"),
    ):
        cells, ours = field(charsets.load(family, options, ROOT), "X(62)", column)
        data = cells.tobytes()
        rows = [data[62 * n : 62 * n + 62] for n in range(min(len(cells), 50_000))]
        works: dict[str, Callable[[], object]] = {"ours": ours}
        whole = iconv(codec, data)
        if whole is not None:
            works["glibc's iconv, one call"] = whole
        if python:
            works["Python's codec, a call a field"] = functools.partial(by_codec, rows, python)
        seconds = in_turns(works, rounds)
        rates = {work: len(data) / seconds[work] / 1e6 for work in works}
        if python:
            rates["Python's codec, a call a field"] *= len(rows) / len(cells)
        if shutil.which("java"):
            (folder / "Decode.java").write_text(JAVA, encoding="utf-8")
            (folder / "data.bin").write_bytes(data)
            command = ["java", str(folder / "Decode.java"), str(folder / "data.bin"), java]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                rates["the JDK, one call, its best round"] = float(done.stdout)
        say(f"| ours: fields, ends, findings | {name} | {rates['ours']:,.0f} | |")
        for work, rate in rates.items():
            if work != "ours":
                say(f"| {work} | {name} | {rate:,.0f} | {rates['ours'] / rate:.1f} times as fast |")


def residents(count: int, rounds: int, folder: Path) -> None:
    """The 400-byte resident record of the shipped town, written under each vendor's charset."""
    works: dict[str, Callable[[], object]] = {}
    size = 0
    reader = load_municipality(TOWN).dumps["juki_master"]
    kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
    for name, (family, options) in VENDORS.items():
        town = folder / family / TOWN.name
        shutil.copytree(TOWN, town)
        recipe = town / "resident_records" / "synthesis.yaml"
        recipe.write_text(recipe.read_text("utf-8").replace("{name: fujitsu}", f"{{name: {family}}}"), encoding="utf-8")
        data = synthesize(town, residents=count, seed=1, faults=0.0, out=folder / f"{family}-out")[0].dump.read_bytes()
        charset = charsets.load(family, options, town)
        size = len(data)

        def work(data: bytes = data, charset: Charset = charset) -> None:
            reading = reader.reading
            for _ in extract(
                io.BytesIO(data), name="d", layout=reading.layout, framing=reading.framing, charset=charset, kinds=kinds
            ):
                pass

        works[name] = work
    seconds = in_turns(works, rounds)
    fastest = min(seconds.values())
    say()
    say("| resident record, 400 B | MB/s | of the fastest |")
    say("|---|--:|--:|")
    for name in works:
        say(f"| {name} | {size / seconds[name] / 1e6:,.0f} | {fastest / seconds[name]:.2f} |")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=200_000)
    parser.add_argument("--residents", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as name:
        fields_of_text(arguments.fields, arguments.rounds, Path(name))
        residents(arguments.residents, arguments.rounds, Path(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
