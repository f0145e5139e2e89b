"""A draft as files: manifest stubs, mapping and code tables, with what the copybook says beside each field."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from dags.authoring.draft import Draft, Left, Part, role_of
from dags.authoring.guesses import Given, Guess
from dags.authoring.schemas import modeline
from extractors.batches import Kind
from extractors.dialects import usual
from extractors.reading import Choice
from mappings.compiling.columns import groups_of
from mappings.language.manifest import BUILT_IN, TABLE_OPTIONS
from mappings.language.reader import MANIFEST, MAPPING
from migration_reports.findings import UsageError
from migration_reports.items import heading, is_text, item_of, table_of
from migration_reports.private_files import write_whole

STUB = "999997_draft"
"""What a municipality is called that nobody has named: no municipality has this number, but its check digit is right."""

_PLAIN = re.compile(r"^[^\W\d_][\w$.()@*/ -]*$")


def write(draft: Draft, folder: Path, copybook: Path) -> tuple[Path, ...]:
    """Write a draft into a new folder of its system, and the municipality's manifest where there is none yet.

    Raises:
        UsageError: there is something already.
    """
    drafted = files_of(draft, folder.name, copybook, beside=folder)
    files = {name: text for name, text in drafted.items() if name != MANIFEST or not (folder / name).exists()}
    for name in files:
        if (folder / name).exists():
            raise UsageError(f"{folder / name} is there already; a draft overwrites nothing. Give another --out.")
    for name, text in files.items():
        write_whole(folder / name, text.encode())
    copies = {f"layouts/{copybook.name}": str(copybook)} | {to: source for _, source, to in _table_files(draft)}
    for target, source in copies.items():
        (folder / draft.system.name / target).parent.mkdir(exist_ok=True)
        shutil.copyfile(source, folder / draft.system.name / target)
    return tuple(folder / name for name in (*files, *(f"{draft.system.name}/{target}" for target in copies)))


def files_of(draft: Draft, folder: str, copybook: Path, *, beside: Path | None = None) -> Mapping[str, str]:
    """The files of a draft, by their path inside the municipality's folder; `beside`: where that will lie, if known."""
    system = draft.system.name
    inside = beside / system if beside is not None else None
    texts = {
        MANIFEST: (*modeline("manifest", beside), *_head(folder)),
        f"{system}/{MANIFEST}": (*modeline("system_manifest", inside), *_manifest(draft, copybook)),
        f"{system}/{MAPPING}": (*modeline("mapping", inside), *_mapping(draft, copybook)),
        **{f"{system}/codes/{name}.csv": tuple(_codes(draft, name, codes)) for name, codes in draft.codes.items()},
    }
    return {name: "\n".join(lines) + "\n" for name, lines in texts.items()}


def _head(folder: str) -> Iterator[str]:
    code, _, romaji = folder.partition("_")
    yield "# Mend code and name. What is handed over for a system stands in the folder of its name."
    yield "municipality:"
    yield f'  code: "{code}"' + (
        "  # no municipality's: write yours, and call the folder CODE_romaji" if folder == STUB else ""
    )
    yield '  name: "？"'
    yield f"  romaji: {romaji}"


def _manifest(draft: Draft, copybook: Path) -> Iterator[str]:
    yield f"# Drafted from {copybook.name}. Mend the title; add controls (see the mapping guide)."
    yield f'edition: "{draft.system.latest}"'
    yield "dumps:"
    yield f"  {draft.name}:"
    names = [file.name for file in draft.files] or [f"{draft.name}.dat"]
    yield f"    file: {text(names[0]) if len(names) == 1 else json.dumps(names, ensure_ascii=False)}"
    yield f"    title: {text(copybook.stem)}"
    yield f"    layout: {text(f'layouts/{copybook.name}')}"
    spoken = draft.spoken
    tables = {(option, source): target for option, source, target in _table_files(draft)}
    for key, choice in (("framing", spoken.framing), ("charset", spoken.charset), ("dialect", spoken.dialect), ("container", spoken.container)):  # fmt: skip
        if choice is None or (key == "dialect" and choice == Choice(usual(spoken.charset.name))):
            continue
        options = {
            option: ",".join(str(tables.get((option, part), part)) for part in map(str.strip, value.split(",")))
            for option, value in choice.options.items()
        }
        said = ", ".join([f"name: {choice.name}", *(f"{option}: {text(value)}" for option, value in options.items())])
        assumed = "  # taken for granted; `hikkoshi diagnose DUMP` finds out" if not draft.files and key in ("framing", "charset") else ""  # fmt: skip
        yield f"    {key}: " + (f"{{{said}}}" if options else choice.name) + assumed
    if spoken.options:
        yield "    options: {" + ", ".join(f"{k}: {text(v)}" for k, v in spoken.options.items()) + "}"
    if spoken.replacing:
        yield f"    replacing: {json.dumps(dict(spoken.replacing), ensure_ascii=False)}"
    yield "    records:"
    for kind in draft.kinds:
        yield f"      {kind.name}: {{{_kind(kind)}}}"


def _kind(kind: Kind) -> str:
    parts = [f"field: {text(kind.field)}", f"values: {json.dumps(list(kind.values))}"] if kind.field else []
    parts += [f"group: {text(kind.group)}"] if kind.group else []
    parts += (
        [f"also: {json.dumps({f: list(v) for f, v in kind.also.items()}, ensure_ascii=False)}"] if kind.also else []
    )
    parts += [f"parent: {kind.parent}"] if kind.parent else []
    parts += [f"role: {role_of(kind)}"] if role_of(kind) != "data" else []
    return ", ".join(parts)


def _table_files(draft: Draft) -> Iterator[tuple[str, str, str]]:
    """The table files that the charset was given: option, path, and the path inside the folder."""
    for option, value in draft.spoken.charset.options.items():
        for path in filter(None, map(str.strip, value.split(","))) if option in TABLE_OPTIONS else ():
            if path not in BUILT_IN:
                yield option, path, f"tables/{Path(path).name}"


def _mapping(draft: Draft, copybook: Path) -> Iterator[str]:
    files = " and ".join([copybook.name, *(file.name for file in draft.files)])
    system = draft.system
    yield f"# {system.title_ja} ({system.title_en}), drafted from {files}."
    yield "# Each line `guessed:` says why a column is filled so: when it is right, `hikkoshi accept` it (check: Y026)."
    yield "# Each `?` under ignore: is a field that nobody has decided about: map it, or say why it is left (Y025)."
    yield f"system: {system.name}"
    for name, why in draft.not_drafted:
        yield f"# not drafted: {name}: {why}"
    yield "tables:" if draft.parts else "tables: {}"
    for part in draft.parts:
        yield from _part(draft, part, copybook)
    if any(draft.left.values()):
        yield "ignore:"
    for kind, left in draft.left.items():
        if left:
            yield f"  {draft.name}.{kind}:"
        for entry in left:
            yield from _ignored(entry, copybook, system.name)


def _part(draft: Draft, part: Part, copybook: Path) -> Iterator[str]:
    table = part.filled.table
    yield f"  {table.name}:  # {table_of(table).ja}: {table_of(table).en}"
    yield f"    from: {draft.name}.{part.kind}"
    if part.each:
        yield f"    each: {text(part.each)}"
    if part.one_per_key:
        yield "    keep: one_row_per_key  # several records have the same key; prefer: says which one stands"
    if part.prefer:
        yield f"    # prefer: {part.prefer}  # if that is the head of the household"
    if part.when:
        yield f"    when: {{field: {text(part.when)}}}  # a row only where it is filled"
    yield "    columns:"
    groups = groups_of(table)
    for name, guess in part.filled.guesses.items():
        item = item_of(groups[name][0])
        must = ", mandatory" if any(not member.nullable for member in groups[name]) else ""
        length = f" {item.length}" if is_text(item) else ""
        yield f"      # {item.ja}: {item.kind}{length}{must}"
        yield from _column(guess, copybook)
    for name in part.filled.missing:
        yield f"      # {name} ({heading(groups[name][0]).ja}) is mandatory, and no field looks like it (check: Y032)"
    if part.filled.empty:
        yield f"    empty: [{', '.join(part.filled.empty)}]"


def _column(guess: Guess, copybook: Path) -> Iterator[str]:
    if guess.given is not None:
        yield f"      #   {_described(guess.given, copybook)}"
    yield f"      {guess.column}:"
    if guess.constant:
        yield f'        constant: "{guess.constant}"'
    elif len(guess.sources) == 1:
        yield f"        from: {text(guess.sources[0])}"
    else:
        yield f"        from: [{', '.join(map(text, guess.sources))}]"
    if guess.transforms:
        yield f"        transforms: [{', '.join(guess.transforms)}]"
    for remark in guess.remarks:
        yield f"        # {remark}"
    yield f"        guessed: {json.dumps(guess.reason, ensure_ascii=False)}"


def _described(given: Given, copybook: Path) -> str:
    field = given.field
    place = f"{copybook.name}:{field.position.line}"
    comment = f"  *> {given.comment}" if given.comment else ""
    width = f"{field.width} byte{'s' if field.width != 1 else ''}"
    occurs = f" x {len(given.names)}" if len(given.names) > 1 else ""
    said = f"{place}  {field.data_name} PIC {field.picture.text} ({field.usage}, {width}{occurs}){comment}"
    if given.profile is None:
        return said
    best = f", like {given.best.title} ({given.best.title_ja})" if given.best is not None else ""
    return f"{said}; {given.profile.filled:,} filled, {given.profile.distinct:,} different{best}"


def _ignored(left: Left, copybook: Path, system: str) -> Iterator[str]:
    if left.given is not None:
        yield f"    # {_described(left.given, copybook)}"
    if left.remark:
        yield f"    # {left.remark.format(system=system)}"
    yield f"    - {{field: {text(left.field)}, reason: {json.dumps(left.reason, ensure_ascii=False)}}}"


def _codes(draft: Draft, name: str, codes: Mapping[str, str]) -> Iterator[str]:
    labels = next(
        {code: line.ja for code, line in code_set.labels.items()}
        for code_set in draft.system.code_sets
        if code_set.name == name
    )
    yield "old,new,label"
    for old, label in sorted(codes.items()):
        yield ",".join(map(_cell, (old, old if old in labels else "?", label or labels.get(old, "?"))))


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"\n') else value


def text(value: str) -> str:
    """A text as YAML writes it: plain where that cannot be misread."""
    plain = _PLAIN.match(value) and not value.endswith(" ") and " #" not in value
    return value if plain else json.dumps(value, ensure_ascii=False)
