"""A first mapping of each layout of the systems' specification, onto the sheet that the specification makes of its items.

The specification lies beside the project, not in it.
"""

from __future__ import annotations

import csv
import io

import pytest
import yaml

from dags.authoring.draft import draft_of_dump
from dags.authoring.draft_text import STUB, files_of
from dags.inspection import reader
from extractors.reading import Spoken
from target_schemas.sheets import read_systems
from tests.extractors.test_specified_layouts import (
    CASES,
    SPECIFIED,
    choice,
    copybook,
    reading_of,
    synthesized,
)

pytestmark = pytest.mark.skipif(not SPECIFIED.is_dir(), reason="../shared/facts/systems is not here")


def _mended(row):
    """A line as a sheet takes it: the specification's are a first draft, without every name and length."""
    moment = row["type"] == "T"
    return {
        **row,
        "ja": row["ja"] or row["item"],
        "type": "S" if moment and row["length"] == "14" else row["type"],
        "length": "" if moment else row["length"],
        "codes": "",
        "reference": "",
        "check": "",
    }


def system_of(name, folder):
    """The system of a layout, of the items that the specification lists; codes and references are left out."""
    (sheet,) = SPECIFIED.glob(f"items/{name[:2]}_*.csv")
    rows = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"))))
    system = sheet.stem[3:]
    (folder / system).mkdir(parents=True)
    (folder / "codes").mkdir()
    (folder / "codes" / "code_sets.csv").write_text("code_set,ja,en,open,source\n", encoding="utf-8")
    kept = [_mended(row) for row in rows]
    with (folder / system / "items.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    tables = dict.fromkeys(row["table"] for row in rows)
    head = {
        "title": {"ja": system, "en": system},
        "based_on": "none (a sheet of the tests)",
        "editions": {"1.0": "2026-04-01"},
        "tables": {table: {"ja": table, "en": table} for table in tables},
    }
    (folder / system / "system.yaml").write_text(yaml.safe_dump(head, allow_unicode=True), encoding="utf-8")
    (made,) = read_systems(folder, [system], folder / "codes")
    return made


def spelled(kind):
    """A record kind as the command line takes it."""
    name, (group, said) = kind
    return f"{name}={'&'.join(f'{field}:{value}' for field, value in said.items())}:{group}"


@pytest.mark.parametrize("name", list(CASES))
def test_every_field_is_guessed_or_left(name, tmp_path):
    system = system_of(name, tmp_path / "systems")
    reading = reading_of(name)
    data, _ = synthesized(name, reading)
    book, dump = tmp_path / f"l{name.lower()}.cpy", tmp_path / f"l{name.lower()}.dat"
    book.write_text(copybook(name), encoding="utf-8")
    dump.write_bytes(data)
    case = CASES[name]
    spoken = Spoken(choice(case["framing"]), choice(case["charset"]))
    options = {"source_format": "free"}
    kinds = tuple(map(spelled, CASES[name].get("kinds", {}).items()))
    job = reader.make_job([dump], layout=book, spoken=spoken, options=options, kinds=kinds)
    draft = draft_of_dump(job, book, system, spoken=spoken, options=options)
    texts = files_of(draft, STUB, book)
    mapping = yaml.load(texts[f"{system.name}/mapping.yaml"], yaml.BaseLoader)
    assert mapping["system"] == system.name
    for kind in (kind for kind in draft.kinds if kind.name not in ("header", "trailer")):
        guessed = {of_row(g) for part in draft.parts if part.kind == kind.name for g in part.filled.guesses.values()}
        left = {stem(left["field"]) for left in mapping["ignore"].get(f"{draft.name}.{kind.name}", ())}
        assert set(names_of(reading.layout.segment(kind.group), left)) <= guessed | left, kind.name


def of_row(guess):
    return stem(guess.given.name) if guess.given is not None else ""


def stem(name):
    """A field without its subscripts, and whatever group qualifies it."""
    return name.partition("(")[0].partition(" OF ")[0]


def names_of(segment, left):
    """The fields of a record, and of its lists where these are not left whole."""
    for field in segment.fields:
        if not field.asked_only:
            yield field.data_name
    for table in segment.tables:
        if table.column not in left:
            yield from names_of(table.element, left)
