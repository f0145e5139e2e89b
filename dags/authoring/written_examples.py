"""Examples beside a mapping, read and proved: `check` asks for no more, and so loads nothing that runs them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from dags.pipeline.town import Municipality
from mappings.language.examples import Example, read_examples
from mappings.plan import ENGINE, LINEAGE
from migration_reports.findings import Problem, SpecError
from target_schemas.model import System


def read(municipality: Municipality) -> tuple[Example, ...]:
    """Read the examples of a municipality's systems and of their packages, without running them.

    Raises:
        SpecError: an example cannot be used.
    """
    found: list[Example] = []
    problems: list[Problem] = []
    for system in municipality.systems:
        try:
            found.extend(_of_system(municipality, system))
        except SpecError as error:
            problems.extend(error.problems)
    if problems:
        raise SpecError(problems)
    return tuple(found)


def _of_system(municipality: Municipality, system: System) -> tuple[Example, ...]:
    folder = municipality.folder.systems[system.name]
    columns = {part.table: _own(part.schema) for part in municipality.plans[system.name].parts}
    return read_examples(
        folder.roots,
        schemas=schemas_of(municipality, system.name, data=True),
        around=schemas_of(municipality, system.name, data=False),
        columns=columns,
        left_out=frozenset(key for table in system.tables if (key := table.qualified) not in columns),
    )


def schemas_of(municipality: Municipality, system: str, *, data: bool) -> Mapping[str, pa.Schema]:
    """The record kinds of a system that are data, or those that are headers and trailers."""
    return {
        source: municipality.schemas[source]
        for dump, spec in municipality.folder.systems[system].manifest.dumps.items()
        for kind, record in spec.records.items()
        if (record.role == "data") == data and (source := f"{dump}.{kind}")
    }


def _own(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in (*LINEAGE, *ENGINE)])
