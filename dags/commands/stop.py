"""`hikkoshi stop`: the embedded PostgreSQL of this checkout, stopped."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = (
    "hikkoshi stop",
    "hikkoshi stop --delete",
)


def stop(
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove its data too: everything that was promoted.")
    ] = False,
) -> None:
    """Stop the embedded server."""
    from dags.pipeline.run_folder import settings
    from target_schemas.postgres import server

    server.stop(settings().home, delete=delete)
