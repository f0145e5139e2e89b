"""Finding candidates among many parties, beside one join of the same rows by their values as they stand.

`python -m tests.benchmarks.candidates` invents parties, writes them as an Arrow file as a run stages them, and looks for who is
one by kana and birth, and by name and address, in whatever writing. One in a thousand is entered a second time, his kana in
half-width, his address in kanji numbers; that all of these are found is checked. What a join by value finds is fewer.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from dags.pipeline.candidates.likeness import likeness
from migration_reports.candidates import Candidates, Compared, Evidence, Form
from tests.benchmarks.figures import asked, middle, say
from validators.candidates import find

FORMS: dict[str, Form] = {"name_kana": "kana", "birth": "day", "name": "text", "address": "address"}
EVIDENCE = {"kana_birth": ("name_kana", "birth"), "name_address": ("name", "address")}
TABLE = "integrated_linkage.parties"
SEI = ["佐藤", "鈴木", "髙橋", "田中", "伊藤", "渡邊", "山本", "中村", "小林", "加藤"]
SEI_KANA = [
    "サトウ",
    "スズキ",
    "タカハシ",
    "タナカ",
    "イトウ",
    "ワタナベ",
    "ヤマモト",
    "ナカムラ",
    "コバヤシ",
    "カトウ",
]
DECLARED = Candidates(
    "same_person", "", "", TABLE, TABLE, ("party_no",), ("party_no",),
    tuple(Compared(name, name, name, name, name, form) for name, form in FORMS.items()),
    tuple(Evidence(name, equal, strong=True) for name, equal in EVIDENCE.items()), {}, 50, "alert", "",
)  # fmt: skip


T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parties", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as folder:
        file = Path(folder) / "parties.arrow"
        # What it takes to invent them is no part of what it takes to find them.
        with multiprocessing.get_context("spawn").Pool(1) as apart:
            twice = apart.apply(invent, (arguments.parties, file))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        walls: list[tuple[float, float]] = []
        for _ in range(arguments.rounds):
            found, ours = timed(lambda: find(DECLARED, {TABLE: pl.scan_ipc(file)}, likeness).pairs)
            if missed := twice - set(found.select("a", "b").iter_rows()):
                say(f"**{len(missed)} of {len(twice)} parties entered twice were not found**")
                return 1
            _, plain = timed(lambda: joined(pl.scan_ipc(file)))
            walls.append((ours, plain))
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    say(
        f"{arguments.parties:,} parties, {found.height:,} pairs, {len(twice):,} of them entered twice; {peak:,.0f} MB more"
    )
    for what, name in enumerate(("found, in whatever writing", "a join by value")):
        say(f"| {name} | {middle(wall[what] for wall in walls):.2f} |")
    share = max(arguments.parties / 1_000_000, 1)
    asked("candidates among a million parties: wall", middle(wall for wall, _ in walls) / share, most=10, unit="s")
    asked("candidates, of a join by value", middle(ours / plain for ours, plain in walls), most=12)
    return 0


def invent(count: int, file: Path) -> set[tuple[str, str]]:
    """Write parties as a run stages them; gives the pairs of numbers of those who are entered twice."""
    rng = np.random.default_rng(16)
    whose, given = rng.integers(0, len(SEI), count), rng.integers(0, 40_000, count)
    days = np.datetime64("1930-01-01") + rng.integers(0, 33_000, count)
    places = rng.integers(1, 10, (count, 3))
    again = np.arange(max(count // 1000, 1))
    for values in (whose, given, days):
        values[-len(again) :] = values[again]
    places[-len(again) :] = places[again]
    kana = [f"{SEI_KANA[sei]} ヨシ{_kana(number)}" for sei, number in zip(whose, given, strict=True)]
    address = [f"見本市栄町{a}丁目{b}番{c}号" for a, b, c in places]
    for number in again:
        at = count - len(again) + int(number)
        kana[at] = kana[at].replace("サトウ", "ｻﾄｳ").replace("ワタナベ", "ﾜﾀﾅﾍﾞ")
        address[at] = "見本市栄町" + "{}丁目{}番地の{}".format(*("一二三四五六七八九"[part - 1] for part in places[at]))
    numbers = [f"{number:010}" for number in range(1, count + 1)]
    birth = [str(day).replace("-", "") for day in days]
    frame = pl.DataFrame(
        {
            "party_no": numbers, "name": [f"{SEI[s]}　ヨシ{n}" for s, n in zip(whose, given, strict=True)], "name_kana": kana,
            "birth_source": birth, "birth_key": birth, "birth_precision": ["day"] * count, "address": address,
            "source_dump": ["atena"] * count, "source_record": range(1, count + 1), "_offset": [0] * count,
            "_part": pl.Series([0] * count, dtype=pl.Int16),
        }
    )  # fmt: skip
    frame.write_ipc(file, compression="lz4")
    return {(numbers[number], numbers[count - len(again) + number]) for number in again}


def _kana(number: int) -> str:
    return "".join("アイウエオカキクケコ"[int(digit)] for digit in str(number))


def joined(rows: pl.LazyFrame) -> int:
    """How many pairs a join by value gives: the same rows, read once an evidence, as they stand."""
    total = 0
    for equal in (("name_kana", "birth_key"), ("name", "address")):
        keyed = rows.select("party_no", *equal).collect()
        pairs = keyed.join(keyed, on=equal).filter(pl.col("party_no") < pl.col("party_no_right"))
        total += pairs.height
    return total


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """What a call gives, and how long it took."""
    start = time.perf_counter()
    made = call()
    return made, time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
