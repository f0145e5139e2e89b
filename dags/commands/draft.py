"""`hikkoshi draft`: a first mapping, of a copybook and a dump."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dags.commands._reading_options import (
    ContainerName,
    DialectName,
    FramingName,
    Kinds,
    Library,
    OptionalCharset,
    Options,
    Replaced,
    pairs_of,
    warn_of_layout,
)
from dags.commands._terminal import err, out, visible

if TYPE_CHECKING:
    from target_schemas.model import System

EXAMPLES = (
    "hikkoshi draft juki.cpy --system resident_records",
    "hikkoshi draft juki.cpy --system resident_records --dump juki.dat --charset hitachi --framing blocked --out 990060_midori",
)


def draft(
    copybook: Annotated[Path, typer.Argument(help="The COBOL copybook.", exists=True, dir_okay=False)],
    system: Annotated[str, typer.Option("--system", help="The target system; see docs/reference/systems.md.")],
    dump: Annotated[
        list[Path],
        typer.Option(
            "--dump", help="The dump, whose contents are looked at; may be repeated.", exists=True, dir_okay=False
        ),
    ] = [],
    charset: OptionalCharset = None,
    framing: FramingName = "fixed",
    dialect: DialectName = None,
    container: ContainerName = None,
    option: Options = [],
    kind: Kinds = [],
    library: Library = [],
    replace: Replaced = [],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The municipality's folder, CODE_romaji, in which the system's is made; standard output, where not given.",
        ),
    ] = None,
) -> None:
    """Draft a mapping."""
    from dags.authoring import draft as work
    from dags.authoring import draft_text
    from dags.inspection import reader
    from extractors.reading import Choice, Spoken

    if dump and charset is None:
        raise typer.BadParameter(
            "a dump needs a charset; `hikkoshi diagnose DUMP` finds it out", param_hint="--charset"
        )
    if folder is not None and not re.fullmatch(r"[0-9]{6}_[a-z0-9_]+", folder.name):
        raise typer.BadParameter(
            f"`{visible(folder.name)}` is not CODE_romaji, such as 990060_midori", param_hint="--out"
        )
    target = _system(system)
    spoken = Spoken(
        Choice(framing),
        Choice(charset or "ibm"),
        Choice(dialect) if dialect else None,
        Choice(container) if container else None,
        replacing=pairs_of(replace, "--replace"),
    )
    options = pairs_of(option)
    if dump:
        job = reader.make_job(dump, layout=copybook, spoken=spoken, options=options, kinds=kind, library=library)
        warn_of_layout(job)
        made = work.draft_of_dump(job, copybook, target, spoken=spoken, options=options)
    else:
        kinds = [reader.parse_kind(text) for text in kind]
        made = work.draft_of_copybook(copybook, target, spoken=spoken, options=options, kinds=kinds, library=library)
    if folder is None:
        for name, text in draft_text.files_of(made, draft_text.STUB, copybook).items():
            sys.stdout.write(f"# ---- {name}\n{text}\n")
    else:
        for path in draft_text.write(made, folder, copybook):
            out.print(str(path), highlight=False, soft_wrap=True)
    columns = sum(len(part.filled.guesses) for part in made.parts)
    open_fields = sum(entry.reason == "?" for left in made.left.values() for entry in left)
    err.print(
        f"{columns} columns of {len(made.parts)} tables guessed, {open_fields} fields undecided; "
        "confirm what is right by `hikkoshi accept`, decide each ?, and ask `hikkoshi check`",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _system(name: str) -> System:
    from target_schemas.systems import SYSTEMS

    found = next((system for system in SYSTEMS if system.name == name), None)
    if found is None:
        known = ", ".join(f"`{s.name}`" for s in SYSTEMS)
        raise typer.BadParameter(f"there is no target system `{name[:60]}`; there are: {known}", param_hint="--system")
    return found
