"""The profile of a dump: how every field is really used, found in one pass and in bounded memory.

Records are regrouped into windows of a fixed size, whatever the size of the batches they were read in, and each window
adds to constant-size accumulators, one a field (`dags.inspection.column_profile`). So a profile depends on the dump alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dags.inspection.column_profile import UNSEEN, WINDOW, ColumnProfile
from dags.inspection.reader import Job
from dags.pipeline.receiving.expected import files_of
from dags.pipeline.town import Municipality
from extractors.batches import BATCH_RECORDS, RECORD_COLUMNS, Account, Extracted, Kind, extract
from extractors.layout import Field, Segment
from extractors.reading import Reading
from mappings.provenance import fate_of
from migration_reports.findings import RunError
from migration_reports.records.profile_record import FindingCount, KindCount, Profile
from migration_reports.records.run_record import Municipality as Named


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A dump to profile: its files, how it is read, its kinds, and where each field goes, where that is known.

    `guarded` are the columns that need grounds to be seen: of a field that goes to one not even the form is shown.
    """

    name: str
    files: tuple[Path, ...]
    reading: Reading
    kinds: tuple[Kind, ...]
    roles: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fates: Mapping[str, Mapping[str, tuple[tuple[str, ...], str]]] | None = None
    title: str = ""
    municipality: Named | None = None
    guarded: frozenset[str] = frozenset()


def of_job(job: Job) -> Source:
    """A dump by itself, as the command line describes it."""
    return Source(job.name, job.dumps, job.reading, job.kinds)


def of_municipality(municipality: Municipality, dump: str, inbox: Path) -> Source:
    """A dump of a municipality: what is mapped is known.

    Args:
        municipality: whose.
        dump: its name in the manifest.
        inbox: where its files are received.

    Raises:
        RunError: there is no such dump, or its file has not been received.
    """
    if dump not in municipality.dumps:
        raise RunError(f"no dump `{dump[:60]}`; there are {', '.join(municipality.dumps)}")
    reader = municipality.dumps[dump]
    expected = list(files_of(inbox, reader.spec))
    files = tuple(file for _, file in expected if file is not None and file.resolve().is_relative_to(inbox.resolve()))
    if not files or len(files) < len(expected):
        missing = ", ".join(name for name, file in expected if file is None) or dump
        raise RunError(f"dump {dump} has not been received: {missing} is not in {inbox}")
    fates: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {}
    for kind in reader.kinds:
        known = fates[kind.name] = {}
        segment = reader.layout.segment(kind.group, lists=kind.lists)
        for name in (*_names(segment), *_inside(segment)):
            fate = fate_of(municipality.plans.values(), dump, reader.spec, kind.name, name)
            uses = (("control", fate.controls), ("record kind", fate.tells_kinds))
            known[name] = ((*fate.targets, *(use for use, holds in uses if holds)), fate.ignored_because)
    of = municipality.folder.manifest.municipality
    return Source(
        name=dump,
        files=files,
        reading=reader.reading,
        kinds=reader.kinds,
        roles={name: kind.role for name, kind in reader.spec.records.items()},
        fates=fates,
        title=reader.spec.title,
        municipality=Named(code=of.code, name=of.name, romaji=of.romaji),
        guarded=frozenset(
            f"{table.qualified}.{name}"
            for system in municipality.systems
            for table in system.tables
            for item in table.items
            for name in (item.name, *item.columns)
            if item.sensitive
        ),
    )


def profile(
    source: Source,
    *,
    progress: Callable[[int, int], None] | None = None,
    batch_records: int = BATCH_RECORDS,
) -> Profile:
    """Profile a dump.

    Args:
        source: the dump.
        progress: told the bytes read and the bytes of the dump.
        batch_records: how many records are decoded together; the profile does not depend on it.

    Raises:
        SpecError: a record kind is not usable.
    """
    reading = source.reading
    segments = {kind.name: reading.layout.segment(kind.group, lists=kind.lists) for kind in source.kinds}
    wanted = {name: frozenset(_names(segment)) for name, segment in segments.items()}
    works = {name: _KindWork(segment) for name, segment in segments.items()}
    others: dict[str, int] = {}
    with reading.open(source.files) as stream:
        extraction = extract(
            stream,
            name=source.name,
            layout=reading.layout,
            framing=reading.framing,
            charset=reading.charset,
            kinds=[dataclasses.replace(kind, wanted=wanted[kind.name]) for kind in source.kinds],
            batch_records=batch_records,
            blanks=reading.blanks,
            fixed_places=reading.fixed_places,
        )
        for part in extraction.slices():
            for extracted in part:
                if extracted.kind:
                    works[extracted.kind].add(extracted)
                for code, count in _of_no_field(extracted):
                    others[code] = others.get(code, 0) + count
            if progress is not None:
                progress(stream.taken, stream.size)
    for work in works.values():
        work.finish()
    return _assemble(source, works, extraction.account, others)


def _of_no_field(extracted: Extracted) -> Iterator[tuple[str, int]]:
    """The findings about records, or about the dump between them: code and count."""
    if extracted.findings.num_rows:
        found = pl.DataFrame(pl.from_arrow(extracted.findings.select(["field", "code"])))
        yield from found.filter(pl.col("field").is_null()).group_by("code").len().iter_rows()


def _names(segment: Segment) -> Iterator[str]:
    """Every field and list of a segment, FILLERs too; other names for the same bytes (RENAMES) are left out."""
    yield from (field.name for field in segment.fields if not field.renames)
    yield from (table.column for table in segment.tables if "FILLER@" not in table.column)


def _inside(segment: Segment) -> Iterator[str]:
    """What lies in the lists of a segment, as LIST.FIELD."""
    for table in segment.tables:
        inner = (table.element, *(deeper.element for deeper in table.element.deep_tables))
        yield from (f"{table.column}.{field.name}" for element in inner for field in element.fields)


class _KindWork:
    """One record kind: its windows, and an accumulator a field."""

    def __init__(self, segment: Segment) -> None:
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self.records = 0
        self.places = tuple(_places(segment, "", 0))
        self.columns = {(table, field.name): ColumnProfile(field.picture.size, field) for table, field in self.places}
        self.findings: dict[tuple[str, str], int] = {}
        self.characters: dict[str, dict[str, dict[int, int]]] = {}
        self._segment = segment

    def add(self, extracted: Extracted) -> None:
        self._count(extracted)
        self._waiting.append(extracted.batch)
        self._rows += extracted.batch.num_rows
        self.records += extracted.batch.num_rows
        while self._rows >= WINDOW:
            waiting = pa.Table.from_batches(self._waiting)
            self._look(waiting.slice(0, WINDOW))
            rest = waiting.slice(WINDOW)
            self._waiting, self._rows = rest.to_batches(), rest.num_rows

    def finish(self) -> None:
        """Look at what is left over after the last whole window."""
        if self._rows:
            self._look(pa.Table.from_batches(self._waiting))
        self._waiting, self._rows = [], 0

    def _count(self, extracted: Extracted) -> None:
        if extracted.findings.num_rows:
            found = pl.DataFrame(pl.from_arrow(extracted.findings.select(["field", "code"])))
            counts = found.filter(pl.col("field").is_not_null()).group_by("field", "code").len()
            for field, code, count in counts.iter_rows():
                for name in _known_as(field):
                    self.findings[name, code] = self.findings.get((name, code), 0) + count
        for met in extracted.characters:
            codes = self.characters.setdefault(met.field, {}).setdefault(met.area, {})
            codes[met.code] = codes.get(met.code, 0) + met.count

    def _look(self, window: pa.Table) -> None:
        columns = {n: window[n].combine_chunks() for n in window.column_names if n not in RECORD_COLUMNS}
        for table, name, values in _columns(self._segment, columns, ""):
            self.columns[table, name].add(values)


def _known_as(field: str) -> Iterator[str]:
    """The names that a field of a finding may have here: occurrences of a varying table are one line of a profile."""
    yield field
    name, _, subscripts = field.removesuffix(")").partition("(")
    rest = subscripts.split(",") if subscripts else []
    for at in range(1, len(rest) + 1):
        yield f"{name}({','.join(rest[at:])})" if rest[at:] else name


def _places(segment: Segment, table: str, base: int) -> Iterator[tuple[str, Field]]:
    """Every field with the varying table that it occurs in, in the order of the copybook."""
    for section in segment.sections:
        yield from ((table, dataclasses.replace(f, offset=base + f.offset)) for f in section.fields if not f.renames)
        for inner in section.tables:
            if "FILLER@" not in inner.column:
                # Only what no varying table precedes has one offset in all records; inside one it is of the occurrence.
                yield from _places(inner.element, inner.column, 0)


def _columns(segment: Segment, columns: Mapping[str, pa.Array], table: str) -> Iterator[tuple[str, str, pa.Array]]:
    """The values of every field, those within tables one under another."""
    for field in segment.fields:
        if field.name in columns:
            yield table, field.name, columns[field.name]
    for inner in segment.tables:
        if inner.column not in columns:
            continue
        values = pc.list_flatten(columns[inner.column])
        if inner.elementary:
            inside = {inner.element.fields[0].name: values}
        else:
            inside = {values.type.field(n).name: part for n, part in enumerate(values.flatten())}
        yield from _columns(inner.element, inside, inner.column)


def _assemble(source: Source, works: Mapping[str, _KindWork], account: Account, others: Mapping[str, int]) -> Profile:
    fields = []
    for kind, work in works.items():
        role = source.roles.get(kind, "data")
        fates = (source.fates or {}).get(kind, {})
        for table, field in work.places:
            outermost = next((f"{of}.{field.name}" for of in field.within if f"{of}.{field.name}" in fates), "")
            targets, reason = fates.get(outermost) or fates.get(field.name, fates.get(table, ((), "")))
            facts = {
                "kind": kind,
                "field": field.name,
                "table": table,
                "picture": field.picture.text,
                "usage": field.usage,
                "offset": field.offset,
                "width": field.width,
                "line": field.position.line,
                "size": field.picture.size,
                "scale": field.picture.scale,
                "targets": None if source.fates is None else targets,
                "ignored_because": reason,
            }
            findings = {code: count for (name, code), count in work.findings.items() if name == field.name}
            found = work.columns[table, field.name].result(facts, findings, work.characters.get(field.name, {}))
            lost = source.fates is not None and not targets and role == "data" and found.filled + found.invalid > 0
            unseen = UNSEEN if source.guarded.intersection(targets) else {}
            fields.append(found.model_copy(update={"unmapped_but_filled": lost, **unseen}))
    fields.sort(key=lambda f: not f.unmapped_but_filled)
    reading = source.reading
    return Profile(
        dump=source.name,
        title=source.title,
        municipality=source.municipality,
        layout=Path(reading.layout.file).name,
        framing=reading.framing.name,
        charset=reading.charset.name,
        dialect=reading.layout.dialect.name,
        bytes=account.bytes,
        bytes_left_over=account.left_over,
        records=account.records,
        of_no_kind=account.of_no_kind,
        findings=tuple(FindingCount(code=code, count=count) for code, count in sorted(others.items())),
        kinds=tuple(
            KindCount(name=name, role=source.roles.get(name, "data"), records=work.records)
            for name, work in works.items()
        ),
        fields=tuple(fields),
    )
