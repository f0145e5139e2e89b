"""Reaching the database: engines, the URL for ADBC, and what is said of a server that is away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from migration_reports.findings import TransientError


def adbc_uri(url: str) -> str:
    """The libpq URI of a SQLAlchemy URL, for ADBC."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def connect(url: str) -> sa.Engine:
    """An engine without a pool: runs are few and long, and task processes must not share connections."""
    return sa.create_engine(url, poolclass=sa.NullPool)


@contextlib.contextmanager
def away(url: str) -> Iterator[None]:
    """Say of a server that cannot be reached that it is away, and where it was looked for; never with a password."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
        parsed = sa.make_url(url)
        place = parsed.query.get("host") or f"{parsed.host}:{parsed.port or 5432}"
        raise TransientError(
            f"the database {parsed.database} at {place} is away ({type(error.orig).__name__}). "
            "Check that the server runs and that HIKKOSHI_DATABASE_URL is right; then run again, nothing was lost."
        ) from error
