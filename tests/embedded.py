"""An embedded PostgreSQL for the length of a block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from target_schemas.postgres.server import embedded_url, stop


@contextlib.contextmanager
def embedded_server(folder: Path, *, durable: bool = True, delete: bool = False) -> Iterator[str]:
    """Run the server of a folder; yields its URL."""
    try:
        yield embedded_url(folder, durable=durable)
    finally:
        stop(folder, delete=delete)
