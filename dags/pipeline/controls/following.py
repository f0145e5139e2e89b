"""Controls by group followed to the rows: of each group what was in the dump, and what of it is left, rejected and to be promoted.

A group of the dump is known by its old codes, and its rows by the new ones; so the codes of the groups are mapped as the
records were, and groups that the mapping makes one are one here. Only where that can be said is a control followed: where
the table's columns that hold the groups are made of their fields alone, and the amount goes into a column unchanged.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline import data_centre
from dags.pipeline.run_folder import Run
from dags.pipeline.town import DumpReader, Municipality
from mappings.control_plan import Subject
from mappings.engine import Mapper
from mappings.plan import ColumnPlan, PartPlan, Plan
from mappings.provenance import followed
from migration_reports.records.counted import DumpAccount
from migration_reports.records.groups import MOST_GROUPS, Group
from migration_reports.records.run_record import AmountGroup, AmountReconciliation
from migration_reports.records.sums import EXACT, values_by
from target_schemas.postgres.settling import InGroup, groups_settled
from validators.control_groups import MOST_LISTED, hidden, shown_values
from validators.controls import plain

NOTHING = InGroup(0, Decimal(0), Decimal(0))


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How a control by group goes into a table.

    Attributes:
        dump: the dump.
        control: the control's number.
        subject: what it counts.
        plan: the system's mapping.
        part: the part that takes the records.
        columns: the columns that hold the groups.
        column: the column that the amount goes to; empty: rows are counted.
        times: what the amount is multiplied by on its way.
    """

    dump: str
    control: str
    subject: Subject
    plan: Plan
    part: PartPlan
    columns: tuple[ColumnPlan, ...]
    column: str = ""
    times: int = 1

    @property
    def by(self) -> tuple[str, ...]:
        """The target's columns that hold the groups."""
        return tuple(column.targets[0] for column in self.columns)


def amounts_by_group(
    database: sa.Engine, run: Run, municipality: Municipality, accounts: Mapping[str, DumpAccount]
) -> tuple[AmountReconciliation, ...]:
    """What became of the groups of every control that can be followed, now that it is settled which rows are rejected."""
    tables = data_centre.run_tables(run, municipality)
    found = []
    for way in _ways(municipality, accounts):
        settled = groups_settled(database, tables, way.part.table, way.by, way.column or None)
        mine = settled.get((way.dump, way.part.number), {})
        found.append(_amount(way, _mapped(way, accounts[way.dump].groups[way.control], run.run_id), mine))
    return tuple(found)


def _ways(municipality: Municipality, accounts: Mapping[str, DumpAccount]) -> Iterator[Way]:
    for name, account in accounts.items():
        reader = municipality.dumps[name]
        for number, subject in _grouped(reader):
            if len(account.groups.get(number, ())) > MOST_GROUPS:
                continue
            for plan in municipality.plans.values():
                for part in plan.parts_of(f"{name}.{subject.kind}"):
                    columns = _holding(part, subject.by)
                    if columns and not subject.fields and _gives_a_row_each(part):
                        yield Way(name, number, subject, plan, part, columns)
                    for one in followed(part) if columns else ():
                        if set(one.fields) == set(subject.fields):
                            yield Way(name, number, subject, plan, part, columns, one.column, one.times)


def _gives_a_row_each(part: PartPlan) -> bool:
    """Whether every record gives exactly one row, so that counts of records are counts of rows."""
    return not (part.each or part.joins or part.when or part.keep != "every_row")


def _grouped(reader: DumpReader) -> Iterator[tuple[str, Subject]]:
    """The controls by group of one record kind; a hash total means nothing in a table."""
    for plan in reader.controls:
        spec = reader.spec.controls[int(plan.name)]
        if spec.by and spec.hash is None and len(plan.subjects) == 1:
            yield plan.name, plan.subjects[0]


def _holding(part: PartPlan, by: Sequence[str]) -> tuple[ColumnPlan, ...]:
    """The columns of a part that are made of the fields of the groups alone; none, where these do not tell all groups."""
    columns = tuple(
        column
        for column in part.columns
        if column.reads and set(column.reads) <= set(by) and len(column.targets) == 1
        and not any(step.beside or step.transform.assigns for step in column.steps)
    )  # fmt: skip
    told = {name for column in columns for name in column.reads}
    return columns if told == set(by) else ()


def _mapped(way: Way, groups: Sequence[Group], run_id: str) -> Mapping[tuple[str, ...], Group]:
    """The groups as the table has them: what stands in their fields, mapped as the records were."""
    part = dataclasses.replace(way.part, columns=way.columns, each=None, around=())
    frame = pl.DataFrame(
        {
            "_record": pl.Series(range(len(groups)), dtype=pl.Int64),
            "_offset": pl.Series([0] * len(groups), dtype=pl.Int64),
            **{
                name: pl.Series([group.values[at] for group in groups], dtype=pl.String).cast(_type(part, name))
                for at, name in enumerate(way.subject.by)
            },
        }
    )
    rows, _, _ = Mapper([way.plan], run_id).map_held(part, frame)
    texts = pl.DataFrame(pl.from_arrow(rows)).select(pl.col(way.by).cast(pl.String).fill_null(""))
    gathered = values_by({values: group} for values, group in zip(texts.iter_rows(), groups, strict=True))
    return {values: _times(Group.added(some), way.times) for values, some in gathered.items()}


def _times(group: Group, times: int) -> Group:
    by = Decimal(times)
    return group._replace(read=EXACT.multiply(group.read, by), left=EXACT.multiply(group.left, by))


def _type(part: PartPlan, name: str) -> pl.DataType:
    return pl.Series(pl.from_arrow(pa.array([], part.types[name]))).dtype


def _amount(
    way: Way, groups: Mapping[tuple[str, ...], Group], settled: Mapping[tuple[str, ...], InGroup]
) -> AmountReconciliation:
    """An amount by group, as far as it may be shown; those that do not agree first."""
    lines = [
        (_line(values, groups.get(values), settled.get(values, NOTHING)), settled.get(values, NOTHING).rows)
        for values in sorted(groups.keys() | settled.keys())
    ]
    lines.sort(key=lambda line: line[0].agrees)
    rejected, accepted = (_total(getattr(of, part) for of in settled.values()) for part in ("rejected", "accepted"))
    read, left = (_total(getattr(group, part) for group in groups.values()) for part in ("read", "left"))
    differing = sum(not line.agrees for line, _ in lines)
    return AmountReconciliation(
        dump=way.dump,
        kind=way.subject.kind,
        field=", ".join(way.subject.fields),
        table=way.part.table,
        column=way.column,
        in_dump=plain(read),
        in_left=plain(left),
        in_rejected=plain(rejected),
        in_table=plain(accepted),
        agrees=not differing,
        by=way.by,
        groups=len(lines),
        differing=differing,
        listed=tuple(_shown(line, rows, of_rows=not way.column) for line, rows in lines[:MOST_LISTED]),
    )


def _line(values: tuple[str, ...], group: Group | None, settled: InGroup) -> AmountGroup:
    read, left = (group.read, group.left) if group is not None else (Decimal(0), Decimal(0))
    return AmountGroup(
        values=values,
        in_dump=plain(read),
        in_left=plain(left),
        in_rejected=plain(settled.rejected),
        in_table=plain(settled.accepted),
        agrees=read == left + settled.rejected + settled.accepted,
    )


def _shown(line: AmountGroup, rows: int, *, of_rows: bool) -> AmountGroup:
    amounts = {name: getattr(line, name) for name in ("in_dump", "in_left", "in_rejected", "in_table")}
    if not of_rows:
        amounts = {name: hidden(amount, rows) for name, amount in amounts.items()}
    return line.model_copy(update={"values": shown_values(line.values, rows), **amounts})


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return functools.reduce(EXACT.add, amounts, Decimal(0))
