"""Mapping, beside the same query written by hand in Polars, in the same run.

`python -m tests.benchmarks.mapping` maps the residents of a synthetic 見本市 as the pipeline does, a batch at a time. The
query by hand makes the same columns, finds the same values wrong and makes the same findings' masks; that both give equal
rows is checked before anything is measured. Rounds take turns.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from dags.inspection.synthesis import synthesize
from dags.pipeline.extraction import BATCH_RECORDS
from dags.pipeline.town import Municipality, load
from extractors.batches import Extracted, extract
from mappings.engine import Mapper
from mappings.transforms import kana
from tests.benchmarks.figures import asked, middle, say

TOWN = Path(__file__).resolve().parents[2] / "mappings" / "municipalities" / "990027_mihon"
SOURCE = "juki_master.resident"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args(argv)
    town = load(TOWN)
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as folder:
        batches = read(town, arguments.residents, Path(folder))
    plan = town.plans["resident_records"]
    alone = dataclasses.replace(
        plan, parts=tuple(part for part in plan.parts if part.table == "resident_records.residents")
    )
    residents = Mapper([alone], "bench")
    tables = {name: table.codes for name, table in town.folder.systems["resident_records"].code_tables.items()}

    def by_hand() -> int:
        return sum(hand(pl.DataFrame(pl.from_arrow(e.batch)), tables)[0].height for e in batches)

    # A mapper knows values that came before; each round begins with one that knows nothing, as a run does.
    def compiled() -> int:
        mapper = Mapper([alone], "bench")
        return sum(rows(mapper.map(SOURCE, e.batch, e.findings)) for e in batches)

    def whole() -> int:
        mapper = Mapper(list(town.plans.values()), "bench")
        return sum(rows(mapper.map(SOURCE, e.batch, e.findings)) for e in batches)

    for e in batches[:2]:
        expected, _ = hand(pl.DataFrame(pl.from_arrow(e.batch)), tables)
        made = pl.DataFrame(
            pl.from_arrow(residents.map(SOURCE, e.batch, e.findings).rows["resident_records.residents", 0])
        )
        assert made.select(expected.columns).equals(expected), "the query by hand gives other rows"
    say("| what | rows a second, wall | rows a second of processor time | of the query by hand |")
    say("|---|---|---|---|")
    figures = turns({"by hand": by_hand, "compiled": compiled, "whole": whole}, arguments.rounds)
    for name, text in (
        ("by hand", "residents, written by hand"),
        ("compiled", "residents, compiled from YAML"),
        ("whole", "all four tables, compiled from YAML"),
    ):
        seconds, busy, count = figures[name]
        ratio = f"{seconds / figures['by hand'][0]:.2f} of its time" if name == "compiled" else ""
        say(f"| {text} | {count / seconds:,.0f} | {count / busy:,.0f} | {ratio} |")
    say()
    _, busy, count = figures["whole"]
    asked("mapping, rows a second and core", count / busy, least=1_000_000)
    return 0


def turns(measured: dict[str, Callable[[], int]], rounds: int) -> dict[str, tuple[float, float, int]]:
    """Run functions in turn; of each the median seconds, those of processor time, and what it gave."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
    counts = {name: run() for name, run in measured.items()}
    for _ in range(rounds):
        for name, run in measured.items():
            start, busy = time.perf_counter(), time.process_time()
            run()
            seconds[name].append((time.perf_counter() - start, time.process_time() - busy))
    return {name: (middle(a for a, _ in s), middle(b for _, b in s), counts[name]) for name, s in seconds.items()}


def read(town: Municipality, residents: int, folder: Path) -> list[Extracted]:
    """The batches of a synthetic dump."""
    (made,) = synthesize(TOWN, residents=residents, seed=1, faults=0.005, out=folder)
    reader = town.dumps["juki_master"]
    reading = reader.reading
    with made.dump.open("rb") as stream:
        extraction = extract(
            stream, name="juki_master", layout=reading.layout, framing=reading.framing, charset=reading.charset,
            kinds=reader.kinds, batch_records=BATCH_RECORDS,
        )  # fmt: skip
        return [e for e in extraction if e.kind == "resident"]


def rows(mapped: object) -> int:
    """How many rows were made."""
    return sum(batch.num_rows for batch in mapped.rows.values())  # type: ignore[attr-defined]


def hand(frame: pl.DataFrame, tables: Mapping[str, Mapping[str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The residents as a person would write the query who knows Polars: rows, and what was found in them."""
    dates = {
        "birth": "JJ-SEINENGAPPI",
        "resident_since": "JJ-JUMIN-YMD",
        "changed": "JJ-IDO-YMD",
        "processed": "JJ-SHORI-YMD",
    }
    relationship = [f"JJ-ZOKUGARA({n})" for n in range(1, 5)]
    frame = frame.with_columns(
        *[pl.col(field).cast(pl.String).str.strip_chars().alias(f"{name} text") for name, field in dates.items()],
        *[(pl.col(field) // 1_000_000).alias(f"{name} era") for name, field in dates.items()],
        *[code(field, "codes/relationship.csv", tables).alias(f"rel {field}") for field in relationship],
        code("JJ-SEIBETSU", "codes/sex.csv", tables).alias("sex code"),
        code("JJ-IDO-JIYU", "codes/change_reason.csv", tables).alias("reason code"),
    )
    frame = frame.with_columns(
        *[by_era(f"{name} era", [1867, 1911, 1925, 1988, 2018]).alias(f"{name} before") for name in dates],
    )
    frame = frame.with_columns(
        *[
            pl.when(pl.col(field) // 10_000 % 100 != 0).then(pl.col(f"{name} before") + pl.col(field) // 10_000 % 100)
            .alias(f"{name} year")
            for name, field in dates.items()
        ],
        *[(pl.col(field) // 100 % 100).alias(f"{name} month") for name, field in dates.items()],
        *[(pl.col(field) % 100).alias(f"{name} day") for name, field in dates.items()],
        *[(pl.col(field).is_not_null() & (pl.col(f"{name} text") != "")).alias(f"{name} given") for name, field in dates.items()],
    )  # fmt: skip
    frame = frame.with_columns(
        *[
            (pl.col(f"{n} given") & ((pl.col(f) % 1_000_000 == 0) & pl.col(f"{n} era").is_in([0, 1, 2, 3, 4, 5])).fill_null(value=False))
            .alias(f"{n} none")
            for n, f in dates.items()
        ],
        *[(pl.col(f"{n} year") * 10_000 + pl.col(f"{n} month") * 100 + pl.col(f"{n} day")).alias(f"{n} number") for n in dates],
    )  # fmt: skip
    frame = frame.with_columns(
        (pl.col(f"{n} given") & ~pl.col(f"{n} none") & (pl.col(f).is_null() | pl.col(f"{n} before").is_null())).alias(f"{n} failed")
        for n, f in dates.items()
    )  # fmt: skip
    frame = frame.with_columns(
        (pl.col(f"{n} given") & ~pl.col(f"{n} failed") & ~pl.col(f"{n} none") & pl.col(f"{n} year").is_not_null()).alias(f"{n} read")
        for n in dates
    )  # fmt: skip
    frame = frame.with_columns(
        *[
            (pl.col(f"{n} read") & ((pl.col(f"{n} month") > 12) | (pl.col(f"{n} day") > longest(n)))).alias(f"{n} impossible")
            for n in dates
        ],
    )  # fmt: skip
    made: list[pl.Expr] = [
        digits("JJ-JUMIN-NO", 10).alias("resident_no"),
        pl.lit(1, pl.Int64).alias("history_no"),
        digits("JJ-SETAI-NO", 9).alias("household_no"),
        filled("JJ-SHIMEI").alias("name"),
        pl.col("JJ-KANA")
        .str.replace_many(list(kana._TABLE), list(kana._TABLE.values()), leftmost=True)
        .alias("name_kana"),
        pl.col("sex code").alias("sex"),
        pl.concat_str([pl.col(f"rel {f}") for f in relationship], ignore_nulls=True).alias("relationship"),
        pl.col("reason code").alias("change_reason"),
        digits("JJ-YUBIN", 7).alias("postal_code"),
        filled("JJ-JUSHO").alias("address"),
        filled("JJ-KATAGAKI").alias("address_building"),
        filled("JJ-BIKO").alias("remarks"),
    ]
    masks = []
    for n, f in dates.items():
        kept = pl.col(f"{n} given") & ~pl.col(f"{n} failed")
        made.append(pl.when(kept).then(pl.col(f"{n} text").str.zfill(7)).alias(f"{n}_source"))
        key = pl.col(f"{n} number").cast(pl.String).str.zfill(8)
        made.append(pl.when(kept & pl.col(f"{n} read")).then(key).alias(f"{n}_key"))
        made.append(pl.when(kept).then(precision(n)).alias(f"{n}_precision"))
        masks += [mask.alias(f"{f} {m}") for m, mask in enumerate(said(n))]
    masks += [
        (pl.col(f"rel {f}").is_null() & (pl.col(f).str.strip_chars() != "")).alias(f"{f} M310") for f in relationship
    ]
    masks += [(pl.col("sex code").is_null() & pl.col("JJ-SEIBETSU").is_not_null()).alias("sex M310")]
    masks += [
        (pl.col("reason code").is_null() & (pl.col("JJ-IDO-JIYU").cast(pl.String).str.strip_chars() != "")).alias(
            "reason M310"
        )
    ]
    masks += [((pl.col(f) < 0) | (pl.col(f) >= 10**w)).alias(f"{f} M314") for f, w in (("JJ-JUMIN-NO", 10), ("JJ-SETAI-NO", 9), ("JJ-YUBIN", 7))]  # fmt: skip
    made = [pl.when(e != "").then(e) if e.meta.output_name() in ("name_kana", "relationship") else e for e in made]
    everything = frame.select(pl.col("_record").alias("source_record"), pl.col("_offset"), *made, *masks)
    columns = ["source_record", *[e.meta.output_name() for e in made]]
    counts = everything.select(pl.col(mask.meta.output_name()).sum() for mask in masks).row(0, named=True)
    found = [
        everything.select(pl.lit(name).alias("what"), "source_record", "_offset").filter(
            everything[name].fill_null(value=False)
        )
        for name, count in counts.items()
        if count
    ]
    result = everything.select(columns)
    result.to_arrow().cast(
        pa.schema([(c, pa.int64() if result.schema[c].is_integer() else pa.string()) for c in columns])
    )
    return result, pl.concat(found) if found else pl.DataFrame()


def code(field: str, table: str, tables: Mapping[str, Mapping[str, str]]) -> pl.Expr:
    """A code looked up."""
    old, new = list(tables[table]), list(tables[table].values())
    return (
        pl.col(field).cast(pl.String).str.strip_chars().replace_strict(old, new, default=None, return_dtype=pl.String)
    )


def digits(field: str, width: int) -> pl.Expr:
    """A number with leading zeros."""
    fits = (pl.col(field) >= 0) & (pl.col(field) < 10**width)
    return pl.when(fits).then(pl.col(field) + 10**width).cast(pl.String).str.slice(1)


def filled(field: str) -> pl.Expr:
    """A text, null where it is blank."""
    return pl.when(pl.col(field) != "").then(pl.col(field))


def by_era(field: str, values: list[int]) -> pl.Expr:
    """A number of the era."""
    chosen: pl.Expr = pl.lit(None, pl.Int64)
    for digit, value in enumerate(values, 1):
        chosen = pl.when(pl.col(field) == digit).then(pl.lit(value, pl.Int64)).otherwise(chosen)
    return chosen


def longest(name: str) -> pl.Expr:
    """The last day of the month."""
    year, month, number = (pl.col(f"{name} {part}") for part in ("year", "month", "number"))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = pl.when(month == 2).then(28 + leap.cast(pl.Int64)).when(month.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    return pl.when(number >= 18730101).then(days).when(number // 100 == 187212).then(2).otherwise(30)


def precision(name: str) -> pl.Expr:
    """How much of the date is known."""
    yearless = (
        pl.col(f"{name} given") & ~pl.col(f"{name} failed") & ~pl.col(f"{name} none") & pl.col(f"{name} year").is_null()
    )
    return (
        pl.when(pl.col(f"{name} none") | yearless).then(pl.lit("unknown"))
        .when(pl.col(f"{name} impossible")).then(pl.lit("impossible"))
        .when(pl.col(f"{name} month") == 0).then(pl.lit("year"))
        .when(pl.col(f"{name} day") == 0).then(pl.lit("month"))
        .otherwise(pl.lit("day"))
    )  # fmt: skip


def said(name: str) -> list[pl.Expr]:
    """The six things that may be said of a date."""
    read, month, day, number = (pl.col(f"{name} {part}") for part in ("read", "month", "day", "number"))
    first = by_era(f"{name} era", [18680101, 19120730, 19261225, 19890108, 20190501])
    last = by_era(f"{name} era", [19120730, 19261225, 19890107, 20190430, 99991231])
    unknown = read & ~pl.col(f"{name} impossible") & ((month == 0) | (day == 0))
    year = pl.col(f"{name} year")
    outside = (
        pl.when(unknown)
        .then((year < first // 10_000) | (year > last // 10_000))
        .otherwise((number < first) | (number > last))
    )
    yearless = pl.col(f"{name} given") & ~pl.col(f"{name} failed") & ~pl.col(f"{name} none") & year.is_null()
    return [
        pl.col(f"{name} failed"), pl.col(f"{name} given") & pl.col(f"{name} none"), yearless, pl.col(f"{name} impossible"),
        unknown, read & ~pl.col(f"{name} impossible") & outside,
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
