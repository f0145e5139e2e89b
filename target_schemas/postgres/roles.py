"""Isolation: who may read which rows is decided by membership of a role, which no session can give itself.

Each area has a group (`hikkoshi_reader`, `hikkoshi_checker`) that may select from its tables, and each municipality a
role in that group (`hikkoshi_reader_990027`). A DBA grants a municipality's role to logins. A policy lets a reader see
the rows of the municipalities whose roles it has; it stands on partitions as well as on their parents, so that even a
right on a partition opens nothing else.

Of a table that has values which need grounds of their own, readers are granted the other columns by name; who is also
granted `hikkoshi_reader_sensitive` sees those too, and nobody sees what is sealed.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from migration_reports.items import Table
from target_schemas.postgres.areas import Area, quote

ISOLATION = "own_municipality"
"""The policy that every table of the data centre has, by which it is known."""


def isolated(area: Area, place: str) -> Iterator[sa.TextClause]:
    """Statements that isolate a table or partition of an area: its own municipality's readers, and the loader.

    The owner is held to the policies too: what the loader may do with all rows is said by a policy of its own, and a
    table that is given another owner does not open for that one.

    Args:
        area: the area.
        place: the table or partition, quoted, wherever it stands at the moment.
    """
    yield sa.text(f"REVOKE ALL ON {place} FROM PUBLIC")
    yield sa.text(f"ALTER TABLE {place} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    yield sa.text(f"CREATE POLICY loader ON {place} TO CURRENT_USER USING (true)")
    # Looked up once a query: nothing in it depends on the row.
    granted = f"rolname ~ '^{area.role}_[0-9]{{6}}$' AND pg_has_role(current_user, oid, 'USAGE')"
    codes = f"ARRAY(SELECT right(rolname, 6) FROM pg_roles WHERE {granted})"  # noqa: S608  a constant of ours
    yield sa.text(
        f"CREATE POLICY {ISOLATION} ON {place} FOR SELECT TO {area.role} USING (municipality_code = ANY ({codes}))"
    )


def readable(area: Area, table: Table) -> frozenset[tuple[str, str]]:
    """Who may read which columns of a table that has guarded ones: pairs of role and column; of another table none.

    Args:
        area: the area.
        table: the table, in the union of its editions.
    """
    access = {column: item.access for item in table.items for column in item.columns}
    if not any(access.values()):
        return frozenset()
    columns = [column.name for column in table.physical.columns]
    seen = frozenset((area.role, name) for name in columns if not access.get(name))
    return seen | {(area.sensitive_role, name) for name in columns if access.get(name) == "sensitive"}


def opened(area: Area, place: str, table: Table | None = None) -> Iterator[sa.TextClause]:
    """Statements that let an area's readers read a table: all of it, or of a guarded one the columns that are not.

    Args:
        area: the area.
        place: the table, quoted.
        table: what its sheet says of it; None: it has no guarded column.
    """
    pairs = readable(area, table) if table is not None else ()
    if not pairs:
        yield sa.text(f"GRANT SELECT ON {place} TO {area.role}")
        return
    yield sa.text(f"REVOKE SELECT ON {place} FROM {area.role}, {area.sensitive_role}")  # noqa: S608  a constant of ours
    for role in sorted({role for role, _ in pairs}):
        columns = ", ".join(quote(name) for other, name in sorted(pairs) if other == role)
        yield sa.text(f"GRANT SELECT ({columns}) ON {place} TO {role}")


def closed(place: str) -> Iterator[sa.TextClause]:
    """Statements that close a table to everybody but its owner, whatever is granted on it: no policy lets a row through.

    Args:
        place: the table, quoted.
    """
    yield sa.text(f"REVOKE ALL ON {place} FROM PUBLIC")
    yield sa.text(f"ALTER TABLE {place} ENABLE ROW LEVEL SECURITY")
