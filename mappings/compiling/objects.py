"""Files beside a dump as sources of columns: `body: $object` fills the columns of an attachment, `$object.bytes` one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from mappings.compiling.complaints import Complaints
from mappings.compiling.uses import Uses
from mappings.language.folder import SystemFolder
from mappings.language.spec import ColumnSpec
from mappings.plan import OBJECT, OBJECT_TYPES


def attached(columns: Mapping[str, ColumnSpec], groups: Collection[str]) -> dict[str, ColumnSpec]:
    """The columns of a part, with one for each of an attachment's in the place of the attachment itself."""
    made: dict[str, ColumnSpec] = {}
    for name, column in columns.items():
        whole = {f"{name}_{source.rpartition('.')[2]}": source for source in OBJECT_TYPES}
        if tuple(column.sources.values()) == (OBJECT,) and whole.keys() <= set(groups):
            made |= {part: column.model_copy(update={"sources": {"value": of}}) for part, of in whole.items()}
        else:
            made[name] = column
    return made


def naming_field(folder: SystemFolder, source: str) -> str:
    """The field of a record kind that names files; empty where it names none."""
    dump, _, kind = source.partition(".")
    objects = folder.manifest.dumps[dump].records[kind].objects
    return objects.key if objects is not None else ""


def check_fields(folder: SystemFolder, schemas: Mapping[str, pa.Schema], complain: Complaints, uses: Uses) -> None:
    """Check that the fields which name files are there and hold what they should, and note that they are used."""
    for dump_name, dump in folder.manifest.dumps.items():
        for kind_name, kind in dump.records.items():
            schema = schemas.get(f"{dump_name}.{kind_name}")
            if kind.objects is None or schema is None:
                continue
            for part in ("key", "sha256", "bytes"):
                field = getattr(kind.objects, part)
                place = folder.manifest_places.at("dumps", dump_name, "records", kind_name, "objects", part)
                if field is None:
                    continue
                uses.note_object(f"{dump_name}.{kind_name}", field)
                if field not in schema.names:
                    complain.unknown("Y092", place, f"field `{field[:60]}` of {dump_name}.{kind_name}", schema.names)
                elif pa.types.is_string(schema.field(field).type) == (part == "bytes"):
                    wanted = "a number" if part == "bytes" else "text"
                    complain.add("Y092", place, f"`{field[:60]}` cannot be the {part} of a file: it is not {wanted}")
