"""`hikkoshi profile`: how every field of a dump is really used, as a table, a page or JSON."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dags.commands._reading_options import (
    ContainerName,
    DialectName,
    Fields,
    FramingName,
    Kinds,
    Library,
    OptionalCharset,
    OptionalCopybook,
    Options,
    Replaced,
    job_of,
    warn_of_layout,
)
from dags.commands._terminal import Terminal, err, progress, visible

if TYPE_CHECKING:
    from dags.inspection.profile import Source
    from migration_reports.records.profile_record import FieldProfile, Profile

EXAMPLES = (
    "hikkoshi profile setai_kojin.dat --layout setai_kojin.cpy --charset ibm --kind person=SK-KBN:K:SK-KOJIN",
    "hikkoshi profile --municipality mihon",
    "hikkoshi profile --municipality mihon juki_master --format html --out profile.html",
)
FORMATS = ("table", "html", "json")


def profile(
    dump: Annotated[
        list[str] | None,
        typer.Argument(help="The dump: one file, or several in order; with --municipality a dump of its manifest."),
    ] = None,
    layout: OptionalCopybook = None,
    charset: OptionalCharset = None,
    framing: FramingName = "fixed",
    dialect: DialectName = None,
    container: ContainerName = None,
    option: Options = [],
    kind: Kinds = [],
    library: Library = [],
    replace: Replaced = [],
    field: Fields = [],
    municipality: Annotated[
        str | None,
        typer.Option("--municipality", help="Read the dump as this municipality's manifest says, from its inbox."),
    ] = None,
    inbox: Annotated[
        Path | None, typer.Option("--inbox", help="Where the municipality's dumps lie, where not in the usual inbox.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="table, html or json.")] = "table",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="The file to write; standard output, where not given.")
    ] = None,
) -> None:
    """Profile a dump."""
    from dags.inspection import profile as work

    if form not in FORMATS:
        raise typer.BadParameter("one of table, html, json", param_hint="--format")
    if municipality is not None:
        source = _of_municipality(municipality, dump or [], inbox)
    else:
        source = _of_files(
            dump or [], layout, charset, framing, dialect, container, option, kind, library, replace, field
        )
    with progress(source.name) as tell:
        made = work.profile(source, progress=tell)
    if form == "table":
        # Wide enough for a line a field where nobody's window says how wide.
        width = None if sys.stdout.isatty() and out_file is None else 200
        if out_file is None:
            _show(made, Terminal(width=width))
            return
        written = io.StringIO()
        _show(made, Terminal(width=width, file=written))
        text = written.getvalue()
    elif form == "html":
        from migration_reports.pages.render import render_profile

        text = render_profile(made)
    else:
        text = made.model_dump_json(indent=1) + "\n"
    if out_file is None:
        sys.stdout.write(text)
        return
    from migration_reports.private_files import write_whole

    write_whole(out_file, text.encode())
    err.print(f"{out_file}: {made.records:,} records, {len(made.fields):,} fields", highlight=False, soft_wrap=True)


def _of_municipality(name: str, dumps: list[str], inbox: Path | None) -> Source:
    from dags.inspection import profile as work
    from dags.pipeline.folders import one_folder
    from dags.pipeline.run_folder import settings
    from dags.pipeline.town import load

    folder = one_folder(name)
    town = load(folder)
    if len(dumps) > 1 or (not dumps and len(town.dumps) > 1):
        raise typer.BadParameter(f"name one dump: {', '.join(town.dumps)}", param_hint="DUMP")
    chosen = dumps[0] if dumps else next(iter(town.dumps))
    return work.of_municipality(town, chosen, inbox or settings().inbox(folder.name))


def _of_files(
    dumps: list[str],
    layout: Path | None,
    charset: str | None,
    framing: str,
    dialect: str | None,
    container: str | None,
    option: list[str],
    kind: list[str],
    library: list[Path],
    replace: list[str],
    field: list[str],
) -> Source:
    from dags.inspection import profile as work

    files = [Path(name) for name in dumps]
    if not files:
        raise typer.BadParameter("a dump file, or --municipality", param_hint="DUMP")
    for file in files:
        if not file.is_file():
            raise typer.BadParameter(f"there is no file {visible(str(file))}", param_hint="DUMP")
    if layout is None or charset is None:
        missing = "--layout" if layout is None else "--charset"
        raise typer.BadParameter("a dump file needs --layout and --charset", param_hint=missing)
    job = job_of(files, layout, charset, framing, dialect, container, option, kind, library, replace, field)
    warn_of_layout(job)
    return work.of_job(job)


def _show(made: Profile, console: Terminal) -> None:
    of = f"{made.municipality.name} ({made.municipality.code})  " if made.municipality else ""
    console.print(
        f"{of}{made.dump}: {made.records:,} records, {made.bytes:,} bytes", style="bold", highlight=False, markup=False
    )
    for count, what in ((made.of_no_kind, "records of no known kind"), (made.bytes_left_over, "bytes left over")):
        if count:
            console.print(f"  {count:,} {what}", style="red", highlight=False)
    if made.unmapped:
        console.print("\nfilled but mapped nowhere", style="bold red", highlight=False)
        console.print(_table(made.unmapped, kinds=True))
    for kind in made.kinds:
        rest = tuple(f for f in made.fields if f.kind == kind.name and not f.unmapped_but_filled)
        console.print(f"\n{kind.name}: {kind.records:,} records", style="bold", highlight=False, markup=False)
        console.print(_table(rest, kinds=False))
    if any(not f.distinct_exact for f in made.fields):
        console.print("~ approximate, within about 2 per cent", highlight=False)


def _table(fields: tuple[FieldProfile, ...], *, kinds: bool) -> Table:
    mapped = any(f.targets is not None for f in fields)
    table = Table(header_style="bold", box=None, pad_edge=False)
    names = ["kind"] if kinds else []
    names += ["field", "PICTURE", "filled", "zero", "blank", "invalid", "distinct", "length", "patterns", "looks like"]
    names += ["gaiji", *(["target"] if mapped else [])]
    numbers = ("filled", "zero", "blank", "invalid", "distinct", "length", "gaiji")
    for name in names:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for f in fields:
        patterns = "\n".join(
            f"{escape(p.shape)} [dim]{'≥' if p.more else ''}{_percent(p.count, f.valid)}[/dim]" for p in f.patterns[:3]
        )
        cells = [escape(f.kind)] if kinds else []
        cells += [
            f"[bold]{escape(f.field)}[/bold]" + (f"\n[dim]in {escape(f.table)}[/dim]" if f.table else ""),
            escape(f.picture),
            f"{f.filled:,}" if f.filled else "–",
            f"{f.valid - f.filled:,}" if f.valid > f.filled else "",
            f"{f.blank:,}" if f.blank else "",
            f"[red]{f.invalid:,}[/red]" if f.invalid else "",
            ("" if f.distinct_exact else "~") + f"{f.distinct:,}" if f.distinct else "",
            _span(f),
            patterns,
            _looks(f),
            f"{sum(g.count for g in f.gaiji):,}" if f.gaiji else "",
        ]
        if mapped:
            nowhere = "[red]nowhere[/red]" if f.unmapped_but_filled else ""
            cells.append(escape(", ".join(f.targets or ())) or nowhere or f"[dim]{escape(f.ignored_because)}[/dim]")
        table.add_row(
            *(Text.from_markup(visible(cell), emoji=False) for cell in cells),
            style=None if f.filled or f.invalid else "dim",
        )
    return table


def _span(f: FieldProfile) -> str:
    low, high = (f.shortest, f.longest) if f.type == "text" else (f.fewest_digits, f.most_digits)
    return "" if low is None else f"{low}" if low == high else f"{low}–{high}"


def _looks(f: FieldProfile) -> str:
    lines = []
    for d in f.detections[:1]:
        choices = f" ({' or '.join(d.choices)})" if len(d.choices) > 1 else ""
        lines.append(f"{d.title}{choices} [dim]{d.confidence:.0%}[/dim]")
    for date in f.dates[:1]:
        years = "" if date.first_year is None else f", {date.first_year}–{date.last_year}"
        lines.append(f"[dim]{date.reading}{years}[/dim]")
    if f.no_dates:
        lines.append(f"[dim]no date: {f.no_dates:,}[/dim]")
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    """A share, cut and not rounded: 100% is said of all only."""
    if 0 < part * 1000 < whole:
        return "<0.1%"
    return f"{part * 1000 // max(whole, 1) / 10:g}%"
