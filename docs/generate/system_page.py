"""The reference pages of target systems: what each has, and how its sheets are written."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from dags.own import lists
from migration_reports.codes import CodeSet
from migration_reports.items import Item, Table, heading, is_text, item_of
from target_schemas import candidate_sheets, code_sheets, item_sheets, reference_sheets, sheets
from target_schemas.model import System
from target_schemas.reference_sheets import ReferenceTable


def system_page(system: System) -> Iterator[str]:
    """A system: its editions, each table with its items, references and revisions, and its code sets."""
    yield from (f"## {system.title_ja} {system.name}", "")
    yield from (f"Based on: {system.based_on}. No conformance is claimed.", "")
    editions = ", ".join(f"{edition.name} (from {edition.since})" for edition in system.editions)
    yield from (f"Editions: {editions}.", "")
    if system.refuse:
        yield from (f"No mapping may move a secret into it: {', '.join(system.refuse)}.", "")
    for table in system.tables:
        yield from _table(system, table)
    yield from _candidates(system)
    for codes in system.code_sets:
        yield from _code_set(codes)


def sheets_page() -> Iterator[str]:
    """How sheets are written, as their readers say it."""
    yield from ("# Sheets of a system", "")
    yield "A target system is a folder of `target_schemas/systems/` and its name in `systems/__init__.py`;"
    yield "[its head has a JSON Schema](system.schema.json), [mistakes are problems](problems.md) with codes that begin with S."
    yield ""
    for title, module in (
        ("The folder", sheets),
        ("items.csv", item_sheets),
        ("Code sets", code_sheets),
        ("Reference tables", reference_sheets),
        ("Candidates", candidate_sheets),
        ("Own lists of a municipality", lists),
    ):
        first, _, rest = (inspect.getdoc(module) or "").partition("\n")
        yield from (f"## {title}", "", first, "", "```", rest.strip("\n"), "```", "")


def _candidates(system: System) -> Iterator[str]:
    """What people decide about, and what speaks for a pair."""
    for one in system.candidates:
        yield from (f"### 名寄せ候補 {one.ja} `{one.name}`", "", f"{one.en[:1].upper()}{one.en[1:]}.", "")
        tables = f"`{one.of}`" + (f" compared with `{one.other}`" if one.between else "")
        cut_over = {"error": "holds it", "alert": "is an alert", "note": "is a note"}[one.severity]
        yield from (f"Rows of {tables}. An open pair in a cut-over {cut_over}. Source: {one.source}.", "")
        yield from ("| evidence | equal | weight |", "|---|---|---|")
        for evidence in one.evidence:
            equal = ", ".join(f"`{item.own}` as {item.form}" for item in one.compared if item.name in evidence.equal)
            yield f"| {evidence.name} | {equal} | {'strong' if evidence.strong else 'weak'} |"
        yield ""


def _table(system: System, table: Table) -> Iterator[str]:
    yield from (f"### {table.ja} `{table.name}`", "")
    yield from ("| データ項目名称 | column | 型 | 桁数 | 外字使用 | コード | 必須 |", "|---|---|---|--:|---|---|---|")
    for column in table.columns:
        head, item = heading(column), item_of(column)
        length = item.length if is_text(item) else ""
        yield (
            f"| {head.ja} | {column.name} | {_kind(item)} | {length} | {'有' if item.gaiji else ''} | {_coded(item)} | "
            f"{'' if column.nullable else '○'} |"
        )
    yield ""
    said = [*_references(table), *_revisions(system, table), *_sensitive(table)]
    yield from (*said, *[""] * bool(said))


def _kind(item: Item) -> str:
    return f"{item.kind} (×{item.unit:,}円)" if item.unit > 1 else item.kind


def _coded(item: Item) -> str:
    return f"{item.code_set} (on `{item.judged_on}`)" if item.judged_on else item.code_set


def _references(table: Table) -> Iterator[str]:
    for reference in table.references:
        named = ", ".join(f"`{name}`" for name in reference.columns)
        fate = "falls (error)" if reference.orphan == "falls" else "stays (alert)"
        yield f"- {named} → `{reference.table.removeprefix(f'{table.system}.')}`: a row without it {fate}. {reference.because}"


def _revisions(system: System, table: Table) -> Iterator[str]:
    """What each edition says otherwise than the one before it."""
    former: dict[str, Item] | None = None
    for edition in system.editions:
        there = next((t for t in system.in_edition(edition.name).tables if t.name == table.name), None)
        items = {item.name: item for item in there.items} if there is not None else {}
        for name in dict.fromkeys((*(former or {}), *items)) if former is not None else ():
            was, is_ = (former or {}).get(name), items.get(name)
            if was is None and is_ is not None:
                yield f"- Edition {edition.name} adds `{name}`."
            elif is_ is None:
                yield f"- Edition {edition.name} no longer has `{name}`."
            elif was is not None and _measure(was) != _measure(is_):
                yield f"- Edition {edition.name} has `{name}` as {_measure(is_)}; before it was {_measure(was)}."
        former = items


def _measure(item: Item) -> str:
    """What an edition may say otherwise of an item."""
    length = f" {item.length}.{item.scale}" if item.scale else f" {item.length}" if item.length else ""
    marks = [
        word
        for word, said in (("mandatory", item.must), ("外字", item.gaiji), (f"codes of {item.code_set}", item.code_set))
        if said
    ]
    return ", ".join([f"{item.kind}{length}", *marks])


def _sensitive(table: Table) -> Iterator[str]:
    said = {
        "sensitive": "Seen only on grounds of its own, and never in a sample",
        "sealed": "Sealed: seen by nobody",
    }
    for access, what in said.items():
        if named := ", ".join(f"`{item.name}`" for item in table.items if item.access == access):
            yield f"- {what}: {named}."


def _code_set(codes: CodeSet) -> Iterator[str]:
    """コード一覧 of one set; when its codes hold, where any of them has a time."""
    dated = codes.dated
    yield from (f"### コード {codes.ja} `{codes.name}`", "")
    if codes.open:
        yield from (
            "Each municipality completes it by a list of its own; until it is given, no code of it is judged.",
            "",
        )
    yield f"| コード | 名称 | English |{' 有効 |' * dated}"
    yield f"|---|---|---|{'---|' * dated}"
    for line in codes.codes:
        time = f" {line.valid_from}–{line.valid_to} |" if dated else ""
        yield f"| {line.code} | {line.ja} | {line.en} |{time}"
    yield ""


def reference_page(reference: ReferenceTable) -> Iterator[str]:
    """A dated reference table: its lines with their sources, and where none holds between two."""
    table, items = reference.table, reference.items
    yield from (f"### {table.ja} `{table.qualified}`", "")
    yield f"| {' | '.join(item.ja for item in items)} | 有効 | source |"
    yield f"|{'---|' * (len(items) + 2)}"
    for line in reference.lines:
        cells = " | ".join(line.cells[item.name] for item in items)
        yield f"| {cells} | {line.valid_from}–{line.valid_to} | {line.source} |"
    yield ""
    for key, before, after in reference.gaps():
        yield from (f"- No line of {', '.join(key)} holds between {before} and {after}.", "")
