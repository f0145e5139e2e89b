"""The record of a run as it stands, and its reports: what its steps left, and what its own copy of the specs says."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from dags.centre import called, reached
from dags.own.told import own_values
from dags.pipeline import gaiji_ledger
from dags.pipeline.candidates import followed
from dags.pipeline.findings_store import issues, join_finding_files
from dags.pipeline.run_folder import Run, replaced, reported_before, settings
from dags.pipeline.run_specs import changed, municipality_of
from dags.pipeline.town import Municipality, target_tables
from mappings.language.reader import MANIFEST
from mappings.provenance import fate_of
from migration_reports.findings import TransientError
from migration_reports.items import item_of
from migration_reports.pages.render import render
from migration_reports.records.assembly import run_record
from migration_reports.records.counted import DumpAccount, Made
from migration_reports.records.run_record import Evidence, FieldFate, Reuse, RunRecord, SystemState, UnknownCode
from migration_reports.records.run_record import Municipality as Named
from migration_reports.records.steps import Failure, Promotion
from target_schemas.postgres import ledger

MOST_CODES = 50
"""Codes that are listed of a column."""

_KINDS: Mapping[str, Literal["layout", "table"]] = {".cpy": "layout", ".csv": "table"}

PACKAGES = (
    "hikkoshi", "apache-airflow", "great-expectations", "sqlalchemy", "pyarrow", "polars", "numpy", "numba",
    "adbc-driver-postgresql", "ebcdic", "jinja2",
)  # fmt: skip


def record(run: Run) -> RunRecord:
    """Everything that may be said of a run so far: what it did, from its folder; how it stands, from the ledger.

    Raises:
        TransientError: the ledger cannot be asked, and the run did not stop by itself.
    """
    entry, version = None, ""
    stopped = run.read(Failure) is not None and run.read(Promotion) is None
    with (
        contextlib.suppress(TransientError) if stopped else contextlib.nullcontext(),
        reached(run.code) as (database, _),
    ):
        entry = ledger.find(database, run.run_id)
        with database.connect() as connection:
            version = str(connection.execute(sa.text("SHOW server_version")).scalar())
        if name := called(run.code):
            version = f"{version} ({name})"
    municipality = municipality_of(run)
    named = municipality.folder.manifest.municipality
    results, former = run.results(municipality.dumps), reported_before(run)
    pairs, left_out = followed.shown(run.run_id)
    return run_record(
        run,
        results,
        municipality=Named(code=run.code, name=named.name, romaji=named.romaji),
        in_ledger=entry.state if entry is not None else "",
        systems=_systems(municipality, entry),
        issues=issues(run),
        coverage=_coverage(municipality, results.accounts),
        unknown_codes=_unknown_codes(municipality, results.made or Made(parts={})),
        own_values=own_values(municipality.own),
        reuse=_reuse(municipality),
        planned_on=_planned(municipality, run),
        gaiji=gaiji_ledger.ledger(municipality, results.accounts, former),
        pairs=pairs,
        pairs_left_out=left_out,
        evidence=_evidence(municipality),
        versions=_versions(version),
        specs_changed=changed(run, settings().municipalities / run.folder),
        former=former,
    )


def write_reports(run: Run, said: RunRecord) -> tuple[Path, ...]:
    """Write the reports into a folder of their own, and put it in the place of the former when it is whole."""
    everything = run.path / "findings.arrow"
    join_finding_files(run, everything)
    with replaced(run.path / "reports") as new:
        names = [file.name for file in render(said, new, findings=everything)]
    return tuple(run.path / "reports" / name for name in names)


def _coverage(municipality: Municipality, accounts: Mapping[str, DumpAccount]) -> tuple[FieldFate, ...]:
    fates = []
    for name, account in accounts.items():
        reader = municipality.dumps[name]
        for kind, spec in reader.spec.records.items():
            filled = account.filled.get(kind, {})
            for field in reader.layout.fields(spec.group):
                fate = fate_of(municipality.plans.values(), name, reader.spec, kind, field.name)
                fates.append(
                    FieldFate(
                        dump=name,
                        kind=kind,
                        field=field.name,
                        picture=field.picture.text,
                        offset=field.offset,
                        width=field.width,
                        filled=filled.get(field.name, 0),
                        targets=(*fate.targets, *(["control"] if fate.controls else [])),
                        ignored_because=fate.ignored_because,
                    )
                )
    return tuple(fates)


def _unknown_codes(municipality: Municipality, made: Made) -> tuple[UnknownCode, ...]:
    """The codes that no code table holds, the most frequent of each column first."""
    rows: list[UnknownCode] = []
    tables = {table.key: table for table in target_tables(municipality)}
    for plan in municipality.plans.values():
        for part in plan.parts:
            unknown = made.of(part.table, part.number).unknown
            for column in part.columns:
                codes = sorted(_seen(tables[part.table], column.name, unknown), key=lambda item: (-item[1], item[0]))
                rows.extend(
                    UnknownCode(
                        table=part.table,
                        column=column.name,
                        field=" ".join(column.sources),
                        value=value,
                        count=count,
                        mapping=column.place,
                    )
                    for value, count in codes[:MOST_CODES]
                )
    return tuple(rows)


def _seen(table: sa.Table, column: str, unknown: Mapping[str, Mapping[str, int]]) -> Iterable[tuple[str, int]]:
    """The unknown codes of a column; of one that needs grounds to be seen only how many there are."""
    codes = unknown.get(column, {})
    if column in table.columns and item_of(table.columns[column]).sensitive:
        return [("", sum(codes.values()))] if codes else []
    return codes.items()


def _reuse(municipality: Municipality) -> Reuse | None:
    of_systems = [system.reuse for system in municipality.folder.systems.values() if system.reuse is not None]
    if not of_systems:
        return None
    return Reuse(
        package=", ".join(reuse.package for reuse in of_systems),
        inherited=sum(reuse.inherited for reuse in of_systems),
        changed=sum(reuse.changed for reuse in of_systems),
        removed=sum(reuse.removed for reuse in of_systems),
        added=sum(reuse.added for reuse in of_systems),
    )


def _systems(municipality: Municipality, entry: ledger.RunEntry | None) -> tuple[SystemState, ...]:
    """How each system's promotion stands, as far as the ledger knows of one."""
    if entry is None:
        return ()
    return tuple(
        SystemState(
            system=system.name,
            title_ja=system.title_ja,
            title_en=system.title_en,
            edition=entry.editions[system.name],
            state=state,
        )
        for system in municipality.systems
        if (state := entry.systems.get(system.name))
    )


def _planned(municipality: Municipality, run: Run) -> str:
    """The day for which the calendar plans this rehearsal, or the cut-over."""
    calendar = municipality.folder.manifest.calendar
    if run.mode == "cut-over":
        return calendar.cut_over or ""
    return next((r.on for r in calendar.rehearsals if r.number == run.rehearsal), "")


def _evidence(municipality: Municipality) -> tuple[Evidence, ...]:
    """The specs that the run used, by their SHA-256."""
    return tuple(
        Evidence(
            name=path,
            kind="manifest" if Path(path).name == MANIFEST else _KINDS.get(Path(path).suffix, "mapping"),
            sha256=sha256,
        )
        for path, sha256 in sorted(municipality.folder.sha256.items())
    )


def _versions(database_version: str) -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    return {**versions, **({"postgresql": database_version} if database_version else {})}
