"""A town and a recipe -> a dump: encoded by the column, in parts of bounded size, with its faults listed beside it."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from extractors.charsets.contract import Charset
from extractors.reading import Choice, Reading, Spoken, make_layout, make_reading, read_text
from extractors.synthesis.columns import arrow, chosen, columns, constant
from extractors.synthesis.faults import Written as ToAlter
from extractors.synthesis.order import nested, places
from extractors.synthesis.planning import plan
from extractors.synthesis.plans import ColumnPlan, KindPlan, Total, is_text
from extractors.synthesis.recipe import Recipe, read_recipe, recipes
from extractors.synthesis.rows import Rows, whole
from extractors.synthesis.seeding import Apart, Hit, draw, draw_alone
from extractors.synthesis.town import ENTITIES
from extractors.synthesis.town.contract import Town, parts
from extractors.writing.records import Written, write_records
from migration_reports.findings import Problem, SpecError

MAX_RESIDENTS = 100_000_000

LISTED = ("record", "field", "kind", "code", "rule")
"""What is said of a fault: its record from 1, its field, what was done, and the finding and the rule that must find it."""

Fault = tuple[int, str, str, str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Synthesized:
    """A dump that was written: its file, its list of faults, and how many records and faults they hold."""

    dump: Path
    faults: Path
    records: int
    faulty: int


def _for_the_owner(path: str, flags: int) -> int:
    """Open a file that only its owner may read: a dump is taken for residents' data wherever it lies."""
    return os.open(path, flags, 0o600)


def synthesize(
    folder: Path,
    *,
    residents: int,
    seed: int,
    faults: float,
    out: Path,
    package: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Synthesized, ...]:
    """Write the dumps of one system of an invented municipality.

    Args:
        folder: the municipality's folder of a system, with its recipes.
        residents: how many people.
        seed: the same seed gives the same bytes.
        faults: the share of records that get a fault, 0 to 1; 0: none at all, whatever rates the recipe states.
        out: the folder to write into; each dump takes its expected name.
        package: where the recipe and the layout stand that the municipality does not have itself.
        progress: told the residents written and all of them.

    Raises:
        SpecError: the recipe or the layout cannot be used.
        ValueError: a number is out of range, or a value does not fit its field.
    """
    if not (1 <= residents <= MAX_RESIDENTS and 0 <= faults <= 1):
        raise ValueError(f"residents must be 1 to {MAX_RESIDENTS:,}, and faults a share from 0 to 1")
    roots = (folder, package) if package is not None else (folder,)
    sources = [_source(recipe, roots) for recipe in recipes(*roots)]
    for missing in (*reversed(out.parents), out):
        missing.mkdir(mode=0o700, exist_ok=True)
    made = (_write(source, residents, seed, faults, out, progress) for source in sources)
    return tuple(made)


def _write(
    source: _Source,
    residents: int,
    seed: int,
    faults: float,
    out: Path,
    progress: Callable[[int, int], None] | None,
) -> Synthesized:
    target = out / source.recipe.file
    listing = out / f"{source.recipe.file}.faults.csv"
    part_file, part_listing = target.with_name(f".{target.name}.part"), listing.with_name(f".{listing.name}.part")
    try:
        with (
            open(part_file, "wb", opener=_for_the_owner) as dump,
            open(part_listing, "w", newline="", encoding="utf-8", opener=_for_the_owner) as listed,
        ):
            writer = _Writer(source, faults, dump)
            rows = csv.writer(listed)
            rows.writerow(LISTED)
            for town in parts(ENTITIES, residents=residents, seed=seed):
                rows.writerows(writer.part(town))
                if progress is not None:
                    progress(town.first + town.size, residents)
            rows.writerows(writer.end(town))
        part_listing.replace(listing)
        part_file.replace(target)
    finally:
        for part in (part_listing, part_file):
            part.unlink(missing_ok=True)
    return Synthesized(target, listing, writer.records, writer.faulty)


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """A recipe that can be used, and how its records are written."""

    recipe: Recipe
    kinds: tuple[KindPlan, ...]
    reading: Reading


def _source(path: Path, roots: tuple[Path, ...]) -> _Source:
    recipe, located = read_recipe(path)
    root = next((root for root in roots if (root / recipe.layout).is_file()), None)
    problems = []
    if root is None:
        problems.append(Problem("Y006", located.at("layout"), f"`{recipe.layout[:80]}` cannot be read"))
    for key in ("charset", "framing"):
        if "name" not in getattr(recipe, key):
            problems.append(Problem("Y011", located.at(key), "key `name` is missing"))
    if root is None or problems:
        raise SpecError(problems)
    dialect = Choice(recipe.dialect) if recipe.dialect is not None else None
    spoken = Spoken(_choice(recipe.framing), _choice(recipe.charset), dialect, options=recipe.options)
    shown = f"{root.parent.name}/{root.name}/{recipe.layout}"
    reading = make_reading(spoken, make_layout(spoken, read_text(root / recipe.layout, shown), shown), roots[0])
    return _Source(recipe, plan(recipe, located, reading.layout, fixed_places=reading.fixed_places), reading)


def _choice(said: Mapping[str, str]) -> Choice:
    return Choice(said["name"], {key: value for key, value in said.items() if key != "name"})


class _Writer:
    """Writes the records of one dump, and keeps the counts and sums of what it has written."""

    def __init__(self, source: _Source, faults: float, dump: BinaryIO) -> None:
        self._kinds = kinds = source.kinds
        self._reading = source.reading
        self._charset = source.reading.charset
        self._faults = faults
        self._dump = dump
        dump.write(source.reading.framing.opening)
        self._counts: Counter[str] = Counter()
        stated = (
            c.what for kind in kinds if kind.role for c in kind.columns if isinstance(c.what, Total) and c.what.field
        )
        self._sums = dict.fromkeys(stated, 0)
        self._written: dict[str, tuple[Town, int, int]] = {}
        self.records = 0
        self.faulty = 0

    def part(self, town: Town) -> list[Fault]:
        """Write a part of the town, behind the headers where it is the first; returns its faults."""
        listed = [] if town.first else self._alone("header", town)
        kinds = tuple(kind for kind in self._kinds if kind.of is not None)
        rows = nested(kinds, {kind.name: _rows(kind, town) for kind in kinds})
        place = places(kinds, rows)
        made: list[tuple[np.ndarray, Written]] = []
        apart = Apart()
        for kind in kinds:
            own = rows[kind.name]
            values = dict(columns(kind, own))
            written, hits = self._encoded(kind, values, own.count, draw(kind, own, self._faults, apart), own)
            made.append((place[kind.name], written))
            self._counts[kind.name] += own.count
            listed += _listed(hits, self.records + 1 + place[kind.name])
        self._dump.write(self._reading.framing.wrap(*_in_order(made)).data)
        self.records += sum(own.count for own in rows.values())
        self.faulty += len(listed)
        return sorted(listed)

    def end(self, town: Town) -> list[Fault]:
        """Write the trailers, and the headers once more now that all is known that they state; returns the trailers' faults."""
        listed = self._alone("trailer", town)
        self.faulty += len(listed)
        for kind in self._kinds:
            if kind.role == "header" and any(isinstance(column.what, Total) for column in kind.columns):
                first, _, at = self._written[kind.name]
                self._dump.seek(at)
                self._one(kind, first)
        return listed

    def _alone(self, role: str, town: Town) -> list[Fault]:
        listed = []
        for kind in self._kinds:
            if kind.role == role:
                self._counts[kind.name] += 1
                self._written[kind.name] = town, self.records, self._dump.tell()
                listed += self._one(kind, town)
                self.records += 1
        return listed

    def _one(self, kind: KindPlan, town: Town) -> list[Fault]:
        values = {column.field.name: self._stated(column) for column in kind.columns}
        written, hits = self._encoded(kind, values, 1, draw_alone(kind, town, self._faults), None)
        self._dump.write(self._reading.framing.wrap(written.data, written.sizes).data)
        return _listed(hits, np.array([self._written[kind.name][1] + 1]))

    def _stated(self, column: ColumnPlan) -> pl.Series:
        """What a header or trailer says in a field."""
        if isinstance(column.what, Total):
            number = self._counts[column.what.kind] if column.what.field is None else self._sums[column.what]
            made = pl.Series([number], dtype=pl.Int64)
            return made.cast(pl.String) if is_text(column.field) else made
        return constant(column.field, str(column.what), 1)

    def _encoded(
        self, kind: KindPlan, values: dict[str, pl.Series], count: int, drawn: Iterable[Hit], rows: Rows | None
    ) -> tuple[Written, list[Hit]]:
        """The records of a kind, its faults in them; and the faults that could be made."""
        hits = list(drawn)
        for hit in hits:
            if hit.fault.kind.alter is not None:
                name = hit.fault.field.name
                values[name] = values[name].clone().scatter(hit.at, _altered(hit, values[name], rows))
        framing = self._reading.framing
        written = write_records(
            kind.segment,
            {name: arrow(column) for name, column in values.items()},
            charset=self._charset,
            count=count,
            least=framing.record_length if framing.fixed else 0,
            fixed_places=self._reading.fixed_places,
        )
        made = [_spoilt(hit, written, self._charset) for hit in hits]
        for total in self._sums:
            if total.kind == kind.name and total.field is not None:
                lost = [h.at for h in made if h.fault.kind.spoil is not None and h.fault.field.name == total.field]
                column = values[total.field]
                unread = column.gather(np.concatenate(lost)).sum() if lost else 0
                self._sums[total] += int(column.sum()) - int(unread)
        return written, made


def _in_order(made: list[tuple[np.ndarray, Written]]) -> tuple[np.ndarray, np.ndarray]:
    """The records of several kinds in their order, and the bytes of each.

    Args:
        made: of each kind, the places of its records among all, and its records.
    """
    sizes = np.empty(sum(len(place) for place, _ in made), np.int64)
    for place, written in made:
        sizes[place] = written.sizes
    data = np.empty(int(sizes.sum()), np.uint8)
    if len(sizes) and (sizes == sizes[0]).all():
        records = data.reshape(len(sizes), -1)
        for place, written in made:
            records[_run(place)] = written.data.reshape(len(place), int(sizes[0]))
        return data, sizes
    begins = np.cumsum(sizes) - sizes
    for place, written in made:
        moved = begins[place] - (np.cumsum(written.sizes) - written.sizes)
        data[np.arange(len(written.data)) + np.repeat(moved, written.sizes)] = written.data
    return data, sizes


def _run(places: np.ndarray) -> np.ndarray | slice:
    """Places as a slice, where they are one run: such are copied faster."""
    one = len(places) and places[-1] - places[0] + 1 == len(places)
    return slice(places[0], places[-1] + 1) if one else places


def _rows(kind: KindPlan, town: Town) -> Rows:
    assert kind.of is not None
    rows = whole(town, kind.of)
    return Rows(town, kind.of, rows.index[chosen(kind.where, rows)]) if kind.where else rows


def _altered(hit: Hit, values: pl.Series, rows: Rows | None) -> pl.Series:
    fault = hit.fault
    other = None
    if fault.than is not None and rows is not None:
        other = rows.values(fault.than.way, fault.than.attribute.name).gather(hit.at).to_numpy()
    assert fault.kind.alter is not None
    return fault.kind.alter(ToAlter(values, hit.at, fault.format, other, fault.value, hit.rng))


def _spoilt(hit: Hit, written: Written, charset: Charset) -> Hit:
    """Spoil the bytes of records, where the fault does so; returns the fault with the records that it could be made in."""
    field, spoil = hit.fault.field, hit.fault.kind.spoil
    if spoil is None:
        return hit
    places = written.places[field.name][hit.at][:, None] + np.arange(field.width)
    spoiled = written.data[places]
    changed = spoil(spoiled, field, charset)
    written.data[places[changed]] = spoiled[changed]
    return dataclasses.replace(hit, at=hit.at[changed])


def _listed(hits: Iterable[Hit], records: np.ndarray) -> list[Fault]:
    return [
        (int(record), hit.fault.field.name, hit.fault.kind.name, hit.fault.code, hit.fault.rule)
        for hit in hits
        for record in records[hit.at]
    ]
