"""From dump bytes to a column, told: where it lies, how it is read, what becomes of it, and which line says so."""

# Above 400 lines: one telling, from bytes to column, a paragraph a function.

from __future__ import annotations

import collections
import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from dags.authoring.merged import place_in
from dags.authoring.problems import PROBLEMS
from dags.authoring.problems import section as section_of
from dags.pipeline.judging import rules
from dags.pipeline.receiving.expected import files_of
from dags.pipeline.town import DumpReader, Municipality, target_tables
from dags.pipeline.waiting import joined
from extractors.batches import extract
from extractors.context.standing import beside, standing
from mappings.compiling.columns import groups_of, key_groups
from mappings.compiling.objects import attached
from mappings.language.folder import SystemFolder
from mappings.language.spec import ColumnSpec, PartSpec
from mappings.language.written import WhenSpec
from mappings.plan import (
    BYTES,
    DUMP,
    FROM,
    OCCURRENCE,
    PATH,
    RECORD,
    SHA256,
    TO,
    ColumnPlan,
    Join,
    Occurrences,
    PartPlan,
)
from mappings.provenance import decoded_as
from mappings.trace import gives_rows, trace
from mappings.unfolding import unfold
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import RunError, UsageError
from migration_reports.items import heading, is_text, item_of, table_of
from migration_reports.masking import HIDDEN, mask
from migration_reports.specs import Located

ENGINE = {
    RECORD: "the record's number in the dump",
    OCCURRENCE: "the number of the occurrence",
    FROM: "the first occurrence of the run",
    TO: "the last occurrence of the run",
    DUMP: "the name of the dump",
    PATH: "where the file beside the dump lies in the store; a run looks it up",
    BYTES: "how many bytes the file beside the dump has; a run looks it up",
    SHA256: "the SHA-256 of the file beside the dump; a run looks it up",
}
SHOWN = 4
"""So many places of a field are listed; of more the first and the last."""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """Some lines under a heading: what, and how it is."""

    title: str
    lines: tuple[tuple[str, str], ...]


def code(name: str) -> tuple[str, ...]:
    """What is known of a code of a problem or a finding, in lines; nothing where it is none."""
    known = name.upper()
    if known in PROBLEMS:
        return section_of(known)
    if (finding := CATALOGUE.get(known)) is None:
        return ()
    return (
        f"## {known}",
        "",
        f"{finding.ja} / {finding.en}",
        "",
        f"{finding.action_ja} / {finding.action_en}",
        "",
        f"A finding of a dump's data, severity {finding.severity.value}.",
    )


def column_of(municipality: Municipality, name: str) -> tuple[str, str]:
    """The table (system.table) and column, or date, that a word means: system.table.column, or as much of it as is clear.

    Raises:
        UsageError: there is none, or there are several.
    """
    known = {
        (table.key, part): group
        for table in target_tables(municipality)
        for group, members in groups_of(table).items()
        for part in (group, *(member.name for member in members))
    }
    table, dot, column = name.rpartition(".")
    said = f".{table}" if dot else ""
    found = dict.fromkeys((t, group) for (t, c), group in known.items() if c == column and f".{t}".endswith(said))
    if len(found) == 1:
        return next(iter(found))
    several = collections.Counter(table.name for table in target_tables(municipality))
    shown = {t: t if several[_bare(t)] > 1 else _bare(t) for t, _ in known}
    every = found or dict.fromkeys((t, group) for (t, _), group in known.items())
    names = [f"{shown[t]}.{group}" for t, group in every]
    if found:
        raise UsageError(f"several tables have `{column[:60]}`; say which: {', '.join(names)}")
    close = difflib.get_close_matches(name, [*names, *(n.rpartition(".")[2] for n in names)], 1)
    hint = f"did you mean `{close[0]}`? " if close else ""
    # Of a table that there is, its columns are enough.
    near = [n for n in names if f".{n.rpartition('.')[0]}".endswith(f".{table}")] or names
    raise UsageError(f"there is no column `{name[:60]}`; {hint}there are {', '.join(near)}")


def explain(municipality: Municipality, table: str, column: str) -> tuple[Section, ...]:
    """Tell where a column comes from, in every part of its table."""
    sections = [Section(f"{table}.{column}", tuple(_target(municipality, table, column)))]
    for system, plan in municipality.plans.items():
        folder = municipality.folder.systems[system]
        spec, places = folder.mapping, folder.mapping_places
        for part in plan.parts:
            if part.table != table:
                continue
            bare = _bare(table)
            said = spec.tables[bare][part.number]
            written = said.model_copy(update={"columns": attached(said.columns, [c.name for c in part.columns])})
            made = next((c for c in part.columns if c.name == column), None)
            title = f"from {part.source}"
            if made is None:
                how = "deliberately left empty" if column in written.empty else "not filled"
                at = places.at("tables", bare, part.number, "empty")
                sections.append(
                    Section(
                        title,
                        (
                            (
                                how,
                                place_in(folder, str(at)),
                            ),
                        ),
                    )
                )
                continue
            sections.append(Section(title, tuple(_part(municipality, part, written, places))))
            sections.extend(_field(municipality, part, name) for name in made.reads)
            sections.append(Section("becomes", tuple(_becomes(folder, made, written.columns[column]))))
    looked = [
        rule
        for rule in rules(municipality, {t.key: t for t in target_tables(municipality)})
        if rule.table == table and column in rule.columns
    ]
    sections.append(
        Section(
            "rules", tuple((r.name, f"{r.code} {r.severity.value}: {r.subject_en} ({r.subject_ja})") for r in looked)
        )
    )
    return tuple(sections)


def _bare(table: str) -> str:
    """A table as the mapping of its own system names it."""
    return table.rpartition(".")[2]


def _target(municipality: Municipality, table: str, column: str) -> Iterator[tuple[str, str]]:
    for found in target_tables(municipality):
        if found.key != table:
            continue
        members = groups_of(found)[column]
        head, item = table_of(found), item_of(members[0])
        yield "table", f"{head.ja} ({head.en}), based on {head.based_on}"
        for member in members:
            kind = f"{member.type}, {item.kind}" + (f" {item.length}" if is_text(item) else "")
            null = "may be null" if member.nullable else "mandatory"
            yield member.name, f"{heading(member).ja} ({heading(member).en}): {kind}, {null}"
        if item.code_set:
            yield "code set", item.code_set
        if column in key_groups(found):
            yield "key", ", ".join(head.key)
        for one in (
            one for system in municipality.systems for one in system.candidates if table in (one.of, one.other)
        ):
            names = {item.own if table == one.of else item.other: item.name for item in one.compared}
            by = [evidence.name for evidence in one.evidence if names.get(column) in evidence.equal]
            if by or column in (one.number if table == one.of else one.other_number):
                yield "candidates", f"{one.name}: {', '.join(by) or 'their number'} ({one.ja} {one.en})"


def _part(municipality: Municipality, part: PartPlan, spec: PartSpec, places: Located) -> Iterator[tuple[str, str]]:
    reader = municipality.dumps[part.dump]
    yield from _dump(reader, part.dump)
    kind = reader.spec.records[part.kind]
    chosen = [f"{f} is {', '.join(v)}" for f, v in ({kind.field: kind.values} if kind.field else {}).items()]
    chosen += [f"{f} is {', '.join(v)}" for f, v in kind.also.items()]
    view = f", read as {kind.group}" if kind.group else ""
    yield "record kind", f"{part.kind}: {' and '.join(chosen) or 'every record'}{view}"
    if part.each is not None:
        yield "each", _each(part.each)
    for alias, join in spec.join.items():
        key = (
            "the record that it belongs to"
            if join.on == "parent"
            else ", ".join(f"{a} = {b}" for a, b in join.on.items())
        )
        yield f"join {alias}", f"{join.source} on {key}; missing: {join.missing}, double: {join.double}"
    for when in spec.when:
        yield "rows when", condition(when)
    if spec.keep.how != "every_row":
        by = f" by {spec.keep.by}" if spec.keep.by else ""
        on = f" on {spec.keep.on}" if spec.keep.on else ""
        prefer = "; preferred where " + " and ".join(map(condition, spec.prefer)) if spec.prefer else ""
        yield "keep", f"{spec.keep.how}{by}{on}{prefer}"
    folder = municipality.folder.of_dump(part.dump)
    yield "mapping", place_in(folder, str(places.at("tables", _bare(part.table), part.number)))


def _each(each: Occurrences) -> str:
    around = f", in each of {', '.join(each.tables[:-1])}" if len(each.tables) > 1 else ""
    if each.runs is None:
        return f"a row for each occurrence of {each.table}{around}"
    of = f" of {', '.join(each.runs.values)}" if each.runs.values else ""
    but = f" but {', '.join(each.runs.besides)}" if each.runs.besides else ""
    return f"a row for each run{of} in {each.table}{but}{around}"


def _dump(reader: DumpReader, name: str) -> Iterator[tuple[str, str]]:
    spec, reading = reader.spec, reader.reading
    yield "dump", f"{name} ({spec.title}): {', '.join(spec.file)}"
    wrapped = f", in {spec.container.name}" if spec.container else ""
    yield "framing", f"{reading.framing.name}{wrapped}; dialect {reading.layout.dialect.name}"


def _field(municipality: Municipality, part: PartPlan, name: str) -> Section:
    """A field of the record, of an occurrence, or of a joined record."""
    if name.startswith(f"{OCCURRENCE}("):
        table = name.removeprefix(OCCURRENCE).strip("()")
        return Section(f"  {name}", (("is", f"the number of the occurrence of {table}"),))
    if name in ENGINE:
        return Section(f"  {name}", (("is", ENGINE[name]),))
    found = decoded_as(part, name)
    source = found[0][0]
    dump, _, kind = source.partition(".")
    reader = municipality.dumps[dump]
    alias = name.partition(".")[0]
    joined = any(join.alias == alias and "." in name for join in part.joins)
    lines: list[tuple[str, str]] = [("of", f"{source}, through join {alias}")] if joined else []
    if "." in name and alias in part.around:
        behind = reader.spec.records[kind].role == "trailer"
        lines.append(("of", f"{source}, {'the first after' if behind else 'the last before'} the record in its file"))
    group = reader.spec.records[kind].group
    names = [field for _, field in found]
    segment = reader.layout.segment(group)
    inside = {field.name: field for table in segment.deep_tables for field in table.element.fields}
    fields = {field.name: field for field in segment.fields}
    read = [fields[n] for n in names if n in fields] or [inside[n] for n in names if n in inside]
    for field in read[:1]:
        start = "the occurrence" if field.name not in fields else "the record"
        lines.append(("PICTURE", f"{field.picture.text}, {field.usage}"))
        for each in read if len(read) <= SHOWN else (read[0], read[-1]):
            last = each.offset + each.width
            lines.append(("bytes", f"{each.offset + 1} to {last} of {start} ({each.name}, {each.width} bytes)"))
        if len(read) > SHOWN:
            lines.append(("", f"first and last of {len(read):,} occurrences"))
        lines.append(("copybook", f"{field.position.file}:{field.position.line}"))
        if field.is_text:
            charset = reader.reading.charset
            policies = ", ".join(f"{k} {v}" for k, v in charset.policies.items())
            lines.append(("charset", charset.name + (f": {policies}" if policies else "")))
            lines.extend(("", note) for note in charset.notes)
        else:
            blanks = dataclasses.asdict(reader.reading.blanks)
            lines.append(("blank", ", ".join(f"{k} {v}" for k, v in blanks.items())))
    return Section(f"  {name}", tuple(lines))


def _becomes(folder: SystemFolder, column: ColumnPlan, spec: ColumnSpec) -> Iterator[tuple[str, str]]:
    if spec.constant is not None:
        yield "constant", spec.constant
    if spec.expression is not None:
        yield "expression", spec.expression
        named = [f"{n} is {f}" for n, f in spec.sources.items() if n != f]
        if named:
            yield "", ", ".join(named)
    for step in column.steps:
        params = step.params.model_dump(exclude_none=True)
        said = ", ".join(f"{k}: {v}" for k, v in params.items())
        doc = step.transform.doc.strip().splitlines()[0]
        yield step.transform.name, f"{{{said}}}  {doc}" if said else doc
    for when in spec.when:
        yield "only when", condition(when)
    if spec.default is not None:
        yield "default", spec.default
    yield "on_error", spec.on_error
    if spec.at_most is not None:
        yield "at_most", spec.at_most
    if spec.stop_after is not None:
        yield "stop_after", f"{spec.stop_after:,}"
    yield "mapping", place_in(folder, column.place)


def condition(when: WhenSpec) -> str:
    """A condition in words."""
    if when.sql is not None:
        return when.sql
    parts = [f"{when.field} is {', '.join(when.values)}"] if when.values else []
    parts += [f"{when.field} is not {', '.join(when.besides)}"] if when.besides else []
    return " and ".join(parts) or f"{when.field} is filled"


def explain_record(
    municipality: Municipality, table: str, column: str, *, record: int, inbox: Path, reveal: bool = False
) -> tuple[Section, ...]:
    """Follow a real record into a column, value by value; values are masked unless revealed.

    Raises:
        RunError: the dump has not been received, or has no such record of a kind that fills the table.
    """
    sections = []
    kinds = []
    for plan in municipality.plans.values():
        for part in plan.parts:
            made = next((c for c in part.columns if c.name == column), None)
            if part.table != table or made is None:
                continue
            kinds.append(part.source)
            frame, codes = _record(municipality, part, record, inbox)
            if frame is None:
                continue
            frame = joined(part, frame, lambda join, rows: _others(municipality, join, rows, inbox))
            sections.append(_traced(municipality, part, made, frame, codes, record=record, reveal=reveal))
    if not sections:
        raise RunError(
            f"record {record:,} is none of {', '.join(dict.fromkeys(kinds)) or 'any kind'}, which {table}.{column} is made of"
        )
    return tuple(sections)


def _traced(
    municipality: Municipality,
    part: PartPlan,
    column: ColumnPlan,
    frame: pl.DataFrame,
    found: Mapping[str, str],
    *,
    record: int,
    reveal: bool,
) -> Section:
    lines: list[tuple[str, str]] = []
    given = set(gives_rows(part, frame).to_list())
    table = next(table for table in target_tables(municipality) if table.key == part.table)
    hidden = item_of(table.columns[column.targets[0]]).sensitive
    stages = trace(part, column, frame, municipality.folder.of_dump(part.dump).code_tables)
    for row in range(frame.height):
        if part.each is not None:
            lines.append(("occurrence", _occurrence(part.each, frame, row)))
        if row not in given:
            lines.append(("no row", "the conditions of the part, or a join, leave it out"))
        for stage in stages:
            codes = " ".join(stage.codes[row])
            read = found.get(stage.what.removeprefix("read "), "")
            # How much of a date is known is said in words of ours.
            plain = reveal or stage.what.endswith("_precision")
            value = stage.values[row]
            shown = HIDDEN if hidden and value is not None else _shown(value, reveal=plain)
            lines.append((stage.what, shown + f"  {codes or read}".rstrip()))
    if not frame.height:
        lines.append(("no row", "the table (OCCURS) has no occurrence"))
    return Section(f"record {record:,} of {part.source}", tuple(lines))


def _occurrence(each: Occurrences, frame: pl.DataFrame, row: int) -> str:
    """Which occurrence a row is, or which run; of a table inside others with the numbers of theirs."""
    if OCCURRENCE in each.numbers and len(each.tables) == 1:
        return str(frame[OCCURRENCE][row])
    numbers = (name for name in each.numbers if name != OCCURRENCE)
    return ", ".join(f"{name.removeprefix(OCCURRENCE).strip('()')} {frame[name][row]}" for name in numbers)


def _shown(value: Any, *, reveal: bool) -> str:
    if value is None:
        return "∅"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_shown(v, reveal=reveal or k == 'precision')}" for k, v in value.items())
    return str(value) if reveal else mask(str(value))


def _batches(
    municipality: Municipality, dump: str, inbox: Path
) -> Iterator[tuple[str, pa.RecordBatch, pa.RecordBatch]]:
    """The records of a dump in the inbox, a batch at a time: kind, fields with those of its headers, findings."""
    reader = municipality.dumps[dump]
    expected = list(files_of(inbox, reader.spec))
    missing = [name for name, file in expected if file is None]
    if missing:
        raise RunError(f"dump {dump} has not been received: {', '.join(missing)} is not in {inbox}")
    files = [file for _, file in expected if file is not None]
    trailers = [kind for kind, said in reader.spec.records.items() if said.role == "trailer"]
    context = standing(reader.reading, files, reader.kinds, reader.context, follow=trailers, name=dump)
    with reader.reading.open(files) as stream:
        for extracted in extract(
            stream,
            name=dump,
            layout=reader.reading.layout,
            framing=reader.reading.framing,
            charset=reader.reading.charset,
            kinds=reader.kinds,
            blanks=reader.reading.blanks,
            fixed_places=reader.reading.fixed_places,
        ):
            if extracted.kind:
                yield extracted.kind, beside(context, extracted.batch, stream), extracted.findings


def _record(
    municipality: Municipality, part: PartPlan, record: int, inbox: Path
) -> tuple[pl.DataFrame | None, Mapping[str, str]]:
    """One record as the part sees it, and the decoder's findings on its fields."""
    for kind, batch, findings in _batches(municipality, part.dump, inbox):
        numbers = batch.column("_record")
        if not len(numbers) or numbers[len(numbers) - 1].as_py() < record:
            continue
        frame = pl.DataFrame(pl.from_arrow(batch)).filter(pl.col("_record") == record)
        if frame.height and kind == part.kind:
            said = {f["field"]: f["code"] for f in findings.to_pylist() if f["record"] == record}
            return unfold(part.each, frame) if part.each is not None else frame, said
        if frame.height:
            break
    return None, {}


def _others(municipality: Municipality, join: Join, frame: pl.DataFrame, inbox: Path) -> pl.DataFrame:
    """Of the records that a join looks at, those with the keys of some rows."""
    dump, _, kind = join.source.partition(".")
    mine = [ours for ours, _ in join.keys] or ["_parent"]
    theirs = [name for _, name in join.keys] or ["_record"]
    names = list(dict.fromkeys(("_record", *theirs, *join.fields)))
    keys = frame.select(mine).unique()
    found = [
        pl.DataFrame(pl.from_arrow(batch)).select(names).join(keys, left_on=theirs, right_on=mine, how="semi")
        for of, batch, _ in _batches(municipality, dump, inbox)
        if of == kind
    ]
    if found:
        return pl.concat(found)
    schema = municipality.schemas[join.source]
    kinds = [("_record", pa.int64()), *((n, schema.field(n).type) for n in names if n != "_record")]
    return pl.DataFrame(pl.from_arrow(pa.schema(kinds).empty_table()))
