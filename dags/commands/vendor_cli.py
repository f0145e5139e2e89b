"""Commands for whoever writes a mapping: draft, test, explain, diff."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dags.commands.reading_options import (
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
from dags.commands.terminal import err, help_with, out, visible
from migration_reports.findings import Problem, SpecError

if TYPE_CHECKING:
    from dags.authoring.difference import TableChange
    from target_schemas.conventions import System

app = typer.Typer()


@app.command(
    help=help_with(
        "Draft a first mapping from a copybook: guesses with their reasons, and what nobody has decided.",
        "hikkoshi draft juki.cpy --system resident_records",
        "hikkoshi draft juki.cpy --system resident_records --dump juki.dat --charset hitachi --framing blocked --out 990060_midori",
    )
)
def draft(
    copybook: Annotated[Path, typer.Argument(help="The COBOL copybook.", exists=True, dir_okay=False)],
    system: Annotated[str, typer.Option("--system", help="The target system; see docs/reference/systems.md.")],
    dump: Annotated[
        list[Path],
        typer.Option(
            "--dump", help="The dump, whose contents are looked at; may be repeated.", exists=True, dir_okay=False
        ),
    ] = [],  # noqa: B006  typer reads the default, nobody changes it
    charset: OptionalCharset = None,
    framing: FramingName = "fixed",
    dialect: DialectName = None,
    container: ContainerName = None,
    option: Options = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    library: Library = [],  # noqa: B006
    replace: Replaced = [],  # noqa: B006
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="The municipality's new folder, CODE_romaji; standard output, where not given."),
    ] = None,
) -> None:
    """Draft a mapping."""
    from dags.authoring import draft as work  # noqa: PLC0415
    from dags.authoring import draft_text  # noqa: PLC0415
    from dags.inspection import reader  # noqa: PLC0415
    from extractors.reading import Choice, Spoken  # noqa: PLC0415

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


@app.command(
    help=help_with(
        "Print a JSON Schema, with which an editor completes and checks a file.",
        "hikkoshi schema mapping > mapping.schema.json",
        "hikkoshi schema manifest > manifest.schema.json",
    )
)
def schema(
    name: Annotated[str, typer.Argument(metavar="NAME", help="manifest, mapping, package or differences.")],
) -> None:
    """Print a schema."""
    from dags.authoring.schemas import SCHEMAS  # noqa: PLC0415

    if name not in SCHEMAS:
        raise typer.BadParameter(f"one of {', '.join(SCHEMAS)}", param_hint="NAME")
    sys.stdout.write(json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=1) + "\n")


def _system(name: str) -> System:
    from target_schemas.systems import SYSTEMS  # noqa: PLC0415

    found = next((system for system in SYSTEMS if system.name == name), None)
    if found is None:
        known = ", ".join(f"`{s.name}`" for s in SYSTEMS)
        raise typer.BadParameter(f"there is no target system `{name[:60]}`; there are: {known}", param_hint="--system")
    return found


@app.command(
    "test",
    help=help_with(
        "Run the examples beside the mappings (examples.yaml): a record in, rows or findings out.",
        "hikkoshi test",
        "hikkoshi test mihon",
    ),
)
def run_tests(
    municipality: Annotated[
        str | None, typer.Argument(help="One municipality, or the path of its folder; all, where not given.")
    ] = None,
) -> None:
    """Run examples."""
    from dags.authoring import examples  # noqa: PLC0415
    from dags.pipeline.folders import municipality_folders  # noqa: PLC0415
    from dags.pipeline.municipality import load  # noqa: PLC0415

    folders = municipality_folders(municipality)
    differ = count = 0
    problems: list[Problem] = []
    for folder in folders:
        try:
            tried = examples.run_examples(load(folder))
        except SpecError as error:
            problems.extend(error.problems)
            continue
        out.print(f"{folder.name}: {len(tried)} examples", style="bold", highlight=False, markup=False)
        for example in tried:
            count += 1
            if not example.differences:
                left = f"  ({', '.join(example.left_out)}: not filled here)" if example.left_out else ""
                out.print(f"  ok       {example.name}{left}", highlight=False, markup=False, soft_wrap=True)
                continue
            differ += 1
            out.print(f"  differs  {example.name}  ({example.place})", highlight=False, markup=False, soft_wrap=True)
            for line in example.differences:
                out.print(f"             {line}", highlight=False, markup=False, soft_wrap=True)
    if problems:
        raise SpecError(problems)
    if not count:
        err.print("there are no examples; write examples.yaml beside the mapping", highlight=False)
    elif differ:
        err.print(f"{differ} of {count} examples differ", highlight=False)
    if differ:
        raise typer.Exit(1)


@app.command(
    help=help_with(
        "Explain a column: the way from dump bytes to it, and the line that says so; without a column, the whole mapping; "
        "or a code of a problem or a finding.",
        "hikkoshi explain mihon residents.birth",
        "hikkoshi explain mihon residents.birth --record 12",
        "hikkoshi explain tehon",
        "hikkoshi explain Y022",
    )
)
def explain(
    municipality: Annotated[
        str,
        typer.Argument(
            metavar="MUNICIPALITY|CODE",
            help="A municipality: its folder, code, romaji, or path; or a code such as Y022.",
        ),
    ],
    column: Annotated[
        str | None, typer.Argument(help="table.column, or a column that only one table has; a date by its name.")
    ] = None,
    record: Annotated[
        int | None, typer.Option("--record", min=1, help="Follow this record of the dump, value by value, masked.")
    ] = None,
    inbox: Annotated[
        Path | None, typer.Option("--inbox", help="Where the dumps lie, where not in the usual inbox.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values: personal data will be on your screen.")
    ] = False,
) -> None:
    """Explain a column."""
    from dags.authoring import explain as work  # noqa: PLC0415
    from dags.pipeline.folders import one_folder  # noqa: PLC0415
    from dags.pipeline.municipality import load  # noqa: PLC0415
    from dags.pipeline.workspace import settings  # noqa: PLC0415

    if column is None and (told := work.code(municipality)):
        sys.stdout.writelines(f"{line}\n" for line in told)
        return
    folder = one_folder(municipality)
    town = load(folder)
    if column is None:
        if record is not None:
            raise typer.BadParameter("a record is followed into a column", param_hint="COLUMN")
        sys.stdout.writelines(f"{visible(line)}\n" for line in work.merged(town))
        return
    table, name = work.column_of(town, column)
    sections = list(work.explain(town, table, name))
    if record is not None:
        where = inbox or settings().inbox(folder.name)
        sections += work.explain_record(town, table, name, record=record, inbox=where, reveal=reveal)
    for section in sections:
        out.print(section.title, style="bold", highlight=False, markup=False, soft_wrap=True)
        for label, said in section.lines:
            out.print(f"    {label:<20} {said}", highlight=False, markup=False, soft_wrap=True)
    if record is not None and not reveal:
        err.print("values are masked; --reveal shows them", highlight=False)


@app.command(
    help=help_with(
        "Tell what a changed mapping does to a dump: rows, columns and findings that differ; no values, unless --reveal.",
        "hikkoshi diff ../before/mappings/municipalities/990027_mihon mappings/municipalities/990027_mihon",
        "hikkoshi diff mihon --against ../before",
    )
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
    ] = [],  # noqa: B006  typer reads the default, nobody changes it
    inbox: Annotated[
        Path | None, typer.Option("--inbox", help="Where the dumps lie, where not in the usual inbox.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values: personal data will be on your screen.")
    ] = False,
) -> None:
    """Compare two mappings."""
    from dags.authoring import difference as work  # noqa: PLC0415
    from dags.pipeline.folders import one_folder  # noqa: PLC0415
    from dags.pipeline.municipality import load  # noqa: PLC0415
    from dags.pipeline.workspace import settings  # noqa: PLC0415

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
