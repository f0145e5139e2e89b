"""Proving the controls of a dump: from trailers, control files and the manifest, against what was counted of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pyarrow as pa

from dags.pipeline.controls.control_files import Statement, of_trailers, stated
from dags.pipeline.controls.parents import parents_proved
from dags.pipeline.run_folder import Run
from dags.pipeline.town import DumpReader
from mappings.language.controls import ControlSpec
from mappings.plan import ControlPlan
from migration_reports.findings import join_findings
from migration_reports.records.run_record import Control
from migration_reports.records.steps import DumpAccount, Receipts
from validators.control_groups import prove_groups
from validators.controls import Stated, prove


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
    plans = {plan.name: plan for plan in reader.controls}
    every = [(asked(str(number), spec), spec) for number, spec in enumerate(reader.spec.controls)]
    alone = [control for control, spec in every if spec.per is None and not _stated_elsewhere(spec)]
    proved, found = prove(name, alone, account.groups, account.trailers)
    of_groups = []
    for control, spec in every:
        if spec.per is None and _stated_elsewhere(spec):
            plan = plans[control.number]
            statement = _statement(run, spec, plan, account, received)
            groups = account.groups.get(control.number, ())
            of_groups.append(
                prove_groups(
                    name, control, groups, statement.amounts, numbers=plan.numbers, problems=statement.problems
                )
            )
    of_parents = [parents_proved(name, control, account) for control, spec in every if spec.per is not None]
    return (*proved, *(one for one, _ in of_groups), *of_parents), join_findings(
        [found, *(said for _, said in of_groups)]
    )


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


def _stated_elsewhere(spec: ControlSpec) -> bool:
    return bool(spec.by or spec.file)


def _statement(run: Run, spec: ControlSpec, plan: ControlPlan, account: DumpAccount, received: Receipts) -> Statement:
    columns = tuple(spec.by.values())
    if spec.file:
        return stated(Path(run.inbox), received.receipts, spec.equals, columns, numbers=plan.numbers)
    rows = account.trailers.get(spec.equals.partition(".")[0], ())
    return of_trailers(rows, spec.equals, columns, numbers=plan.numbers)
