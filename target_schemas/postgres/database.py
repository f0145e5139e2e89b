"""Reaching the database: engines, the URL for ADBC, transactions that wait for nobody long, and grades of its errors."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import adbc_driver_manager
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg as dialect

from migration_reports.trouble import RunError, TransientError
from target_schemas.model import SHARED
from target_schemas.postgres.roles import ISOLATION

LOCK_SECONDS = 3
"""How long a change waits for each lock. Whoever comes to read meanwhile waits behind it, so it is short."""

_AWAY = ("08", "53300", "57P")
_BUSY = ("55P03", "40P01", "40001")
_MISSING_RIGHT = "42501"

_NOT_LET_IN = (
    (r"authentication failed|no password supplied|認証に失敗", "its password is wrong or missing"),
    (r"pg_hba\.conf", "the server's pg_hba.conf has no line for it"),
    (r"not permitted to log in|ログイン.*許可", "it is a role that may not log in"),
    (r"database .* does not exist|データベース.*存在しません", "there is no such database"),
    (r"role .* does not exist|ロール.*存在しません", "there is no such role"),
    (r"certificate verify failed|SSL was required", "the two do not agree about TLS"),
)
"""What a server says to whom it does not let in. It gives no SQLSTATE then, and speaks English or Japanese here."""


def adbc_uri(url: str) -> str:
    """The libpq URI of a SQLAlchemy URL, for ADBC: what psycopg would be given, each value percent-encoded."""
    _, given = dialect.dialect().create_connect_args(sa.make_url(url))  # type: ignore[no-untyped-call]
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    return "postgresql://?" + urlencode({k: v for k, v in given.items() if k in known}, quote_via=quote, safe="/")


def connect(url: str) -> sa.Engine:
    """An engine without a pool: runs are few and long, and task processes must not share connections."""
    return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)


@contextlib.contextmanager
def reach(url: str) -> Iterator[tuple[sa.Engine, str]]:
    """A database and its URL, for Great Expectations and for ADBC.

    Raises:
        TransientError: it is away.
    """
    with away(url):
        yield connect(url), url


@contextlib.contextmanager
def briefly(engine: sa.Engine, doing: str) -> Iterator[sa.Connection]:
    """A transaction that changes what others read: it waits for each lock a few seconds, or else undoes itself.

    Args:
        engine: the database.
        doing: what is done, for the message.

    Raises:
        TransientError: others hold what it needs; it says who.
    """
    try:
        with engine.begin() as connection:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            yield connection
    except sa.exc.DBAPIError as error:
        if _sqlstate(error) not in _BUSY:
            raise
        raise TransientError(
            f"{doing} waits for tables that others use{_users(engine)}. Nothing was changed. "
            "Try again when they have ended; a DBA ends one with SELECT pg_terminate_backend(PROCESS)."
        ) from None


@contextlib.contextmanager
def away(url: str) -> Iterator[None]:
    """Grade what a database says: away or busy (try again later), not letting in, or refusing a statement.

    A refusal's details quote the row that was refused, so only its class, table and constraint are passed on; a
    password never is.

    Raises:
        TransientError: the server cannot be reached, is going down, or others hold what is needed.
        RunError: it does not let this role in, or the role lacks a right.
        RuntimeError: it refused a statement: a bug, or a full disk.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _graded(url, _sqlstate(error), error.orig, type(error)) from None
    except adbc_driver_manager.Error as error:
        raise _graded(url, error.sqlstate, error, type(error)) from None


def _graded(url: str, sqlstate: str | None, error: object, kind: type[Exception]) -> Exception:
    parsed = sa.make_url(url)
    place = f"the database {parsed.database} at {parsed.query.get('host') or f'{parsed.host}:{parsed.port or 5432}'}"
    role = parsed.username or "of this operating-system user"
    unreachable = not sqlstate and (
        issubclass(kind, (sa.exc.OperationalError, sa.exc.InterfaceError)) or "connect" in str(error).lower()
    )
    if unreachable or (sqlstate or "").startswith(("28", "3D")):
        for words, why in _NOT_LET_IN:
            if re.search(words, str(error)):
                return RunError(
                    f"{place} does not let the role {role} in: {why}. Nothing was changed. Correct "
                    "HIKKOSHI_DATABASE_URL (special characters of a password as %XX), or ask a DBA; then run again."
                )
    if unreachable or (sqlstate or "").startswith(_AWAY):
        return TransientError(
            f"{place} is away. "
            "Check that the server runs and that HIKKOSHI_DATABASE_URL is right; then run again, nothing was lost."
        )
    if sqlstate in _BUSY:
        return TransientError(f"{place} is busy with another change of the same data. Nothing was changed; try again.")
    if sqlstate == _MISSING_RIGHT:
        return RunError(
            f"{place} does not let the role {role} do this. Nothing was changed. "
            f"A DBA gives the right by: {_grant(str(error), role)}; then run again."
        )
    diagnosis = getattr(error, "diag", None)
    names = [getattr(diagnosis, name, None) for name in ("table_name", "constraint_name")]
    about = "".join(f", {name}" for name in names if name)
    return RuntimeError(f"{place} refused a statement: SQLSTATE {sqlstate}{about}")


def _sqlstate(error: sa.exc.DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _grant(said: str, role: str) -> str:
    """The statement that gives a missing right, as far as the server's words name what it is missing on."""
    to = f'TO "{role}"'
    if found := re.search(r"permission denied for (database|schema) (\S+)", said):
        rights = "CREATE" if found[1] == "database" else "USAGE, CREATE"
        return f"GRANT {rights} ON {found[1].upper()} {found[2]} {to}"
    if "create role" in said:
        return f'ALTER ROLE "{role}" CREATEROLE'
    if found := re.search(r"grant role \"(\w+)\"", said):
        return f"GRANT {found[1]} {to} WITH ADMIN OPTION"
    if found := re.search(r"(?:permission denied for \w+|must be owner of \w+) (\S+)", said):
        return f"GRANT OWNER {to}, where OWNER is the role that owns {found[1]}"
    return f"GRANT OWNER {to}, where OWNER is the role that made the schema joint"


def _users(engine: sa.Engine) -> str:
    """Who holds tables of the data centre at this moment: role and process, for a message."""
    query = sa.text(
        "SELECT DISTINCT coalesce(a.usename, '?'), l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.granted AND l.pid <> pg_backend_pid() AND (n.nspname = ANY(:shared) OR EXISTS "
        "(SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = :policy)) ORDER BY 2 LIMIT 5"
    )
    with contextlib.suppress(sa.exc.DBAPIError), engine.connect() as connection:
        found = connection.execute(query, {"policy": ISOLATION, "shared": ["ledger", SHARED]}).all()
        return " (" + ", ".join(f"role {role}, process {pid}" for role, pid in found) + ")" if found else ""
    return ""
