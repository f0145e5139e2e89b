"""`hikkoshi charset`: what the charsets hold, and table files checked and turned into one another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dags.commands._reading_options import pairs_of
from dags.commands._terminal import err, out, visible
from dags.commands.contract import help_with

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(help="A character table file.", exists=True, dir_okay=False)]
Options = Annotated[list[str], typer.Option("--option", help="KEY=VALUE, an option of the charset.")]
FormOptions = Annotated[
    list[str], typer.Option("--form-option", help="KEY=VALUE, an option of the file's form, such as selectors=none.")
]
Form = Annotated[str | None, typer.Option("--form", help="The file's form; recognised, where not given.")]


@app.command(
    "list",
    help=help_with(
        "List the charsets.",
        "hikkoshi charset list",
    ),
)
def list_charsets() -> None:
    """List the charsets."""
    from extractors.charsets import CHARSETS

    table = Table("charset", "what", "profiles", header_style="bold", box=None, pad_edge=False)
    for family in CHARSETS:
        table.add_row(family.name, family.title, ", ".join(family.profiles))
    out.print(table)


@app.command(
    help=help_with(
        "Show a charset as a manifest's options make it: shift codes, areas, codes written otherwise; or single codes.",
        "hikkoshi charset show hitachi --option edition=keis78",
        "hikkoshi charset show fujitsu B0B3 80A1 28",
    )
)
def show(
    name: Annotated[str, typer.Argument(help="The charset.")],
    codes: Annotated[list[str] | None, typer.Argument(help="Codes to look up, hexadecimal.")] = None,
    option: Options = [],
    folder: Annotated[Path, typer.Option("--folder", help="What table files are relative to.")] = Path(),
) -> None:
    """Show a charset."""
    from extractors import charsets
    from extractors.charsets._inventory import span, spans, take_inventory
    from extractors.charsets.contract import scalars
    from extractors.table_files.contract import parse_code

    charset = charsets.load(name, pairs_of(option), folder)
    if codes:
        table = Table("code", "class", "area", "Unicode", "character", header_style="bold", box=None, pad_edge=False)
        for word in codes:
            code = parse_code(word)
            if code is None:
                raise typer.BadParameter(f"`{visible(word[:20])}` is no code; write one to three bytes in hexadecimal")
            single = code[1] == 1
            area = charset.area_of(code[0]) if not single else None
            text = charset.text(code[0], single=single)
            kind = charset.kind(code[0], single=single).name.lower().replace("_", "-")
            table.add_row(word.upper(), kind, area.name if area else "", scalars(text), text)
        out.print(table, markup=False)
        return
    found = take_inventory(charset)
    for key, value in charset.policies.items():
        out.print(f"{key}: {value}", highlight=False)
    shifts = ", ".join(f"{s.code.hex().upper()} {'to pairs' if s.double else 'back'}" for s in charset.shifts)
    out.print(f"shift codes: {shifts or 'none'}", highlight=False)
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in ("area", "first bytes", "second bytes", "codes", "assigned", "user-defined", "undefined", "from"):
        table.add_column(
            column, justify="right" if column in ("codes", "assigned", "user-defined", "undefined") else "left"
        )
    for count in found.areas:
        area = count.area
        where = (area.name, span(area.lead), span(area.low)) if area else ("elsewhere", "", "")
        kinds = {kind.name: n for kind, n in count.classes.items()}
        numbers = (count.codes, count.assigned, kinds.get("USER_DEFINED", 0), kinds.get("UNDEFINED", 0))
        table.add_row(*where, *(f"{n:,}" for n in numbers), area.source if area else "")
    out.print(table, markup=False)
    listed = (
        ("written otherwise", found.one_way),
        ("written as a single byte where a field may hold both", found.narrow),
    )
    for title, codes_written in listed:
        out.print(f"{title}: {len(codes_written):,}", highlight=False)
        for line in spans(codes_written):
            out.print(f"  {line}", highlight=False)
    for note in charset.notes:
        out.print(note, highlight=False)


@app.command(
    help=help_with(
        "Check a table file, and against a charset what it may define.",
        "hikkoshi charset check extended.csv --charset fujitsu",
        "hikkoshi charset check town.ucm",
    )
)
def check(
    file: File,
    charset: Annotated[str | None, typer.Option("--charset", help="The charset that it is layered over.")] = None,
    option: Options = [],
    form: Form = None,
    form_option: FormOptions = [],
) -> None:
    """Check a table file."""
    from extractors import charsets, table_files
    from extractors.charsets._policies import taken_by

    taken = taken_by(charsets.load(charset, pairs_of(option), file.parent)) if charset else None
    table = table_files.read(file, name=str(file), form=form, options=pairs_of(form_option), taken=taken)
    out.print(f"{file}: ok ({len(table.mappings):,} mappings)", highlight=False, soft_wrap=True)


@app.command(
    help=help_with(
        "Turn a table file into another form. With --charset only what the charset leaves open is kept, and what it has itself is compared.",
        "hikkoshi charset convert fujitsu_jef_mapping.json --to csv --charset fujitsu > extended.csv",
        "hikkoshi charset convert unijef.txt --to ucm --out town.ucm",
    )
)
def convert(
    file: File,
    to: Annotated[str, typer.Option("--to", help="The form to write: csv, ucm, jef4j, unijef or hulft.")],
    target: Annotated[
        Path | None, typer.Option("--out", help="Where to write; standard output, where not given.")
    ] = None,
    charset: Annotated[str | None, typer.Option("--charset", help="Keep only what this charset leaves open.")] = None,
    option: Options = [],
    form: Form = None,
    form_option: FormOptions = [],
) -> None:
    """Convert a table file."""
    from extractors import charsets, table_files
    from extractors.charsets._policies import taken_by
    from extractors.table_files.contract import TableFile

    table = table_files.read(file, name=str(file), form=form, options=pairs_of(form_option))
    if charset:
        made = charsets.load(charset, pairs_of(option), file.parent)
        taken = taken_by(made)
        known = [m for m in table.mappings if taken(m.code, m.length) is not None]
        same = sum(made.text(m.code, single=m.length == 1) == _bare(m.text) for m in known)
        table = TableFile(table.name, tuple(m for m in table.mappings if taken(m.code, m.length) is None))
        err.print(
            f"{len(table.mappings):,} mappings kept; {len(known):,} are {charset}'s own, of which {same:,} agree, "
            "variation selectors aside",
            highlight=False,
            soft_wrap=True,
        )
    text, lost = table_files.write(table, form=to)
    if target is None:
        sys.stdout.write(text)
    else:
        target.write_text(text, encoding="utf-8")
    for what, count in lost.items():
        err.print(f"left out, for the form cannot hold them: {count:,} {what}", highlight=False, soft_wrap=True)
    if lost:
        raise typer.Exit(1)


def _bare(text: str) -> str:
    from extractors.table_files.contract import is_selector

    return "".join(character for character in text if not is_selector(character))
