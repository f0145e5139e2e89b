"""Installing the data centre: what is missing is made once, and what is there is not touched.

Changing a shared table waits for all its readers, and whoever reads next waits behind it. So the catalogue is read
first, which waits for nobody, and nothing is executed where nothing is missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from target_schemas.model import CODES, SCHEMA_VERSION, System
from target_schemas.postgres import roles
from target_schemas.postgres.areas import AREAS, PRODUCTION
from target_schemas.postgres.database import briefly
from target_schemas.postgres.ledger import FORM, LEDGER, installed
from target_schemas.postgres.numbering import NUMBERS

LEDGER_SCHEMA = "ledger"
assert NUMBERS.metadata is LEDGER, "the numbers are installed with the ledger"

Statement = sa.Executable


@dataclasses.dataclass(frozen=True, slots=True)
class _Present:
    """What the catalogue has: names of schemas, (schema, table), roles, (role, member), (schema, role) that may use it."""

    version: bool
    schemas: frozenset[str]
    tables: frozenset[tuple[str, str]]
    roles: frozenset[str]
    members: frozenset[tuple[str, str]]
    users: frozenset[tuple[str, str]]
    codes: Mapping[tuple[str, str], tuple[str, str]]


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
        if not list(_missing(_present(connection), systems, municipality)):
            return
    with briefly(engine, "installing the data centre") as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("hikkoshi prepare"))))
        for statement in _missing(_present(connection), systems, municipality):
            connection.execute(statement)


def _present(connection: sa.Connection) -> _Present:
    version = installed(connection)
    schemas = [LEDGER_SCHEMA, *(area.schema for area in AREAS)]

    def pairs(query: str) -> frozenset[tuple[str, str]]:
        return frozenset((row[0], row[1]) for row in connection.execute(sa.text(query), {"schemas": schemas}))

    tables = pairs(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    )
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
    )


def _missing(present: _Present, systems: Iterable[System], municipality: str) -> Iterator[Statement]:
    for schema in (LEDGER_SCHEMA, *(area.schema for area in AREAS)):
        if schema not in present.schemas:
            yield sa.schema.CreateSchema(schema)
            yield sa.text(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
    for area in AREAS:
        own = area.role_of(municipality)
        for role in (area.role, own):
            if role not in present.roles:
                yield sa.text(f"CREATE ROLE {role} NOLOGIN")
        if (area.role, own) not in present.members:
            yield sa.text(f"GRANT {area.role} TO {own}")
        # The codes lie in production only, so who checks a rehearsal enters that schema too.
        for schema in {PRODUCTION.schema, area.schema}:
            if (schema, area.role) not in present.users:
                yield sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {area.role}")
    for table in LEDGER.sorted_tables:
        if (LEDGER_SCHEMA, table.name) not in present.tables:
            yield from _made(table)
            yield from roles.closed(f"{LEDGER_SCHEMA}.{table.name}")
    if not present.version:
        yield sa.insert(FORM).values(version=SCHEMA_VERSION)
    if (CODES.schema, CODES.name) not in present.tables:
        yield from _made(CODES)
        yield sa.text(f"REVOKE ALL ON {PRODUCTION.place(CODES.name)} FROM PUBLIC")
        yield sa.text(f"GRANT SELECT ON {PRODUCTION.place(CODES.name)} TO {', '.join(area.role for area in AREAS)}")
    for system in systems:
        for area in AREAS:
            for table in (described.physical for described in system.tables):
                if (area.schema, table.name) not in present.tables:
                    yield from _made(area.table(table))
                    yield from roles.isolated(area, area.place(table.name))
                    yield sa.text(f"GRANT SELECT ON {area.place(table.name)} TO {area.role}")
        yield from _codes(system, present.codes)


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
        for code, line in code_set.labels.items()
        if known.get((code_set.name, code)) != (line.ja, line.en)
    ]
    if rows:
        insert = postgresql.insert(CODES).values(rows)
        yield insert.on_conflict_do_update(
            index_elements=["code_set", "code"],
            set_={"label_ja": insert.excluded.label_ja, "label_en": insert.excluded.label_en},
        )
