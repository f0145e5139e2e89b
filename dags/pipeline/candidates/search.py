"""Candidates of a run: found over its staged rows, and told as findings; the pairs lie in a file of the run's folder."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline import data_centre, findings_store
from dags.pipeline.candidates import followed
from dags.pipeline.candidates.decided import settled
from dags.pipeline.candidates.likeness import likeness
from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality
from mappings.language.decisions import Settled
from migration_reports.candidates import Candidates
from migration_reports.findings import Severity, finding, findings_at, join_findings
from migration_reports.records.run_record import CandidateSearch, EvidenceTried
from migration_reports.records.steps import Searched
from validators.candidates import Found, find
from validators.elsewhere import frames_of
from validators.engine import PLACE
from validators.shapes.contract import Frames

log = logging.getLogger("hikkoshi")

OPEN, HELD, COMMON, CONTRARY = "V500", "V501", "V502", "V503"


def search(run: Run, municipality: Municipality, frames: Frames, *, database: sa.Engine, url: str) -> None:
    """Look for candidates, follow them from the run before, and write what was found.

    Args:
        run: the run.
        municipality: whose.
        frames: the staged rows by table.
        database: the database, where rows of systems lie that the run does not move.
        url: the same, for ADBC.
    """
    declared = [one for system in municipality.systems for one in system.candidates]
    wanted = dict.fromkeys(one.other for one in declared if one.other not in frames)
    rows = {**frames, **frames_of(data_centre.elsewhere(database, url, run, municipality, wanted))}
    before = followed.former(run)
    known = [
        _Known(one, find(one, rows, likeness), _settled(municipality, one)) for one in declared if one.other in rows
    ]
    pairs = [followed.followed(one.candidates, one.found.pairs, one.settled, run.code, before) for one in known]
    followed.write(run, pairs, before, searched=[one.candidates.qualified for one in known])
    told = [_told(run, municipality, one, some) for one, some in zip(known, pairs, strict=True)]
    findings_store.write_findings(run, "candidates", join_findings([batch for batches in told for batch in batches]))
    searches = [_search(one, some) for one, some in zip(known, pairs, strict=True)]
    left = [_described(one, missing=(one.other,)) for one in declared if one.other not in rows]
    run.write(Searched(searches=(*searches, *left)))
    for one in searches:
        log.info("%s: %s pairs to be decided", one.name, f"{one.open:,}")


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """Candidates, what was found, and what people decided."""

    candidates: Candidates
    found: Found
    settled: Settled


def _settled(municipality: Municipality, candidates: Candidates) -> Settled:
    return settled(municipality.folder.systems[candidates.system], (candidates,), [])[candidates.name]


def _search(known: _Known, pairs: pl.DataFrame) -> CandidateSearch:
    strong = {one.name: one.strong for one in known.candidates.evidence}
    tried = (EvidenceTried(strong=strong[one.evidence], **dataclasses.asdict(one)) for one in known.found.tried)
    there = pairs.filter(pl.col("since") != "gone")
    said = there.select(pl.when(pl.col("decision") == "").then("follows").otherwise("decision"))
    return _described(known.candidates).model_copy(
        update={
            "evidence": tuple(tried),
            "since": dict(sorted(Counter(pairs["since"]).items())),
            "decisions": dict(sorted(Counter(word for word in said.to_series() if word).items())),
            "open": there.filter(followed.OPEN).height,
        }
    )


def _described(candidates: Candidates, *, missing: tuple[str, ...] = ()) -> CandidateSearch:
    return CandidateSearch(
        name=candidates.qualified,
        ja=candidates.ja,
        en=candidates.en,
        table=candidates.of,
        other=candidates.other,
        severity=candidates.severity,
        items={one.name: (one.ja, one.en) for one in candidates.compared},
        missing=missing,
    )


def _told(run: Run, municipality: Municipality, known: _Known, pairs: pl.DataFrame) -> Iterator[pa.RecordBatch]:
    """The findings: each open pair, a decision against strong evidence, what is too common, and what holds a cut-over."""
    candidates = known.candidates
    severity = Severity.NOTE if candidates.severity == "note" else Severity.ALERT
    there = pairs.filter(pl.col("since") != "gone")
    open_ = there.filter(followed.OPEN)
    contrary = there.filter(pl.col("strong") & (pl.col("decision") == "different"))
    yield from _at_places(OPEN, severity, municipality, candidates, open_)
    yield from _at_places(CONTRARY, Severity.ALERT, municipality, candidates, contrary)
    if open_.height and candidates.severity == "error" and run.mode == "cut-over":
        yield finding(HELD, Severity.ERROR, table=candidates.of, detail=f"{candidates.qualified}: {open_.height} open")
    for one in known.found.tried:
        if one.groups_left or one.too_many:
            detail = f"{candidates.qualified}, {one.evidence}: {one.groups_left} groups, {one.rows_left} rows"
            more = f", {one.too_many} pairs" if one.too_many else ""
            yield finding(COMMON, Severity.ALERT, table=candidates.of, detail=detail + more)


def _at_places(
    code: str, severity: Severity, municipality: Municipality, candidates: Candidates, pairs: pl.DataFrame
) -> Iterator[pa.RecordBatch]:
    """A finding a pair, at the row of the second number; of two tables, at the row of the one whose rows are compared."""
    side, number = ("a" if candidates.between else "b"), candidates.number[0]
    places = pairs.select("id", pl.col(f"{side}_{name}" for name in PLACE).name.replace(f"^{side}_", ""))
    origins = findings_store.origins(municipality)
    for (dump, part), rows in places.group_by("source_dump", "_part", maintain_order=True):
        origin = origins.get((candidates.of, number, str(dump), int(str(part))))
        yield findings_at(
            code,
            severity,
            dump=str(dump),
            kind=origin.kind if origin else None,
            record=rows["source_record"].to_numpy(),
            offset=(rows["_offset"] + (origin.offset if origin else 0)).to_numpy(),
            field=origin.fields[0] if origin and origin.fields else None,
            table=candidates.of,
            column=number,
            mapping=(origin.mapping or None) if origin else None,
            detail=rows["id"].to_arrow(),
        )
