"""The data centre's databases, as the settings name them, and the way to that of a municipality."""

from __future__ import annotations

import contextlib

import sqlalchemy as sa

from dags.pipeline.run_folder import settings
from target_schemas.postgres.database import reach
from target_schemas.postgres.databases import OTHERS, Database, Databases, read_databases


def centre() -> Databases:
    """The databases of the data centre; where none is set, one on the embedded server, which is started.

    Raises:
        SpecError: the file of HIKKOSHI_DATABASES has problems.
    """
    known = settings()
    if known.databases is not None:
        return read_databases(known.databases, others=known.database_url)
    if known.database_url is not None:
        return Databases({}, Database(OTHERS, known.database_url))
    from target_schemas.postgres.server import embedded_url  # noqa: PLC0415  only where no server is named

    return Databases({}, Database(OTHERS, embedded_url(known.home)))


def called(code: str) -> str:
    """How people call the database of a municipality; nothing, where there is one for all."""
    return centre().of(code).name if settings().databases is not None else ""


def reached(code: str) -> contextlib.AbstractContextManager[tuple[sa.Engine, str]]:
    """The database of a municipality and its URL; see `target_schemas.postgres.database.reach`.

    Args:
        code: the municipality's.

    Raises:
        UsageError: it has none.
        TransientError: it is away.
    """
    return reach(centre().of(code).url)
