"""Pairs with what was decided about each and what became of it since the run before; and the file that they lie in.

A pair keeps its id over rehearsals. One that is not met any more stays in the file as gone, so that it is known again when it
comes back; pairs of what a run does not look for are handed on as they were.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence

import polars as pl

from dags.pipeline.run_folder import Run, read_result, run_path, settings
from mappings.language.decisions import Settled, groups_of
from migration_reports.candidates import Candidates, pair_id
from migration_reports.findings import RunError
from migration_reports.private_files import written_whole
from migration_reports.records.run_record import CandidatePair, Place

FILE = "candidates.arrow"
MOST_SHOWN = 10_000
"""Of a run, in its record; those that nobody has decided stand first, and `hikkoshi candidates export` has all."""

_TEXT = (
    "candidates", "id", "group", "a", "b", "a_source_dump", "b_source_dump", "a_sample", "b_sample", "decision", "follows",
    "keeps", "reason", "decided_by", "decided_on", "since",
)  # fmt: skip
_NAMES = pl.List(pl.String)
SCHEMA = pl.Schema(
    {
        **dict.fromkeys(_TEXT, pl.String()),
        **dict.fromkeys(("evidence", "agree", "differ"), _NAMES),
        **dict.fromkeys(("strong", "searched"), pl.Boolean()),
        **dict.fromkeys(("a_source_record", "a__offset", "b_source_record", "b__offset"), pl.Int64()),
        **dict.fromkeys(("a__part", "b__part"), pl.Int16()),
    }
)
OPEN = pl.col("decision").is_in(["", "later"]) & (pl.col("follows") == "") & (pl.col("since") != "gone")
"""Whether people have yet to decide about a pair."""


def former(run: Run) -> pl.DataFrame:
    """The pairs of the municipality's latest run before a run that looked for any; none, where there is no such run."""
    before = [(started, name) for started, name in _runs(run.code) if started < run.started and name != run.run_id]
    return pl.read_ipc(run_path(max(before)[1]) / FILE) if before else SCHEMA.to_frame()


def latest(code: str) -> str:
    """The municipality's latest run that looked for any.

    Raises:
        RunError: there is none.
    """
    found = list(_runs(code))
    if not found:
        raise RunError(f"no run of {code} has looked for candidates yet; `hikkoshi run` does")
    return max(found)[1]


def _runs(code: str) -> Iterator[tuple[str, str]]:
    """The municipality's runs that looked for any: when each began, and its id."""
    for folder in (settings().home / "runs").glob(f"{code}-*"):
        if (folder / FILE).is_file():
            with contextlib.suppress(RunError):
                run = read_result(folder, Run)
                if run is not None:
                    yield run.started, run.run_id


def followed(
    candidates: Candidates, pairs: pl.DataFrame, settled: Settled, code: str, before: pl.DataFrame
) -> pl.DataFrame:
    """The pairs of one search with ids, groups, decisions, and what became of them; those that are gone, too.

    Args:
        candidates: what was looked for.
        pairs: what was found.
        settled: what people decided.
        code: the municipality's.
        before: every pair of the run before.
    """
    name = candidates.qualified
    old = before.filter(pl.col("candidates") == name)
    met = set(pairs.select("a", "b").iter_rows())
    kept = [pair for pair, line in settled.by_pair.items() if pair not in met and line.kind != "later"]
    gone = [pair for pair in old.select("a", "b").iter_rows() if pair not in met and pair not in set(kept)]
    rows = pl.concat([pairs, _bare(kept, since="kept"), _bare_of(old, gone)], how="diagonal_relaxed")
    named = rows.with_columns(
        pl.lit(name).alias("candidates"),
        pl.Series("id", [pair_id(code, name, a, b) for a, b in rows.select("a", "b").iter_rows()], pl.String),
        pl.lit(value=True).alias("searched"),
        *_decisions(rows, settled),
    )
    was = old.select("id", *(pl.col(c).alias(f"was_{c}") for c in ("since", "decision", "follows")))
    judged = named.join(was, on="id", how="left", maintain_order="left").with_columns(since=_since())
    return _grouped(judged, between=candidates.between).select(SCHEMA.names()).cast(SCHEMA).sort("a", "b")


def _bare(pairs: Sequence[tuple[str, str]], *, since: str) -> pl.DataFrame:
    """Pairs of which nothing is known but their numbers."""
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    frame = pl.DataFrame({"a": a, "b": b}, schema={"a": pl.String, "b": pl.String})
    empty = pl.lit([], dtype=_NAMES)
    return frame.with_columns(
        since=pl.lit(since), strong=pl.lit(value=False), evidence=empty, agree=empty, differ=empty,
        a_sample=pl.lit(""), b_sample=pl.lit(""),
    )  # fmt: skip


def _bare_of(old: pl.DataFrame, pairs: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Pairs of the run before that are gone: what spoke for them then, and no place."""
    then = old.select("a", "b", "strong", "evidence", "agree", "differ")
    return (
        _bare(pairs, since="gone")
        .select("a", "b", "since", "a_sample", "b_sample")
        .join(then, on=["a", "b"], maintain_order="left")
    )


def _decisions(rows: pl.DataFrame, settled: Settled) -> Iterator[pl.Series]:
    """What was decided about each pair, and where nothing was, what follows."""
    pairs = list(rows.select("a", "b").iter_rows())
    lines = [settled.by_pair.get(pair) for pair in pairs]
    for column, part in (
        ("decision", "kind"), ("keeps", "keeps"), ("reason", "reason"), ("decided_by", "by"), ("decided_on", "on"),
    ):  # fmt: skip
        yield pl.Series(column, [getattr(line, part) if line else "" for line in lines], pl.String)
    follows = [
        settled.follows(a, b) if line is None or line.kind == "later" else ""
        for (a, b), line in zip(pairs, lines, strict=True)
    ]
    yield pl.Series("follows", follows, pl.String)


def _since() -> pl.Expr:
    """What became of a pair since the run before."""
    said = pl.coalesce(pl.col("since"), pl.lit(""))
    settled = (pl.col("decision").is_in(["same", "different"])) | (pl.col("follows") != "")
    as_before = (pl.col("decision") == pl.col("was_decision")) & (pl.col("follows") == pl.col("was_follows"))
    return (
        pl.when(said != "")
        .then(said)
        .when(settled)
        .then(pl.when(as_before).then(pl.lit("decided")).otherwise(pl.lit("changed")))
        .when(pl.col("was_since").is_null())
        .then(pl.lit("new"))
        .when(pl.col("was_since") == "gone")
        .then(pl.lit("back"))
        .otherwise(pl.lit("open"))
    )


def _grouped(rows: pl.DataFrame, *, between: bool) -> pl.DataFrame:
    """The rows with the id of the first pair of their group: pairs that have a number in common."""
    mark = ("a:", "b:") if between else ("", "")
    ends = [(mark[0] + a, mark[1] + b) for a, b in rows.select("a", "b").iter_rows()]
    groups = groups_of(ends)
    by_group = rows.with_columns(pl.Series("group", [groups[a] for a, _ in ends], pl.String))
    return by_group.with_columns(pl.col("id").min().over("group").alias("group"))


def write(run: Run, pairs: Sequence[pl.DataFrame], before: pl.DataFrame, *, searched: Collection[str]) -> None:
    """Write the pairs of a run, with those handed on of what it did not look for, owner-only."""
    others = before.filter(~pl.col("candidates").is_in(list(searched))).with_columns(searched=pl.lit(value=False))
    with written_whole(run.path / FILE) as file:
        pl.concat([SCHEMA.to_frame(), *pairs, others]).write_ipc(file)


def read(run_id: str) -> pl.DataFrame:
    """The pairs that a run found, those that are open first; none, where it has not looked for any."""
    file = run_path(run_id) / FILE
    if not file.is_file():
        return SCHEMA.to_frame()
    pairs = pl.read_ipc(file).filter("searched")
    return pairs.sort("candidates", pl.col("since") == "gone", ~OPEN, ~pl.col("strong"), "group", "id")


def shown(run_id: str) -> tuple[tuple[CandidatePair, ...], int]:
    """The pairs of a run as its record has them, without any number, and how many are left out."""
    pairs = read(run_id)
    rows = pairs.head(MOST_SHOWN).select(
        "candidates", "id", "group", "strong", "evidence", "agree", "differ", "since", "decision", "follows", "reason",
        "decided_by", "decided_on", *(f"{side}_{part}" for side in "ab" for part in ("source_dump", "source_record")),
    )  # fmt: skip
    return tuple(_pair(row) for row in rows.iter_rows(named=True)), max(pairs.height - MOST_SHOWN, 0)


def _pair(row: dict[str, object]) -> CandidatePair:
    places = {
        side: Place.model_validate({"dump": row.pop(f"{side}_source_dump"), "record": row.pop(f"{side}_source_record")})
        for side in "ab"
    }
    return CandidatePair.model_validate({**row, **places})
