"""Where every target column comes from and where every source field goes, from the compiled plans.

As data: OpenLineage's column lineage, a facet for each target table. As a document: the rows of the item mapping table
(項目マッピング表), in both directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline.town import Municipality
from extractors.batches import arrow_schema
from mappings.compiling.columns import groups_of
from mappings.compiling.occurrences import members_of
from mappings.plan import ColumnPlan, PartPlan, Plan
from mappings.plan import Step as PlanStep
from mappings.provenance import Origin, fate_of, origins
from migration_reports.items import heading, item_of, table_of
from migration_reports.records.item_mapping import SourceItem, TargetItem
from target_schemas.model import System

PRODUCER = "urn:hikkoshi"
FACET = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
TARGETS = "hikkoshi://data_centre"


def column_lineage(municipality: Municipality) -> list[dict[str, Any]]:
    """OpenLineage datasets, one for each target table that is filled, each with its columnLineage facet."""
    datasets = []
    for plan in municipality.plans.values():
        for table in dict.fromkeys(part.table for part in plan.parts):
            facet = _facet(municipality, [part for part in plan.parts if part.table == table])
            datasets.append({"namespace": TARGETS, "name": table, "facets": {"columnLineage": facet}})
    return datasets


def target_items(municipality: Municipality) -> tuple[TargetItem, ...]:
    """A row for each target column and field that it is made of; a row for a column that nothing fills, too."""
    return tuple(
        item
        for system in municipality.systems
        for table in system.tables
        for item in _of_table(municipality, system, table.physical)
    )


def source_items(municipality: Municipality) -> tuple[SourceItem, ...]:
    """A row for each field of each record kind, with what becomes of it."""
    items = []
    for name, dump in municipality.dumps.items():
        for kind_name, kind in dump.spec.records.items():
            source = f"{name}.{kind_name}"
            schema = arrow_schema(dump.layout, kind.group)
            for called, field in _every_field(schema):
                fate = fate_of(municipality.plans.values(), name, dump.spec, kind_name, called)
                said = (("レコード種別の判定", fate.tells_kinds), ("コントロール", fate.controls))
                targets = (*fate.targets, *(word for word, holds in said if holds))
                items.append(SourceItem(dump.spec.title, source, *_field(field), targets, fate.ignored_because))
    return tuple(items)


def _every_field(schema: pa.Schema) -> Iterator[tuple[str, pa.Field]]:
    """Every field by what its fate is told under; behind a list what lies in it."""
    for field in schema:
        yield field.name, field
        yield from ((f"{field.name}.{member.name}", member) for member in members_of(field))


def _facet(municipality: Municipality, parts: Iterable[PartPlan]) -> dict[str, Any]:
    fields: dict[str, list[dict[str, Any]]] = {}
    whole: list[dict[str, Any]] = []
    namespace = f"hikkoshi://{municipality.folder.folder}"
    for part in parts:
        for column in part.columns:
            inputs = _merged(namespace, _inputs(part, column))
            for target in column.targets:
                known = fields.setdefault(target, [])
                known.extend(one for one in inputs if one not in known)
        whole.extend(one for one in _merged(namespace, _of_rows(part)) if one not in whole)
    return {
        "_producer": PRODUCER,
        "_schemaURL": FACET,
        "fields": {name: {"inputFields": inputs} for name, inputs in fields.items() if inputs},
        "dataset": whole,
    }


def _inputs(part: PartPlan, column: ColumnPlan) -> Iterator[tuple[Origin, dict[str, Any]]]:
    said = transforms_of(column)
    own = (*column.sources, *(column.expression.reads if column.expression is not None else ()))
    for origin in origins(part, own):
        yield origin, _transformation("DIRECT", "TRANSFORMATION" if said else "IDENTITY", said)
    for condition in column.when:
        for origin in origins(part, condition.reads):
            yield origin, _transformation("INDIRECT", "CONDITIONAL", "when")
    for step in column.steps:
        for origin in origins(part, step.params.context):
            yield origin, _transformation("INDIRECT", "CONDITIONAL", step.transform.name)
        other = next((c for c in part.columns if c.name == step.beside), None)
        for origin in origins(part, other.reads) if other is not None else ():
            yield origin, _transformation("INDIRECT", "CONDITIONAL", f"{step.transform.name} at {step.beside}")


def _of_rows(part: PartPlan) -> Iterator[tuple[Origin, dict[str, Any]]]:
    """What decides which rows there are, of whatever column."""
    for condition in part.when:
        for origin in origins(part, condition.reads):
            yield origin, _transformation("INDIRECT", "FILTER", "when")
    for join in part.joins:
        for ours, theirs in join.keys:
            for origin in (*origins(part, (ours,)), (join.source, theirs)):
                yield origin, _transformation("INDIRECT", "JOIN", f"join {join.alias}")
    for condition in part.prefer:
        for origin in origins(part, condition.reads):
            yield origin, _transformation("INDIRECT", "SORT", f"keep {part.keep}")
    deciding = next((column for column in part.columns if column.name == part.by), None)
    for origin in origins(part, deciding.reads) if deciding is not None else ():
        yield origin, _transformation("INDIRECT", "SORT", f"keep {part.keep} by {part.by}")


def _transformation(kind: str, subtype: str, description: str) -> dict[str, Any]:
    return {"type": kind, "subtype": subtype, "description": description, "masking": False}


def _merged(namespace: str, inputs: Iterable[tuple[Origin, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Input fields as OpenLineage has them: each once, with all that is done to it."""
    found: dict[Origin, list[dict[str, Any]]] = {}
    for origin, transformation in inputs:
        known = found.setdefault(origin, [])
        if transformation not in known:
            known.append(transformation)
    return [
        {"namespace": namespace, "name": source, "field": field, "transformations": transformations}
        for (source, field), transformations in found.items()
    ]


def transforms_of(column: ColumnPlan) -> str:
    """What is done to a column's values, as the mapping says it; empty where they go unchanged."""
    said = [f"constant {column.constant}"] if column.constant is not None else []
    said += ["expression"] if column.expression is not None else []
    return ", ".join([*said, *map(_step, column.steps)])


def _step(step: PlanStep) -> str:
    given = step.params.model_dump(exclude_unset=True)
    inside = ", ".join(f"{key}: {value}" for key, value in given.items())
    return f"{step.transform.name} ({inside})" if inside else step.transform.name


def _policy(column: ColumnPlan) -> str:
    said = [column.on_error]
    said += [f"default {column.default}"] if column.default is not None else []
    said += [f"at most {column.at_most}"] if column.at_most else []
    said += [f"stop after {column.stop_after}"] if column.stop_after is not None else []
    return ", ".join(said)


def _of_table(municipality: Municipality, system: System, table: sa.Table) -> Iterator[TargetItem]:
    plan = municipality.plans[system.name]
    for group, members in groups_of(table).items():
        filling = [(p, c) for p in plan.parts if p.table == table.key for c in p.columns if c.name == group]
        for member in members:
            described = _described(system, table, member)
            if not filling:
                yield TargetItem(*described, *_NOTHING, "", "", "", _why_empty(plan, table))
            for part, column in filling:
                more = (transforms_of(column), _policy(column), column.place)
                found = origins(part, column.reads)
                for source, field in found:
                    yield TargetItem(*described, *_source(municipality, source, field), *more, "")
                if not found:
                    yield TargetItem(*described, *_NOTHING, *more, "")
    for member in (column for column in table_of(table).columns if item_of(column).arrival):
        yield TargetItem(*_described(system, table, member), *_NOTHING, "", "", "", "到着順に付番する")


_NOTHING = ("", "", "", "", None, None)


def _described(
    system: System, table: sa.Table, column: sa.Column[object]
) -> tuple[str, str, str, str, str, str, str, bool]:
    item = item_of(column)
    length = str(item.length or "")
    if isinstance(column.type, sa.Numeric) and column.type.precision is not None:
        length = f"{column.type.precision}.{column.type.scale}" if column.type.scale else str(column.type.precision)
    return (
        system.title_ja,
        f"{table_of(table).ja} {table.key}",
        heading(column).ja,
        column.name,
        item.kind,
        length,
        item.code_set,
        not column.nullable,
    )


def _why_empty(plan: Plan, table: sa.Table) -> str:
    filled = any(part.table == table.key for part in plan.parts)
    return "空とする" if filled else "移行しない表"


def _source(municipality: Municipality, source: str, field: str) -> tuple[str, str, str, str, int | None, int | None]:
    title = municipality.dumps[source.partition(".")[0]].spec.title
    name, picture, _, position, width = _field(municipality.schemas[source].field(field))
    return title, source, name, picture, position, width


def _field(field: pa.Field) -> tuple[str, str, str, int | None, int | None]:
    """A field's name, PICTURE, usage, position (from 1, of a list's member in its occurrence) and width in bytes."""
    metadata: Mapping[bytes, bytes] = field.metadata or {}
    picture, usage = metadata.get(b"picture", b"").decode(), metadata.get(b"usage", b"").decode()
    place, width = metadata.get(b"offset"), metadata.get(b"width")
    return field.name, picture, usage, int(place) + 1 if place else None, int(width) if width else None
