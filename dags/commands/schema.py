"""`hikkoshi schema`: for an editor that completes and checks what is written."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

EXAMPLES = (
    "hikkoshi schema mapping > mapping.schema.json",
    "hikkoshi schema manifest > manifest.schema.json",
)


def schema(
    name: Annotated[str, typer.Argument(metavar="NAME", help="manifest, mapping, package, differences or system.")],
) -> None:
    """Print a schema."""
    from dags.authoring.schemas import SCHEMAS

    if name not in SCHEMAS:
        raise typer.BadParameter(f"one of {', '.join(SCHEMAS)}", param_hint="NAME")
    sys.stdout.write(json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=1) + "\n")
