"""Examples beside a mapping, read and proved: `check` asks for no more, and so loads nothing that runs them."""

from __future__ import annotations

import pyarrow as pa

from dags.pipeline.municipality import Municipality, target_tables
from mappings.language.examples import Example, read_examples
from mappings.plan import ENGINE, LINEAGE


def read(municipality: Municipality) -> tuple[Example, ...]:
    """Read the examples of a municipality's folder and of its package's, without running them.

    Raises:
        SpecError: an example cannot be used.
    """
    parts = [part for plan in municipality.plans.values() for part in plan.parts]
    columns = {part.table: _own(part.schema) for part in parts}
    left_out = frozenset(t.key for t in target_tables(municipality) if t.key not in columns)
    roots = municipality.folder.roots
    return read_examples(roots, schemas=municipality.schemas, columns=columns, left_out=left_out)


def _own(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in (*LINEAGE, *ENGINE)])
