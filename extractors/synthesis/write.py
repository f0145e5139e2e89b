"""Population and recipe -> dump: encoded by the column, in parts of bounded size, with its faults listed beside it."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from extractors import charsets
from extractors.charsets.contract import Charset
from extractors.copybooks.copybook import read_copybook
from extractors.copybooks.layout import Field, Layout
from extractors.encode import encode
from extractors.synthesis.faults import DUPLICATE_KEY, FAULTS
from extractors.synthesis.town._names import Population, populate
from extractors.synthesis.recipe import FieldRecipe, KindRecipe, Recipe, read_recipe

PART = 100_000
"""Residents encoded at a time."""

MAX_RESIDENTS = 100_000_000


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
) -> Synthesized:
    """Write a dump of an invented municipality.

    Args:
        folder: the municipality's folder, with its synthesis.yaml.
        residents: how many people.
        seed: the same seed gives the same bytes.
        faults: the share of records that get a fault, 0 to 1.
        out: the folder to write into; the dump takes its expected name.
        package: where the recipe and the layout stand that the municipality does not have itself.
        progress: told the residents written and all of them.

    Raises:
        SpecError: the recipe or the layout cannot be used.
        ValueError: a number is out of range, or a value does not fit its field.
    """
    if not (1 <= residents <= MAX_RESIDENTS and 0 <= faults <= 1):
        raise ValueError(f"residents must be 1 to {MAX_RESIDENTS:,}, and faults a share from 0 to 1")
    roots = (folder, package) if package is not None else (folder,)
    recipe = read_recipe(*roots)
    root = next((root for root in roots if (root / recipe.layout).is_file()), folder)
    layout = read_copybook((root / recipe.layout).read_text("utf-8"), file=f"{root.name}/{recipe.layout}")
    options = {key: value for key, value in recipe.charset.items() if key != "name"}
    writer = _Writer(recipe, layout, charsets.load(recipe.charset["name"], options, folder), faults)
    for missing in (*reversed(out.parents), out):
        missing.mkdir(mode=0o700, exist_ok=True)
    target = out / recipe.file
    listing = out / f"{recipe.file}.faults.csv"
    part_file, part_listing = target.with_name(f".{target.name}.part"), listing.with_name(f".{listing.name}.part")
    rng = np.random.default_rng(seed)
    with (
        open(part_file, "wb", opener=_for_the_owner) as dump,
        open(part_listing, "w", newline="", encoding="utf-8", opener=_for_the_owner) as listed,
    ):
        rows = csv.writer(listed)
        rows.writerow(("record", "field", "kind", "code"))
        writer.whole("header", dump)
        done, household = 0, 1
        while done < residents:
            size = min(PART, residents - done)
            population = populate(size, rng=rng, first_household=household, first_resident=done + 1)
            rows.writerows(writer.part(population, rng, dump))
            done += size
            household += population.households.height
            if progress is not None:
                progress(done, residents)
        writer.whole("trailer", dump)
    part_listing.replace(listing)
    part_file.replace(target)
    return Synthesized(target, listing, writer.records, writer.faulty)


class _Writer:
    def __init__(self, recipe: Recipe, layout: Layout, charset: Charset, faults: float) -> None:
        self._recipe = recipe
        self._layout = layout
        self._charset = charset
        self._faults = faults
        self._fields = {name: layout.fields(kind.group) for name, kind in recipe.kinds.items()}
        self._counts = dict.fromkeys(recipe.kinds, 0)
        self._sums: dict[str, int] = {}
        self.records = 0
        self.faulty = 0

    def whole(self, of: str, dump: Any) -> None:
        """Write the header or the trailer."""
        for name, kind in self._recipe.kinds.items():
            if kind.of == of:
                columns = {
                    field: self._total(self._field(name, field), recipe) for field, recipe in kind.fields.items()
                }
                cells = self._encode(name, columns, 1)
                self._counts[name] += 1
                self.records += 1
                dump.write(cells.tobytes())

    def part(self, population: Population, rng: np.random.Generator, dump: Any) -> list[tuple[int, str, str, str]]:
        """Write a part of the population; returns its faults."""
        kinds: dict[str, tuple[str, KindRecipe]] = {
            k.of: (name, k) for name, k in self._recipe.kinds.items() if k.of in ("households", "residents")
        }
        sources = {"households": population.households, "residents": population.residents}
        encoded: dict[str, np.ndarray] = {}
        for of, (name, kind) in kinds.items():
            frame = sources[of]
            columns = {field: _column(self._field(name, field), recipe, frame) for field, recipe in kind.fields.items()}
            encoded[of] = self._encode(name, columns, frame.height)
            self._counts[name] += frame.height
        order = _order(population, "households" in encoded)
        total = sum(len(cells) for cells in encoded.values())
        records = np.empty((total, self._layout.length), np.uint8)
        listed: list[tuple[int, str, str, str]] = []
        for source, cells in encoded.items():
            name, kind = kinds[source]
            spoiled = self._spoil(name, kind, cells, rng, spared=_spared(sources[source]))
            self._add_sums(name, kind, sources[source], spoiled)
            records[order[source]] = cells
            listed.extend((self.records + int(order[source][row]) + 1, f, k, c) for row, f, k, c in spoiled)
        dump.write(records.tobytes())
        self.records += total
        self.faulty += len(listed)
        return sorted(listed)

    def _spoil(
        self, name: str, kind: KindRecipe, cells: np.ndarray, rng: np.random.Generator, *, spared: np.ndarray
    ) -> list[tuple[int, str, str, str]]:
        if not kind.faults or not self._faults:
            return []
        hit = np.nonzero((rng.random(len(cells)) < self._faults) & ~spared)[0]
        which = rng.integers(0, len(kind.faults), len(hit))
        faulty = np.zeros(len(cells), np.bool_)
        faulty[hit] = True
        listed: list[tuple[int, str, str, str]] = []
        for number, fault in enumerate(kind.faults):
            field = self._field(name, fault.field)
            at = hit[which == number]
            span = slice(field.offset, field.offset + field.width)
            if fault.kind == DUPLICATE_KEY:
                at = at[at > 0]
                at = at[~faulty[at - 1]]
                cells[at, span] = cells[at - 1, span]
                code = "V404"
            else:
                spoiled = cells[at, span]
                changed = FAULTS[fault.kind].spoil(spoiled, field, self._charset)
                at, spoiled = at[changed], spoiled[changed]
                cells[at, span] = spoiled
                code = FAULTS[fault.kind].code
            listed.extend((int(row), fault.field, fault.kind, code) for row in at)
        return listed

    def _add_sums(
        self, name: str, kind: KindRecipe, frame: pl.DataFrame, spoiled: list[tuple[int, str, str, str]]
    ) -> None:
        """Sum what the trailer states: the values that are still valid."""
        for other in self._recipe.kinds.values():
            for recipe in other.fields.values():
                of, _, field = (recipe.sum or "").partition(".")
                attribute = kind.fields[field].attribute if of == name and field in kind.fields else None
                if attribute is None:
                    continue
                values = frame[attribute].to_numpy().copy()
                values[[row for row, spoiled_field, _, _ in spoiled if spoiled_field == field]] = 0
                self._sums[str(recipe.sum)] = self._sums.get(str(recipe.sum), 0) + int(values.sum())

    def _total(self, field: Field, recipe: FieldRecipe) -> pa.Array | np.ndarray:
        if recipe.count is not None:
            return np.array([self._counts[recipe.count]])
        if recipe.sum is not None:
            return np.array([self._sums.get(recipe.sum, 0)])
        return _column(field, recipe, pl.DataFrame({"one": [1]}))

    def _encode(self, name: str, columns: Mapping[str, pa.Array | np.ndarray], count: int) -> np.ndarray:
        length = self._layout.length
        return encode(self._fields[name], columns, charset=self._charset, length=length, count=count)

    def _field(self, kind: str, name: str) -> Field:
        for field in self._fields[kind]:
            if field.name == name:
                return field
        raise ValueError(f"the layout has no field {name} in {kind}")


def _column(field: Field, recipe: FieldRecipe, frame: pl.DataFrame) -> pa.Array | np.ndarray:
    is_text = field.arrow_type == pa.string()
    if recipe.attribute is not None:
        series = frame[recipe.attribute]
        return series.cast(pl.String).to_arrow() if is_text else series.cast(pl.Int64).to_numpy()
    constant = recipe.constant or ""
    return pa.array([constant] * frame.height) if is_text else np.full(frame.height, int(constant or 0))


def _spared(frame: pl.DataFrame) -> np.ndarray:
    """Who gets no fault: a run that would lose a protective measure may not be promoted at all."""
    if "protected" not in frame.columns:
        return np.zeros(frame.height, np.bool_)
    return (frame["protected"] != "").to_numpy()


def _order(population: Population, interleaved: bool) -> Mapping[str, np.ndarray]:
    """Where each record stands: residents in order, or each household followed by its residents."""
    household = population.residents["household"].to_numpy()
    place = np.arange(len(household))
    if not interleaved:
        return {"residents": place}
    sizes = population.households["members"].to_numpy()
    starts = np.cumsum(sizes + 1) - (sizes + 1)
    return {"households": starts, "residents": place + household + 1}
