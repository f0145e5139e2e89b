"""The headers and trailers of a dump as its records see them: kind.FIELD, whatever kind of record looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from mappings.language.spec import DumpSpec


class Around:
    """The headers and trailers of a system's dumps.

    Args:
        schemas: by source (dump.kind), the fields of each kind.
    """

    def __init__(self, schemas: Mapping[str, pa.Schema]) -> None:
        self.schemas = schemas

    def kinds(self, source: str) -> Mapping[str, pa.Schema]:
        """Those of the dump that a source is of, by their kind."""
        dump = source.partition(".")[0]
        return {name.partition(".")[2]: s for name, s in self.schemas.items() if name.partition(".")[0] == dump}

    def fields(self, source: str) -> Mapping[str, pa.Field]:
        """Their fields, as records of the source see them."""
        return {f"{kind}.{field.name}": field for kind, schema in self.kinds(source).items() for field in schema}

    def source_of(self, source: str, name: str) -> str | None:
        """The header or trailer (dump.kind) that a name is a field of, where it is one of any."""
        kind, dot, _ = name.partition(".")
        return f"{source.partition('.')[0]}.{kind}" if dot and kind in self.kinds(source) else None

    def used(self, source: str, names: Collection[str]) -> tuple[str, ...]:
        """The kinds that any of some names is a field of."""
        return tuple(kind for kind in self.kinds(source) if any(name.startswith(f"{kind}.") for name in names))


def parted(schemas: Mapping[str, pa.Schema], dumps: Mapping[str, DumpSpec]) -> tuple[Mapping[str, pa.Schema], Around]:
    """The kinds that are mapped, and the headers and trailers."""
    around = {
        f"{dump}.{kind}": schemas[f"{dump}.{kind}"]
        for dump, spec in dumps.items()
        for kind, said in spec.records.items()
        if said.role != "data" and f"{dump}.{kind}" in schemas
    }
    return {source: schema for source, schema in schemas.items() if source not in around}, Around(around)
