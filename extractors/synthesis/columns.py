"""Attributes of a town -> the values of fields: texts, and whole numbers in the unit of the field's last digit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from extractors.layout import Field
from extractors.synthesis.plans import KindPlan, Source, TablePlan, is_text
from extractors.synthesis.rows import Rows, Way, whole
from extractors.synthesis.town._tools import ordinals
from migration_reports.findings import Problem, SpecError


def columns(kind: KindPlan, rows: Rows) -> Iterator[tuple[str, pl.Series]]:
    """The fields of records of a kind, in the order of the recipe, with a value for each row, and its varying tables.

    Raises:
        SpecError: a value of the town has no code, or is no number.
    """
    for column in kind.columns:
        if isinstance(column.what, TablePlan):
            yield column.field.name, pl.Series(_filled(column.what, rows)[1]).cast(_type(column.field))
        elif isinstance(column.what, Source | str):
            yield column.field.name, values(column.field, column.what, rows)
    for table in kind.tables:
        yield from _list(table, rows) if table.column else _occurrences(table, rows)


def values(field: Field, what: Source | str, rows: Rows) -> pl.Series:
    """What stands in a field for each row: strings, or int64 unscaled; blank and zero where there is nothing."""
    if isinstance(what, str):
        return constant(field, what, rows.count)
    return _written(field, what, rows.values(what.way, what.attribute.name))


def constant(field: Field, value: str, count: int) -> pl.Series:
    """The same in every record."""
    return pl.Series([value if is_text(field) else int(value)], dtype=_type(field)).new_from_index(0, count)


def arrow(column: pl.Series) -> pa.Array | np.ndarray:
    """A column as it is encoded."""
    if isinstance(column.dtype, pl.List):
        return pa.concat_arrays([column.to_arrow()]).cast(_narrow(column.dtype))
    return column.to_arrow() if column.dtype == pl.String else column.to_numpy()


def _narrow(kind: pl.DataType) -> pa.DataType:
    """The type of a list as records are written from it."""
    inner = kind.inner  # type: ignore[attr-defined]
    if isinstance(inner, pl.Struct):
        return pa.list_(
            pa.struct([(f.name, pa.string() if f.dtype == pl.String else pa.int64()) for f in inner.fields])
        )
    return pa.list_(pa.string() if inner == pl.String else pa.int64())


def texts(source: Source, rows: Rows) -> pl.Series:
    """An attribute as the text that conditions compare."""
    return rows.values(source.way, source.attribute.name).cast(pl.String)


def _written(field: Field, source: Source, column: pl.Series) -> pl.Series:
    text = is_text(field)
    if source.format is not None:
        known = column.is_not_null()
        days = column.fill_null(pl.date(1970, 1, 1)).to_numpy() if column.null_count() else column.to_numpy()
        numbers = pl.Series(source.format.write(days.astype("datetime64[D]")))
        column = numbers if known.all() else numbers.set(~known, None)
    elif source.codes:
        column = _coded(source, column)
    elif not text and isinstance(column.dtype, pl.Decimal):
        column = (column * 10 ** max(field.picture.scale, 0)).cast(pl.Int64)
    elif not text and column.dtype == pl.Int64 and field.picture.scale > 0:
        column = column * 10**field.picture.scale
    if text:
        said = column.cast(pl.String)
        return said.fill_null("") if said.null_count() else said
    numbers = column.cast(pl.Int64, strict=False)
    if numbers.null_count() > column.null_count():
        message = f"`{source.attribute.name}` is not a number everywhere, and `{field.name}` is one"
        raise SpecError([Problem("Y033", source.position, message, hint="write `codes:`, or use another attribute")])
    return numbers.fill_null(0) if numbers.null_count() else numbers


def _coded(source: Source, column: pl.Series) -> pl.Series:
    given = column.cast(pl.String)
    coded = given.replace_strict(dict(source.codes), default=None, return_dtype=pl.String)
    missing = given.filter(coded.is_null()).drop_nulls().unique().sort()
    if missing.len():
        message = f"`codes` has nothing for `{source.attribute.name}` {', '.join(missing.head(10))}"
        raise SpecError([Problem("Y012", source.position, message)])
    return coded


def _list(table: TablePlan, rows: Rows) -> Iterator[tuple[str, pl.Series]]:
    """A varying table as a list of its occurrences."""
    children, owner, at = _owned(table, rows)
    written = {fields[0].name: values(fields[0], what, children) for fields, what in table.columns}
    there = np.flatnonzero((at >= 0) & (owner >= 0))
    whose = pl.Series("owner", owner[there])
    frame = pl.DataFrame([whose, *(column.gather(there).alias(name) for name, column in written.items())])
    one = pl.col(next(iter(written))) if table.elementary else pl.struct(*written)
    lists = frame.group_by("owner", maintain_order=True).agg(one.alias(table.column))
    every = pl.DataFrame({"owner": np.arange(rows.count)}).join(lists, on="owner", how="left", maintain_order="left")
    yield table.column, every[table.column].fill_null(pl.Series([[]], dtype=lists[table.column].dtype))


def _owned(table: TablePlan, rows: Rows) -> tuple[Rows, np.ndarray, np.ndarray]:
    """The rows that fill a table, the record of each (-1: none), and which occurrence of it (below 0: none is left)."""
    children, _ = _filled(table, rows)
    parents = children.parents(rows.entity)
    sizes = np.bincount(parents, minlength=rows.town[rows.entity].height)
    at = ordinals(parents) - np.maximum(sizes - table.occurs, 0)[parents]
    position = np.full(rows.town[rows.entity].height, -1)
    position[rows.index] = np.arange(rows.count)
    return children, position[parents], at


def _occurrences(table: TablePlan, rows: Rows) -> Iterator[tuple[str, pl.Series]]:
    children, owner, at = _owned(table, rows)
    for fields, what in table.columns:
        written = values(fields[0], what, children)
        empty = pl.repeat("" if written.dtype == pl.String else 0, rows.count, dtype=written.dtype, eager=True)
        for number, field in enumerate(fields):
            chosen = np.flatnonzero((at == number) & (owner >= 0))
            yield field.name, empty.clone().scatter(owner[chosen], written.gather(chosen))


def _filled(table: TablePlan, rows: Rows) -> tuple[Rows, np.ndarray]:
    """The rows of the entity that fills a table, and how many occurrences each record has of it."""
    children = whole(rows.town, table.of)
    sizes = np.bincount(children.parents(rows.entity), minlength=rows.town[rows.entity].height)
    return children, np.minimum(sizes, table.occurs)[rows.index]


def chosen(where: tuple[tuple[Source, frozenset[str]], ...], rows: Rows) -> np.ndarray:
    """Which rows have one of the values, for each of the attributes."""
    fits = np.ones(rows.count, np.bool_)
    for source, allowed in where:
        fits &= texts(source, rows).is_in(list(allowed)).fill_null(value=False).to_numpy()
    return fits


def there(way: Way, rows: Rows) -> np.ndarray:
    """Which rows reach a row."""
    return rows.reach(way).is_not_null().to_numpy()


def _type(field: Field) -> type[pl.DataType]:
    return pl.String if is_text(field) else pl.Int64
