"""`hikkoshi report`: the reports of a run, written again."""

from __future__ import annotations

from typing import Annotated

import typer

from dags.commands._terminal import out

EXAMPLES = ("hikkoshi report 990027-r01-20261123T094523-967f",)


def report(run_id: Annotated[str, typer.Argument(help="The run; `hikkoshi runs` lists them.")]) -> None:
    """Write reports again."""
    from dags import runs

    for path in runs.render_again(run_id):
        out.print(str(path), highlight=False, soft_wrap=True)
