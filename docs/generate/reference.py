"""`make docs`: the reference pages that are made from the code, so that they cannot say anything else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping

import typer
from typer.core import TyperGroup

from dags.authoring.problems import PROBLEMS, section
from dags.authoring.schemas import SCHEMAS
from dags.commands import COMMANDS
from dags.commands.contract import Command
from dags.pipeline.run_folder import ROOT
from docs.generate.charset_page import page as charsets_page
from docs.generate.features import FEATURES
from docs.generate.system_page import reference_page, sheets_page, system_page
from docs.generate.town_page import page as town_page
from extractors.containers import CONTAINERS
from extractors.dialects import DIALECTS
from extractors.dialects.contract import OPTIONS as RULES_OF_DIALECTS
from extractors.framings import FRAMINGS
from extractors.reading import OPTIONS as DUMP_OPTIONS
from extractors.usages import USAGES
from mappings.transforms import TRANSFORMS
from migration_reports.catalogue import CATALOGUE
from target_schemas.reference_tables import REFERENCE_TABLES
from target_schemas.systems import SYSTEMS
from validators.instances import BY_NAME
from validators.shapes import BESIDE, FUNCTIONS, NUMBERINGS, SHAPES, WRITTEN_AS
from validators.shapes.contract import COMMON, Parameter, Shape

FOLDER = ROOT / "docs" / "reference"


def pages() -> Mapping[str, str]:
    """The pages by file name."""
    return {
        "commands.md": _commands(),
        "findings.md": _findings(),
        "problems.md": _problems(),
        "reader.md": _reader(),
        "charsets.md": _text(charsets_page()),
        "transforms.md": _members("Transforms", ((t.name, t.doc) for t in TRANSFORMS)),
        "rules.md": _rules(),
        "systems.md": _systems(),
        "sheets.md": _text(sheets_page()),
        "town.md": _text(town_page()),
        **{f"{name}.schema.json": _json(make()) for name, make in SCHEMAS.items()},
    }


def _first(doc: str) -> str:
    return doc.strip().partition("\n")[0]


def _json(schema: Mapping[str, object]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _commands() -> str:
    lines = ["# Commands", "", "What each says when it is asked by `--help`."]
    for about in dict.fromkeys(command.about for command in COMMANDS):
        lines += ["", f"## {about}"]
        for command in COMMANDS:
            if command.about == about:
                for name, text in helps(command):
                    lines += ["", f"### {name}", "", "```", text.rstrip(), "```"]
    return _text(lines)


def helps(command: Command) -> Iterator[tuple[str, str]]:
    """What a command, and each command of a group, says when it is asked by `--help`, 100 columns wide."""
    called = f"hikkoshi {command.name}"
    loaded = command.load()
    context = typer.Context(loaded, info_name=called, terminal_width=100)
    yield called, loaded.get_help(context)
    for name, member in loaded.commands.items() if isinstance(loaded, TyperGroup) else ():
        inner = typer.Context(member, info_name=name, parent=context, terminal_width=100)
        yield f"{called} {name}", member.get_help(inner)


def _findings() -> str:
    lines = [
        "# Findings",
        "",
        "Every code that a finding can carry. The first letter says who speaks: F the dump, D decoding, M mapping, V validation, C controls.",
        "Severities are the field's: エラー (the record is rejected), アラート (promoted once acknowledged), and notes.",
        "",
        "| code | name | severity | what | do |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {c.code} | {c.name} | {c.severity.value} | {c.ja} / {c.en} | {c.action_ja} / {c.action_en} |"
        for c in CATALOGUE.values()
    ]
    return _text(lines)


def _problems() -> str:
    lines = [
        "# Problems of specs",
        "",
        "What `hikkoshi check` may say of a copybook or of how a dump is read (L), of a manifest or a mapping (Y).",
        "Every code keeps its meaning. Examples are edits of the shipped municipalities; tests hold each message as it stands here.",
        "",
        "| code | what |",
        "|---|---|",
        *(f"| [{code}](#{code.lower()}) | {what} |" for code, what in PROBLEMS.items()),
        "",
    ]
    for code in PROBLEMS:
        lines += section(code)
    return _text(lines)


DIALECT_NOT_SAID = (
    "Where no dialect is said, the charset's maker decides: `fujitsu`, `hitachi`, `nec` and `ibm` beside the charset of "
    "that name, `ibm` beside any other. Each rule may be given otherwise, as an option of the dialect."
)


def _reader() -> str:
    lines = ["# The reader", "", "What it reads, and the file that proves each line.", ""]
    for area, features in FEATURES:
        lines += [f"## {area}", "", "| what | proved by |", "|---|---|"]
        lines += [f"| {what} | [{proof.removeprefix('tests/')}](../../{proof}) |" for what, proof in features]
        lines.append("")
    lines += ["## Options of a dump", "", "| option | what |", "|---|---|"]
    lines += [f"| `{option}` | {what} |" for option, what in DUMP_OPTIONS.items()]
    lines += ["", "## Dialects", "", DIALECT_NOT_SAID, ""]
    lines += [
        "| rule | what |",
        "|---|---|",
        *(f"| `{rule}` | {what} |" for rule, what in RULES_OF_DIALECTS.items()),
        "",
    ]
    for dialect in DIALECTS:
        lines += [f"### {dialect.name}", "", f"{dialect.title}.", "", "| rule | value | source |", "|---|---|---|"]
        lines += [f"| `{rule}` | {value} | {dialect.sources[rule]} |" for rule, value in dialect.rules.items()]
        lines.append("")
    families: tuple[tuple[str, Iterable[tuple[str, str, Mapping[str, str]]]], ...] = (
        ("Containers", ((c.name, c.doc, c.options) for c in CONTAINERS)),
        ("Framings", ((f.name, f.doc, f.options) for f in FRAMINGS)),
        ("Usages", ((u.name, u.doc, {}) for u in USAGES)),
    )
    for title, members in families:
        lines += [f"## {title}", ""]
        for name, doc, options in members:
            lines += [f"### {name}", "", doc.strip(), ""]
            if options:
                lines += ["| option | what |", "|---|---|", *(f"| `{o}` | {what} |" for o, what in options.items()), ""]
    return _text(lines)


def _systems() -> str:
    tables = [line for reference in REFERENCE_TABLES.values() for line in reference_page(reference)]
    shared = ["## Dated reference tables", "", "Rules of every system may look these up.", "", *tables]
    return _text(["# Target systems", "", *(line for system in SYSTEMS for line in system_page(system)), *shared])


def _rules() -> str:
    """Shapes, kinds of numbers, and the rules that each system declares."""
    lines = ["# Rules", "", "A system declares its rules as instances of shapes; both engines evaluate every one."]
    lines += ["What every shape takes:", "", *_parameters(COMMON), ""]
    lines += ["## beside", "", BESIDE.strip(), "", "## Functions", "", "What conditions and values may call.", ""]
    lines += [*(f"- `{doc.partition(':')[0]}`:{doc.partition(':')[2]}" for doc in FUNCTIONS.values()), ""]
    lines += ["## What is written how", "", "| elsewhere called | here | |", "|---|---|---|"]
    lines += [f"| {name} | {f'`{way.shape}`' if way.shape else ''} | {way.how} |" for name, way in WRITTEN_AS.items()]
    lines += [""]
    for shape in SHAPES:
        usual = f"Findings: {shape.code}, {_severity(shape)} unless it says another `severity`."
        lines += [f"## {shape.name}", "", shape.doc.strip(), "", usual, "", *_parameters(shape.parameters), ""]
    lines += ["## Kinds of numbers", ""]
    for kind in NUMBERINGS.values():
        lines += [f"### {kind.name}", "", kind.doc.strip(), "", _asked(kind.name), ""]
    for system in SYSTEMS:
        lines += [f"## Rules of {system.name}", ""]
        for rule in system.rules:
            severity = rule.severity or _severity(BY_NAME[rule.shape])
            lines += [f"- `{rule.name}` ({rule.shape} of {rule.of}, {severity}). Source: {rule.source}"]
    return _text(lines)


def _severity(shape: Shape) -> str:
    return CATALOGUE[shape.code].severity.value


def _parameters(parameters: Iterable[Parameter]) -> list[str]:
    return [f"- `{p.name}`{' (must be given)' if p.required else ''}: {p.doc}" for p in parameters]


def _asked(kind: str) -> str:
    """Which columns ask for a kind of number."""
    columns = [
        f"`{table.name}.{item.name}`"
        for system in SYSTEMS
        for table in system.tables
        for item in table.items
        if item.check == kind
    ]
    asked = (
        f"Asked for by {', '.join(columns)}."
        if columns
        else "No column that a dump fills holds such a number in the systems that are shipped."
    )
    return f"{asked} An item asks for it by its `check`."


def _members(title: str, members: Iterable[tuple[str, str]], level: str = "#") -> str:
    lines = [f"{level} {title}", ""]
    for name, doc in members:
        lines += [f"{level}# {name}", "", doc.strip(), ""]
    return _text(lines)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
