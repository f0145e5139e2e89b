"""`hikkoshi diff`: what a changed mapping does to a dump."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dags.commands._terminal import err, out, visible

if TYPE_CHECKING:
    from dags.authoring.difference import TableChange

EXAMPLES = (
    "hikkoshi diff ../before/mappings/municipalities/990027_mihon mappings/municipalities/990027_mihon",
    "hikkoshi diff mihon --against ../before",
)


def diff(
    old: Annotated[str, typer.Argument(help="The municipality's folder as it was; with --against, a municipality.")],
    new: Annotated[str | None, typer.Argument(help="Its folder as it is.")] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="A checkout or folder with the municipality as it was.", exists=True),
    ] = None,
    dump: Annotated[
        list[Path],
        typer.Option(
            "--dump", help="A dump file, where not that of the inbox; may be repeated.", exists=True, dir_okay=False
        ),
    ] = [],
    inbox: Annotated[
        Path | None, typer.Option("--inbox", help="Where the dumps lie, where not in the usual inbox.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values: personal data will be on your screen.")
    ] = False,
) -> None:
    """Compare two mappings."""
    from dags.authoring import difference as work
    from dags.pipeline.folders import one_folder
    from dags.pipeline.run_folder import settings
    from dags.pipeline.town import load

    if (new is None) == (against is None):
        raise typer.BadParameter("two folders, or one municipality and --against", param_hint="NEW")
    if against is not None:
        after = one_folder(old)
        before = work.municipality_in(against, after.name)
    else:
        before, after = Path(old), Path(new or "")
        for folder in (before, after):
            if not folder.is_dir():
                raise typer.BadParameter(f"there is no folder {visible(str(folder))}", param_hint="OLD NEW")
    where = inbox or settings().inbox(after.resolve().name)
    with err.status("") if err.is_terminal else contextlib.nullcontext() as status:
        made = work.compare(
            load(before), load(after), inbox=where, files=dump,
            progress=lambda text: status.update(Text(visible(text))) if status is not None else None,
        )  # fmt: skip
    for table in made.tables:
        _show_table(table, reveal=reveal)
    if made.findings:
        out.print("findings", style="bold", highlight=False)
    for f in made.findings:
        counts = [f"{n:,} {what}" for n, what in ((f.gone, "gone"), (f.added, "new")) if n]
        out.print(
            f"  {f.code} {f.severity:<6} {f.where:<32} {', '.join(counts)}{_records(f.records)}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    if made.differs:
        raise typer.Exit(1)
    out.print(f"no difference: {', '.join(made.dumps)}", highlight=False, markup=False)


def _show_table(table: TableChange, *, reveal: bool) -> None:
    out.print(f"{table.name}: {table.old:,} rows, now {table.new:,}", style="bold", highlight=False, markup=False)
    for count, what, records in (
        (table.gone, "only in old", table.gone_records),
        (table.added, "only in new", table.added_records),
        (table.changed, "changed", []),
    ):
        if count:
            out.print(f"  {count:,} {what}{_records(records)}", highlight=False, markup=False, soft_wrap=True)
    for column in table.columns.values():
        name = "which row of a key stands" if column.name == "_rank" else column.name
        out.print(
            f"    {name:<30} {column.count:,}{_records(column.records)}", highlight=False, markup=False, soft_wrap=True
        )
        for before, after in column.values if reveal else ():
            out.print(f"      {before}  ->  {after}", highlight=False, markup=False, soft_wrap=True)


def _records(places: Sequence[tuple[str, int]]) -> str:
    """The first records, by dump."""
    dumps: dict[str, list[str]] = {}
    for dump, record in places:
        dumps.setdefault(dump, []).append(f"{record:,}")
    return "".join(f"  first in {dump}: {', '.join(records)}" for dump, records in dumps.items())
