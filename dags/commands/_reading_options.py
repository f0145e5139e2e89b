"""How a command line says whose specs are meant and how a dump is read: options that commands share, and what they come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dags.commands._terminal import err, visible

if TYPE_CHECKING:
    from dags.inspection.reader import Job

Town = Annotated[str, typer.Argument(metavar="MUNICIPALITY", help="A municipality: its folder, code, romaji, or path.")]
Dumps = Annotated[
    list[Path], typer.Argument(help="The dump: one file, or several in order.", exists=True, dir_okay=False)
]
Copybook = Annotated[
    Path,
    typer.Option(
        "--layout",
        help="The COBOL copybook of the records, or the sheet of columns (.csv) of rows.",
        exists=True,
        dir_okay=False,
    ),
]
CharsetName = Annotated[str, typer.Option("--charset", help="The charset; see docs/reference/charsets.md.")]
OptionalCopybook = Annotated[
    Path | None,
    typer.Option(
        "--layout",
        help="The COBOL copybook of the records, or the sheet of columns (.csv) of rows.",
        exists=True,
        dir_okay=False,
    ),
]
OptionalCharset = Annotated[str | None, typer.Option("--charset", help="The charset; see docs/reference/charsets.md.")]
FramingName = Annotated[
    str, typer.Option("--framing", help="How records lie in the dump; see docs/reference/reader.md.")
]
DialectName = Annotated[
    str | None,
    typer.Option(
        "--dialect", help="The compiler whose rules the copybook follows; that of the charset's maker (or ibm)."
    ),
]
ContainerName = Annotated[
    str | None, typer.Option("--container", help="What the file is wrapped in, such as gzip or awstape.")
]
Options = Annotated[
    list[str],
    typer.Option("--option", help="KEY=VALUE for framing, charset, dialect, container or dump, such as table=FILE."),
]
Kinds = Annotated[
    list[str],
    typer.Option("--kind", help="NAME=FIELD:VALUES:GROUP, a record kind, or NAME<PARENT=...; may be repeated."),
]
Library = Annotated[
    list[Path], typer.Option("--library", help="A folder of COPY texts; may be repeated.", exists=True, file_okay=False)
]
Replaced = Annotated[
    list[str],
    typer.Option("--replace", help="':TAG:=WORD', what stands for a tag of the copybook; may be repeated."),
]
Fields = Annotated[
    list[str],
    typer.Option(
        "--field",
        help="NAME=bytes, NAME=text or NAME=text:CHARSET, a field that is read apart from its picture; may be repeated.",
    ),
]


def pairs_of(options: list[str], said: str = "--option") -> dict[str, str]:
    """KEY=VALUE words, said by an option, as a mapping."""
    pairs: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"`{visible(option[:60])}` is not KEY=VALUE", param_hint=said)
        pairs[key] = value
    return pairs


def job_of(
    dumps: list[Path],
    layout: Path,
    charset: str,
    framing: str,
    dialect: str | None,
    container: str | None,
    options: list[str],
    kinds: list[str],
    library: list[Path],
    replace: list[str],
    fields: list[str],
) -> Job:
    """Prove what a command line says of a dump.

    Raises:
        SpecError: something cannot be used.
    """
    from dags.inspection import reader
    from extractors.containers import CONTAINERS
    from extractors.reading import Apart, Choice, Spoken

    if framing == "fixed" and any(box.name == container and box.rows for box in CONTAINERS):
        framing = "cells"
    wrapped = Choice(container) if container else None
    replacing = pairs_of(replace, "--replace")
    said = Choice(dialect) if dialect else None
    apart: dict[str, Apart] = {}
    for name, how in pairs_of(fields, "--field").items():
        form, _, own = how.partition(":")
        if form not in ("text", "bytes"):
            raise typer.BadParameter(
                f"`{visible(how[:60])}` is none of bytes, text, text:CHARSET", param_hint="--field"
            )
        apart[name] = Apart("text" if form == "text" else "bytes", Choice(own) if own else None)
    spoken = Spoken(Choice(framing), Choice(charset), said, wrapped, replacing=replacing, fields=apart)
    return reader.make_job(dumps, layout=layout, spoken=spoken, options=pairs_of(options), kinds=kinds, library=library)


def warn_of_layout(job: Job) -> None:
    """Say how the copybook was read otherwise than it stands, and warn of views that nobody chose between."""
    for note in job.reading.layout.notes:
        err.print(f"note: {note}", highlight=False, markup=False, emoji=False, soft_wrap=True)
    views = [name for name, item in job.reading.layout.groups().items() if item.redefines and name != "FILLER"]
    if views and not any(kind.group for kind in job.kinds):
        err.print(
            f"the layout describes the same bytes several times ({', '.join(views)} REDEFINES); every view is decoded. "
            "Say which records are which with --kind NAME=FIELD:VALUES:GROUP.",
            highlight=False,
            soft_wrap=True,
        )
