"""A first mapping from a copybook: what each field may be, why, and what nobody has decided.

Nothing of a draft passes `hikkoshi check` until a person has looked at it: every guess carries the line `guessed:` (Y026),
and what was not matched stands under `ignore:` with a question mark (Y025).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from dags.authoring.field_words import comments_of, common_prefix
from dags.authoring.guesses import Filled, Given, Guess, fill
from dags.inspection import profile
from dags.inspection.reader import Job, open_extraction
from extractors.batches import Kind, arrow_schema
from extractors.layout import Field, Layout, Segment
from extractors.reading import Spoken, library_of, make_layout, read_text, sort_options
from migration_reports.items import item_of, table_of
from migration_reports.records.profile_record import FieldProfile, Profile
from target_schemas.model import System

MOST_CODES = 60


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A table filled from a record kind, or from each occurrence of a table in it.

    Attributes:
        kind: the record kind.
        filled: the guesses.
        each: the table (OCCURS) whose occurrences give a row each.
        one_per_key: whether several records have the same key.
        when: the field that must be filled for a row.
        prefer: a condition that may say which of them stands, as YAML; only proposed.
    """

    kind: str
    filled: Filled
    each: str = ""
    one_per_key: bool = False
    when: str = ""
    prefer: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Left:
    """What is not mapped: as `ignore:` names it, why where that is certain, and what is known of it."""

    field: str
    reason: str
    given: Given | None
    remark: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """A first mapping.

    Attributes:
        system: the target.
        name: the dump's name in the manifest.
        layout: of its records.
        spoken: how it is read.
        kinds: its record kinds.
        files: the dump's files, where there are any.
        parts: the tables that are filled.
        left: by kind, what is not mapped.
        not_drafted: tables that no kind fills, and why.
        codes: by code set, the old codes with their labels.
        profile: of the dump, where there is one.
    """

    system: System
    name: str
    layout: Layout
    spoken: Spoken
    kinds: tuple[Kind, ...]
    files: tuple[Path, ...]
    parts: tuple[Part, ...]
    left: Mapping[str, tuple[Left, ...]]
    not_drafted: tuple[tuple[str, str], ...]
    codes: Mapping[str, Mapping[str, str]]
    profile: Profile | None


def draft_of_copybook(
    copybook: Path,
    system: System,
    *,
    spoken: Spoken,
    options: Mapping[str, str],
    kinds: Sequence[Kind] = (),
    library: Sequence[Path] = (),
) -> Draft:
    """Draft from a copybook alone.

    Raises:
        SpecError: the copybook or an option cannot be used.
    """
    spoken = sort_options(spoken, options)
    layout = make_layout(spoken, read_text(copybook), str(copybook), library_of((copybook.parent, *library)))
    return _draft(layout, copybook, system, spoken, tuple(kinds) or (Kind("record"),), (), None, {})


def draft_of_dump(job: Job, copybook: Path, system: System, *, spoken: Spoken, options: Mapping[str, str]) -> Draft:
    """Draft from a copybook and what a dump holds.

    Raises:
        SpecError: a record kind is not usable.
    """
    made = profile.profile(profile.of_job(job))
    codes = _codes(job, made)
    spoken = sort_options(spoken, options)
    return _draft(job.reading.layout, copybook, system, spoken, job.kinds, job.dumps, made, codes)


def _draft(
    layout: Layout,
    copybook: Path,
    system: System,
    spoken: Spoken,
    kinds: tuple[Kind, ...],
    files: tuple[Path, ...],
    made: Profile | None,
    codes: Mapping[tuple[str, str], tuple[str, ...]],
) -> Draft:
    code_sets = {s.name: {code: line.ja for code, line in s.labels.items()} for s in system.code_sets}
    comments = comments_of(read_text(copybook))
    givens = {kind.name: tuple(_givens(layout, kind, comments, made, codes)) for kind in kinds}
    offered = {name: [g for g in some if not g.secret(system.refuse)[0]] for name, some in givens.items()}
    data = [kind for kind in kinds if role_of(kind) == "data"]
    candidates: list[Part] = []
    refused: dict[str, list[str]] = {table.name: [] for table in system.tables}
    for kind in data:
        once = [g for g in offered[kind.name] if not g.table or (g.repeated and g.table == g.field.data_name)]
        for table in system.tables:
            filled = fill(table.physical, once, code_sets)
            if isinstance(filled, str):
                refused[table.name].append(f"{kind.name}: {filled}")
            else:
                candidates.append(Part(kind.name, filled))
    # A table that several kinds could fill is drafted from the one that knows most of it.
    best: dict[str, Part] = {}
    for part in candidates:
        name = part.filled.table.name
        if name not in best or _known(part) > _known(best[name]):
            best[name] = part
    for kind in data:
        for part in _of_occurrences(kind.name, offered[kind.name], system, code_sets):
            before = best.setdefault(part.filled.table.name, part)
            if before.each and _known(part) > _known(before):
                best[part.filled.table.name] = part
    parts = tuple(_kept(best[table.name], best) for table in system.tables if table.name in best)
    return Draft(
        system,
        _name(files[0].stem if files else copybook.stem),
        layout,
        spoken,
        kinds,
        files,
        parts,
        {kind.name: tuple(_left(layout, kind, givens[kind.name], parts, made, system.refuse)) for kind in data},
        tuple((t.name, "; ".join(refused[t.name])) for t in system.tables if t.name not in best),
        _code_tables(parts),
        made,
    )


def role_of(kind: Kind) -> str:
    """What records of a kind are for, as their name says it."""
    return kind.name if kind.name in ("header", "trailer") else "data"


def _givens(
    layout: Layout,
    kind: Kind,
    comments: Mapping[int, str],
    made: Profile | None,
    codes: Mapping[tuple[str, str], tuple[str, ...]],
) -> Iterator[Given]:
    """The fields of a kind, those of repeated items once, in the order of the copybook."""
    profiles = {(f.table, f.field): f for f in made.fields if f.kind == kind.name} if made is not None else {}
    found: dict[tuple[tuple[str, ...], str, str], list[Field]] = {}
    tables = {item.name for item in layout.groups().values() if item.occurs_clause}
    for table, field in _fields(layout.segment(kind.group)):
        if field.asked_only:
            continue
        inside = tuple(name for name in (*field.within, field.data_name) if name in tables)
        name = field.data_name if field.subscripts else field.name
        found.setdefault((inside, name, table), []).append(field)
    prefix = common_prefix([fields[0].data_name for fields in found.values()])
    for (inside, name, varying), fields in found.items():
        first = fields[0]
        written = {literal: c.name for c in first.conditions for literal in c.values if isinstance(literal, str)}
        seen = {code: written.get(code, "") for f in fields for code in codes.get((kind.name, f.name), ())}
        comment = comments.get(first.position.line, "") if first.position.file == layout.file else ""
        own = prefix if name.startswith(prefix) else _own_prefix(name, inside, [n for i, n, _ in found if i == inside])
        names = tuple(f.name for f in fields)
        one = len(fields) == 1 and not first.subscripts and not varying
        yield Given(
            names[0] if one else name,
            names,
            first,
            inside[-1] if inside else "",
            around=inside[:-1],
            member=bool(varying),
            prefix=own,
            comment=comment,
            profile=profiles.get((varying, first.name)),
            codes=seen or written,
        )


def _own_prefix(name: str, table: tuple[str, ...], names: Sequence[str]) -> str:
    return common_prefix(names) if table else f"{name.partition('-')[0]}-" if len(name.partition("-")[0]) <= 2 else ""


def _fields(segment: Segment, table: str = "") -> Iterator[tuple[str, Field]]:
    """Every field with the varying table that it occurs in."""
    for section in segment.sections:
        yield from ((table, field) for field in section.fields)
        for inner in section.tables:
            yield from _fields(inner.element, inner.column)


def _codes(job: Job, made: Profile) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """The different values of the fields that look like codes: what a code table must have lines for."""
    wanted: dict[str, list[FieldProfile]] = {}
    for field in made.fields:
        if any(d.detector == "code" for d in field.detections):
            wanted.setdefault(field.kind, []).append(field)
    found: dict[tuple[str, str], pl.Series] = {}
    kinds = [
        dataclasses.replace(kind, wanted=frozenset(f.table or f.field for f in wanted.get(kind.name, ())))
        for kind in job.kinds
    ]
    with job.reading.open(job.dumps) as stream:
        for extracted in open_extraction(dataclasses.replace(job, kinds=tuple(kinds)), stream, lists=False):
            if not extracted.kind or not extracted.batch.num_rows:
                continue
            frame = pl.DataFrame(pl.from_arrow(extracted.batch))
            for field in wanted.get(extracted.kind, ()):
                values = _values(frame, field)
                key = extracted.kind, field.field
                found[key] = pl.concat([found[key], values]).unique() if key in found else values
    return {key: tuple(sorted(values.to_list())) for key, values in found.items() if len(values) <= MOST_CODES}


def _values(frame: pl.DataFrame, field: FieldProfile) -> pl.Series:
    if field.table and field.table in frame.columns:
        values = frame[field.table].explode()
        values = values.struct.field(field.field) if values.dtype == pl.Struct else values
    elif field.field in frame.columns:
        values = frame[field.field]
    else:
        return pl.Series("code", [], pl.String)
    text = values.cast(pl.String).str.strip_chars().alias("code").drop_nulls().unique()
    return text.filter((text != "") & ~text.str.contains("\N{REPLACEMENT CHARACTER}", literal=True))


def _of_occurrences(
    kind: str, givens: Sequence[Given], system: System, code_sets: Mapping[str, Mapping[str, str]]
) -> Iterator[Part]:
    """The tables that the occurrences of a table (OCCURS) fill: most of what they hold stands in it, or in those around."""
    once = [given for given in givens if not given.table]
    for tables in dict.fromkeys(given.tables for given in givens if given.table):
        levels = [tables[:depth] for depth in range(len(tables), 0, -1)]
        members = [dataclasses.replace(g, member=True) for level in levels for g in givens if g.tables == level]
        if any("(" in given.name for given in members):
            continue
        for table in system.tables:
            filled = fill(table.physical, [*members, *once], code_sets)
            if isinstance(filled, str):
                continue
            told = {name: guess.given for name, guess in filled.guesses.items() if guess.given is not None}
            own = [name for name, given in told.items() if given.tables == tables]
            inside = [name for name, given in told.items() if given.member]
            rest = [name for name in filled.guesses if name not in inside and name not in table.key]
            if own and len(inside) >= len(rest):
                fixed = len(members[0].names) > 1
                blank = filled.guesses[own[0]].sources[0] if fixed else ""
                yield Part(kind, filled, each=tables[-1], when=blank)


def _known(part: Part) -> int:
    return sum(guess.given is not None for guess in part.filled.guesses.values())


def _kept(part: Part, best: Mapping[str, Part]) -> Part:
    """Say which rows of a key stand, and which records give a row at all."""
    if part.each:
        return part
    table = part.filled.table
    of_kind = [other for other in best.values() if other.kind == part.kind and not other.each]
    main = max(of_kind, key=_known)
    coded = [
        guess.sources[0]
        for name, guess in part.filled.guesses.items()
        if name in table_of(table).key and guess.given is not None and item_of(table.columns[name]).code_set
    ]
    shared = part is not main and set(part.filled.keyed) != set(main.filled.keyed) and not coded
    heads = [_head(guess) for guess in main.filled.guesses.values()] if shared else []
    prefer = next(filter(None, heads), "")
    return dataclasses.replace(part, one_per_key=shared, when=coded[0] if coded else "", prefer=prefer)


def _head(guess: Guess) -> str:
    """The condition that a record is that of the household's head, where the codes of 続柄 are known."""
    if guess.column != "relationship" or guess.given is None or "01" not in guess.given.codes:
        return ""
    return f'{{field: {guess.sources[0]}, values: ["01"]}}'


def _left(
    layout: Layout,
    kind: Kind,
    givens: Sequence[Given],
    parts: Sequence[Part],
    made: Profile | None,
    refuse: Sequence[str],
) -> Iterator[Left]:
    """What is not mapped, in the order of the copybook; FILLERs at the end."""
    of_kind = [part for part in parts if part.kind == kind.name]
    mapped = {n for p in of_kind for g in p.filled.guesses.values() if g.given is not None for n in _names(g, p)}
    mapped |= {given.name for part in of_kind for given in givens if given.names == (part.when,)}
    said: set[str] = set()
    for given in givens:
        if mapped.intersection(given.names) or (given.member and given.tables[0] in said):
            continue
        if given.name in kind.conditions:
            yield Left(given.name, "レコード区分。マニフェストのレコード種別が使う", given)
        elif given.member:
            # A table of varying size is one list for the mapping; its members have no fate of their own.
            outermost = given.tables[0]
            if outermost in mapped:
                yield Left(f"{given.name}(*)" if len(given.names) > 1 else given.name, "?", given)
            else:
                said.add(outermost)
                inside = ", ".join(g.field.data_name for g in givens if g.tables[:1] == (outermost,))
                remark = f"a table (OCCURS) of {inside}; no table of {{system}} takes its occurrences"
                yield Left(outermost, "?", None, remark)
        else:
            reason, remark = given.secret(refuse)
            yield Left(f"{given.name}(*)" if len(given.names) > 1 else given.name, reason or "?", given, remark)
    schema = arrow_schema(layout, kind.group)
    renames = [f.field.name for f in layout.renames if f.field.name in schema.names]
    for name in renames:
        yield Left(name, "RENAMES。同じバイトの別名", None)
    fillers = [field.name for field in schema if (field.metadata or {}).get(b"filler") and field.name not in renames]
    if fillers and made is None:
        yield Left("FILLER@*", "?", None, "whether anything stands in them is not known without a dump")
    elif fillers and made is not None:
        filled = [f.field for f in made.fields if f.kind == kind.name and f.field in fillers and f.filled + f.invalid]
        remark = f"something stands in {', '.join(filled)}" if filled else ""
        yield Left("FILLER@*", "?" if filled else "予備領域。全件とも空白", None, remark)


def _names(guess: Guess, part: Part) -> tuple[str, ...]:
    assert guess.given is not None
    return (*guess.given.names, *guess.given.tables) if part.each and guess.given.member else guess.given.names


def _code_tables(parts: Sequence[Part]) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for part in parts:
        for guess in part.filled.guesses.values():
            if guess.code_table and guess.given is not None:
                found.setdefault(guess.code_table, {}).update(guess.given.codes)
    return found


def _name(stem: str) -> str:
    """A dump's name in a manifest, made of a file's."""
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")
    return name if name[:1].isalpha() else f"dump_{name}".strip("_")
