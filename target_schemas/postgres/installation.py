"""Installing the data centre: what is missing is made once, and what is there is not touched.

Changing a shared table waits for all its readers, and whoever reads next waits behind it. So the catalogue is read
first, which waits for nobody, and nothing is executed where nothing is missing. A system's newer edition may have items
that its tables lack: they are added, and none is ever dropped, for other municipalities' rows may hold them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migration_reports.items import Table
from target_schemas.model import CODES, SCHEMA_VERSION, SHARED, System
from target_schemas.postgres import roles
from target_schemas.postgres.areas import AREAS, Area, quote
from target_schemas.postgres.database import briefly
from target_schemas.postgres.ledger import FORM, LEDGER, installed
from target_schemas.postgres.municipal import MUNICIPAL, placed
from target_schemas.postgres.numbering import NUMBERS

LEDGER_SCHEMA = "ledger"
assert NUMBERS.metadata is LEDGER, "the numbers are installed with the ledger"

Statement = sa.Executable


@dataclasses.dataclass(frozen=True, slots=True)
class _Present:
    """What the catalogue has: schemas, columns by (schema, table), roles, (role, member), (schema, role) that may use it.

    `readable`: of tables that have guarded columns, (role, column) that may be read.
    """

    version: bool
    schemas: frozenset[str]
    tables: Mapping[tuple[str, str], frozenset[str]]
    roles: frozenset[str]
    members: frozenset[tuple[str, str]]
    users: frozenset[tuple[str, str]]
    codes: Mapping[tuple[str, str], tuple[str, str]]
    readable: Mapping[tuple[str, str], frozenset[tuple[str, str]]]


def install(engine: sa.Engine, systems: Sequence[System], municipality: str) -> None:
    """Make what is missing: schemas, tables of every area, ledger, codes, isolation, the municipality's roles.

    Args:
        engine: the database.
        systems: the systems whose tables are needed.
        municipality: the code of the municipality whose roles are needed.

    Raises:
        RunError: the database holds a data centre of another form.
        TransientError: something is missing, and others hold what must be changed.
    """
    with engine.connect() as connection:
        if not list(_missing(_present(connection, systems), systems, municipality)):
            return
    with briefly(engine, "installing the data centre") as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("hikkoshi prepare"))))
        for statement in _missing(_present(connection, systems), systems, municipality):
            connection.execute(statement)


def _present(connection: sa.Connection, systems: Iterable[System]) -> _Present:
    version = installed(connection)
    named = (SHARED, *(system.name for system in systems))
    schemas = [LEDGER_SCHEMA, *(area.schema(name) for name in named for area in AREAS)]

    def pairs(query: str) -> frozenset[tuple[str, str]]:
        return frozenset((row[0], row[1]) for row in connection.execute(sa.text(query), {"schemas": schemas}))

    found = connection.execute(
        sa.text(
            "SELECT n.nspname, c.relname, array_agg(a.attname::text) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1, 2"
        ),
        {"schemas": schemas},
    )
    tables = {(schema, table): frozenset(columns) for schema, table, columns in found}
    known = (CODES.schema, CODES.name) in tables
    return _Present(
        version=version,
        schemas=frozenset(connection.execute(sa.text("SELECT nspname FROM pg_namespace")).scalars()),
        tables=tables,
        roles=frozenset(
            connection.execute(sa.text(r"SELECT rolname FROM pg_roles WHERE rolname ~ '^hikkoshi_'")).scalars()
        ),
        members=pairs(
            "SELECT r.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid "
            "JOIN pg_roles m ON m.oid = a.member WHERE r.rolname ~ '^hikkoshi_'"
        ),
        users=pairs(
            "SELECT n.nspname, r.rolname FROM pg_namespace n, aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee "
            "WHERE n.nspname = ANY(:schemas) AND a.privilege_type = 'USAGE'"
        ),
        codes={
            (row.code_set, row.code): (row.label_ja, row.label_en)
            for row in (connection.execute(sa.select(CODES)) if known else ())
        },
        readable=_readable(connection, systems),
    )


def _readable(
    connection: sa.Connection, systems: Iterable[System]
) -> Mapping[tuple[str, str], frozenset[tuple[str, str]]]:
    """Of the tables that have guarded columns, who may read which."""
    query = sa.text(
        "SELECT r.rolname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.rolname = ANY(:roles) "
        "WHERE n.nspname = :schema AND c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped "
        "AND has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')"
    )
    found = {}
    for area, system in ((area, system) for area in AREAS for system in systems):
        for table in (table for table in system.whole.tables if roles.readable(area, table)):
            place, who = (area.schema(system.name), table.name), [area.role, area.sensitive_role]
            asked = {"roles": who, "schema": place[0], "table": place[1]}
            found[place] = frozenset((role, name) for role, name in connection.execute(query, asked))
    return found


def _missing(present: _Present, systems: Iterable[System], municipality: str) -> Iterator[Statement]:
    used = [(area, area.schema(name)) for name in (SHARED, *(system.name for system in systems)) for area in AREAS]
    for schema in (LEDGER_SCHEMA, *(schema for _, schema in used)):
        if schema not in present.schemas:
            yield sa.schema.CreateSchema(schema)
            yield sa.text(f"REVOKE ALL ON SCHEMA {quote(schema)} FROM PUBLIC")
    for area in AREAS:
        own = area.role_of(municipality)
        for role in (area.role, area.sensitive_role, own):
            if role not in present.roles:
                yield sa.text(f"CREATE ROLE {role} NOLOGIN")
        if (area.role, own) not in present.members:
            yield sa.text(f"GRANT {area.role} TO {own}")
    for area, schema in dict.fromkeys((*((area, SHARED) for area in AREAS), *used)):
        if (schema, area.role) not in present.users:
            yield sa.text(f"GRANT USAGE ON SCHEMA {quote(schema)} TO {area.role}")
    for table in LEDGER.sorted_tables:
        if (LEDGER_SCHEMA, table.name) not in present.tables:
            yield from _made(table)
            yield from roles.closed(f"{LEDGER_SCHEMA}.{table.name}")
    if not present.version:
        yield sa.insert(FORM).values(version=SCHEMA_VERSION)
    if (CODES.schema, CODES.name) not in present.tables:
        yield from _made(CODES)
        yield sa.text(f"REVOKE ALL ON {CODES.key} FROM PUBLIC")
        yield sa.text(f"GRANT SELECT ON {CODES.key} TO {', '.join(area.role for area in AREAS)}")
    for area, table in ((area, table) for area in AREAS for table in MUNICIPAL):
        if (area.schema(SHARED), table.name) not in present.tables:
            yield from _made(placed(area, table))
            yield from roles.isolated(area, area.place(table.key))
            yield from roles.opened(area, area.place(table.key))
    for system in systems:
        for area in AREAS:
            for described in system.whole.tables:
                named = (area.schema(system.name), described.name)
                there = present.tables.get(named)
                yield from _installed(area, described) if there is None else _added(area, described.physical, there)
                if there is not None and present.readable.get(named, frozenset()) != roles.readable(area, described):
                    yield from roles.opened(area, area.place(described.qualified), described)
        yield from _codes(system, present.codes)


def _installed(area: Area, table: Table) -> Iterator[Statement]:
    """A system's table, made and isolated in an area."""
    place = area.place(table.qualified)
    yield from _made(area.table(table.physical))
    yield from roles.isolated(area, place)
    yield from roles.opened(area, place, table)


def _added(area: Area, table: sa.Table, there: frozenset[str]) -> Iterator[Statement]:
    """The columns that a table lacks, because it was made before the edition that brought them."""
    for column in area.table(table).columns:
        if column.name not in there:
            kind = column.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
            yield sa.text(f"ALTER TABLE {area.place(table.key)} ADD COLUMN {quote(column.name)} {kind}")
            if column.comment:
                yield sa.schema.SetColumnComment(column)


def _made(table: sa.Table) -> Iterator[Statement]:
    yield sa.schema.CreateTable(table)
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        yield sa.schema.CreateIndex(index)
    if table.comment:
        yield sa.schema.SetTableComment(table)
    for column in table.columns:
        if column.comment:
            yield sa.schema.SetColumnComment(column)


def _codes(system: System, known: Mapping[tuple[str, str], tuple[str, str]]) -> Iterator[Statement]:
    rows = [
        {"code_set": code_set.name, "code": code, "label_ja": line.ja, "label_en": line.en}
        for code_set in system.code_sets
        for code, line in code_set.shared.labels.items()
        if known.get((code_set.name, code)) != (line.ja, line.en)
    ]
    if rows:
        insert = postgresql.insert(CODES).values(rows)
        yield insert.on_conflict_do_update(
            index_elements=["code_set", "code"],
            set_={"label_ja": insert.excluded.label_ja, "label_en": insert.excluded.label_en},
        )
