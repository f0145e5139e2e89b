"""The candidates of a run taken out for people to decide about: with their numbers, and nothing else of anybody that is not masked."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from dags.pipeline import run_folder
from dags.pipeline.candidates import followed
from dags.pipeline.folders import municipality_folder
from migration_reports.findings import RunError, UsageError
from migration_reports.private_files import write_whole
from migration_reports.records.standing import marked
from migration_reports.reports._candidates import candidates_ledger
from migration_reports.reports._ledger import NUMBERED, SAMPLED, Ledger, csv_file, workbook

_MAKE = {".xlsx": workbook, ".csv": csv_file}


def export(name: str, target: Path, *, samples: bool = False) -> tuple[int, int]:
    """Write the pairs of a run to a file that people fill in, owner-only; gives how many they are, and how many are open.

    Args:
        name: the run; or a municipality, of which its latest is meant.
        target: the file, .xlsx or .csv.
        samples: whether the values that were compared stand there, too, masked.

    Raises:
        RunError: the run has no reports yet, or no run has looked for any.
        UsageError: the ending is another, or there is no such run or municipality.
    """
    make = _MAKE.get(target.suffix.lower())
    if make is None:
        raise UsageError(f"{target.name}: the list is written as .xlsx or .csv")
    known = run_folder.read_result(run_folder.run_path(name), run_folder.Run)
    run_id = known.run_id if known is not None else followed.latest(municipality_folder(name).name[:6])
    record = run_folder.run_path(run_id) / run_folder.RECORD
    if not record.is_file():
        raise RunError(f"run {run_id} has no reports yet; `hikkoshi report {run_id}` writes them")
    pairs = followed.read(run_id)
    mark = marked(run_folder.read_record(record))
    write_whole(target, make(_ledger(run_id, mark, pairs, SAMPLED if samples else NUMBERED)))
    return pairs.height, pairs.filter(followed.OPEN).height


def _ledger(run_id: str, mark: str, pairs: pl.DataFrame, columns: tuple[str, ...]) -> Ledger:
    return candidates_ledger(run_id, mark, columns, pairs.select(_cells()[column] for column in columns).rows())


def _cells() -> dict[str, pl.Expr]:
    """The columns of a list, each from those of the file."""
    joined = {name: pl.col(name).list.join(" ") for name in ("evidence", "agree", "differ")}
    made = {
        "pair": pl.col("id"),
        "weight": pl.when("strong").then(pl.lit("strong")).otherwise(pl.lit("weak")),
        "in_force": pl.col("decision"),
        "sample_a": pl.col("a_sample"),
        "sample_b": pl.col("b_sample"),
        **{f"place_{side}": _place(side) for side in "ab"},
        **joined,
    }
    return {name: made.get(name, pl.col(name)).fill_null("").alias(name) for name in SAMPLED}


def _place(side: str) -> pl.Expr:
    return pl.format("{} {}", f"{side}_source_dump", f"{side}_source_record")
