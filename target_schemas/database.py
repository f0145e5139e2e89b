"""Reaching the database: engines, the URL for ADBC, and what is said of a server that is away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import adbc_driver_manager
import sqlalchemy as sa

from migration_reports.findings import TransientError


def adbc_uri(url: str) -> str:
    """The libpq URI of a SQLAlchemy URL, for ADBC."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def connect(url: str) -> sa.Engine:
    """An engine without a pool: runs are few and long, and task processes must not share connections."""
    return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)


@contextlib.contextmanager
def away(url: str) -> Iterator[None]:
    """Grade what a database says: away (try again later), or refusing (a bug or a full disk; its words stay here).

    A refusal's details quote the row that was refused, so only its class, table and constraint are passed on; a
    password never is.

    Raises:
        TransientError: the server cannot be reached, or is going down.
        RuntimeError: it refused a statement.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _graded(url, getattr(error.orig, "sqlstate", None), error.orig, type(error)) from None
    except adbc_driver_manager.Error as error:
        raise _graded(url, error.sqlstate, error, type(error)) from None


def _graded(url: str, sqlstate: str | None, error: object, kind: type[Exception]) -> Exception:
    parsed = sa.make_url(url)
    place = parsed.query.get("host") or f"{parsed.host}:{parsed.port or 5432}"
    unreachable = not sqlstate and (
        issubclass(kind, (sa.exc.OperationalError, sa.exc.InterfaceError)) or "connect" in str(error).lower()
    )
    if unreachable or (sqlstate or "").startswith(("08", "57P")):
        return TransientError(
            f"the database {parsed.database} at {place} is away. "
            "Check that the server runs and that HIKKOSHI_DATABASE_URL is right; then run again, nothing was lost."
        )
    diagnosis = getattr(error, "diag", None)
    names = [getattr(diagnosis, name, None) for name in ("table_name", "constraint_name")]
    about = "".join(f", {name}" for name in names if name)
    return RuntimeError(f"the database {parsed.database} at {place} refused a statement: SQLSTATE {sqlstate}{about}")
