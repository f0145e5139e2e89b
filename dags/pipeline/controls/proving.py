"""Proving the controls of a dump: from trailers, control files and the manifest, against what was counted of it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pyarrow as pa

from dags.pipeline.controls.control_files import Statement, of_trailers, stated
from dags.pipeline.controls.parents import parents_proved
from dags.pipeline.receiving.per_file import trailers_of
from dags.pipeline.run_folder import Run
from dags.pipeline.town import DumpReader
from mappings.control_plan import ControlPlan
from mappings.language.controls import ControlSpec
from migration_reports.findings import join_findings, no_findings
from migration_reports.records.counted import DumpAccount, FileCount
from migration_reports.records.groups import Group
from migration_reports.records.run_record import Control
from migration_reports.records.steps import Receipts
from migration_reports.records.sums import EXACT
from validators.control_groups import prove_groups
from validators.controls import Stated, prove
from validators.file_controls import CountedFile, prove_files


def prove_dump(
    run: Run, name: str, reader: DumpReader, account: DumpAccount, received: Receipts
) -> tuple[tuple[Control, ...], pa.RecordBatch]:
    """Prove a dump's controls.

    Args:
        run: the run.
        name: the dump's name.
        reader: how it is read.
        account: what was counted of it.
        received: what came, control files included.

    Returns:
        Each control, and a finding for whatever does not agree.

    Raises:
        RunError: a control file is not what was received.
    """
    every = [(asked(str(number), spec), spec) for number, spec in enumerate(reader.spec.controls)]
    files = [one.file for one in received.of(name) if one.status == "received"]
    if not files:
        return tuple(_not_there(name, control) for control, _ in every), no_findings()
    plans = {plan.name: plan for plan in reader.controls}
    alone = [control for control, spec in every if spec.per is None and not _stated_by_group(spec)]
    told = [prove(name, alone, account.groups, account.trailers)]
    if of_files := [(control, spec) for control, spec in every if spec.per == "file"]:
        counted = (
            CountedFile(file, _groups(one, of_files), trailers_of(one, reader.spec))
            for file, one in zip(files, account.files, strict=True)
        )
        once = {kind: of.role for kind, of in reader.spec.records.items() if of.role != "data"}
        told.append(prove_files(name, [control for control, _ in of_files], counted, once=once))
    for control, spec in every:
        if spec.per is None and _stated_by_group(spec):
            plan = plans[control.number]
            said = _statement(run, spec, plan, account, received)
            groups = account.groups.get(control.number, ())
            one, found = prove_groups(name, control, groups, said.amounts, numbers=plan.numbers, problems=said.problems)
            told.append(((one,), found))
    of_parents = tuple(parents_proved(name, control, account) for control, spec in every if spec.per == "parent")
    return (*(one for made, _ in told for one in made), *of_parents), join_findings([found for _, found in told])


def _not_there(dump: str, control: Stated) -> Control:
    """A control of a dump that may be absent, and is: it proves nothing."""
    return Control(
        dump=dump,
        name=control.name,
        kind=control.what,
        field=control.of if control.what == "value" else control.equals,
        stated="",
        found="",
        agrees=True,
    )


def _groups(one: FileCount, controls: Iterable[tuple[Stated, ControlSpec]]) -> Mapping[str, tuple[Group, ...]]:
    """What was counted of one file for its controls."""
    found = {}
    for control, spec in controls:
        counts = [Decimal(one.records.get(kind, 0)) for kind, field in spec.subjects if not field]
        sums = [one.sums.get(f"{kind}.{field}", Decimal(0)) for kind, field in spec.subjects if field]
        total = functools.reduce(EXACT.add, (*counts, *sums), Decimal(0))
        found[control.number] = (Group((), 0, 0, total, total, Decimal(0)),)
    return found


def asked(number: str, spec: ControlSpec) -> Stated:
    """A control as it is proved."""
    of = spec.count or spec.sum or spec.hash or (spec.value or "",)
    return Stated(
        _what(spec),
        ", ".join(of),
        spec.equals,
        number=number,
        by=tuple(spec.by),
        times=spec.times,
        unit=spec.unit,
        rounding=spec.rounding or "",
        modulus=spec.modulus or 0,
    )


def _what(spec: ControlSpec) -> Literal["count", "sum", "hash", "value"]:
    if spec.value is not None:
        return "value"
    return "count" if spec.count is not None else "sum" if spec.sum is not None else "hash"


def _stated_by_group(spec: ControlSpec) -> bool:
    return bool(spec.by or spec.file)


def _statement(run: Run, spec: ControlSpec, plan: ControlPlan, account: DumpAccount, received: Receipts) -> Statement:
    columns = tuple(spec.by.values())
    if spec.file:
        return stated(Path(run.inbox), received.receipts, spec.equals, columns, numbers=plan.numbers)
    rows = account.trailers.get(spec.equals.partition(".")[0], ())
    return of_trailers(rows, spec.equals, columns, numbers=plan.numbers)
