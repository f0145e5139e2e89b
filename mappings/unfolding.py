"""A row for each occurrence of a table (OCCURS), or for each run of equal ones: whole columns at a time.

Of a table with a fixed number of occurrences the columns of all of them are laid one behind another, and each row takes
its value from there: occurrence `place` of record `row` stands at `place * records + row`. A member of a table around has
fewer columns, and each of them serves several places.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from mappings.plan import FROM, OCCURRENCE, PLACE, TO, VALUE, Occurrences, Runs, occurrence_of

_Places = npt.NDArray[np.int64]


def unfold(each: Occurrences, frame: pl.DataFrame, wanted: Collection[str] | None = None) -> pl.DataFrame:
    """The rows that occurrences give, in the order of records and occurrences.

    Args:
        each: the occurrences.
        frame: the records.
        wanted: the columns that somebody reads, of those that the rows have; every one, where None.
    """
    for column in each.lists:
        frame = _taken_apart(frame, column)
    if each.flat:
        return _laid_out(each, frame, wanted)
    if each.runs is not None:
        frame = _of_runs(each, each.runs, frame)
    elif each.lists:
        frame = frame.with_columns(pl.col(occurrence_of(each.table)).alias(OCCURRENCE))
    return frame if wanted is None else frame.select(name for name in frame.columns if name in wanted)


def _taken_apart(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """A row for each entry of a list, numbered; a member hides a field of its name."""
    number = occurrence_of(column)
    count = pl.col(column).list.len().cast(pl.Int64)
    frame = frame.filter(count > 0).with_columns(pl.int_ranges(1, count + 1).alias(number)).explode(column, number)
    if frame.schema[column] != pl.Struct:
        return frame
    members = frame[column].struct.fields
    return frame.drop(name for name in members if name in frame.columns and name != column).unnest(column)


def _laid_out(each: Occurrences, frame: pl.DataFrame, wanted: Collection[str] | None) -> pl.DataFrame:
    """A row for each occurrence of tables with a fixed number of them, or for each run of equal ones."""
    size = each.fixed
    rows = np.repeat(np.arange(frame.height), size)
    places = np.tile(np.arange(size), frame.height)
    made: dict[str, pl.Series] = {}
    if each.runs is not None:
        values = _at(frame, each.flat[each.table], rows, places, size)
        starts, of_runs = _runs(values, places % each.shape[-1], each.runs)
        made.update(of_runs)
        rows, places = rows[starts], places[starts]
    made |= {**dict(_numbers(each, places)), PLACE: pl.Series(places)}
    for name, columns in each.flat.items():
        if name in each.members and (wanted is None or name in wanted) and set(columns) <= set(frame.columns):
            made[name] = _at(frame, columns, rows, places, size)
    apart = {column for columns in each.flat.values() for column in columns}
    rest = [name for name in frame.columns if name not in apart and (wanted is None or name in wanted)]
    added = [series.alias(name) for name, series in made.items() if wanted is None or name in wanted]
    return frame.select(rest)[rows].hstack(added)


def _at(frame: pl.DataFrame, columns: tuple[str, ...], rows: _Places, places: _Places, size: int) -> pl.Series:
    """The values at some places of some records; of fewer columns than places, each serves several."""
    behind = pl.concat([frame[column] for column in columns], rechunk=True)
    return behind[places // (size // len(columns)) * frame.height + rows]


def _numbers(each: Occurrences, places: _Places) -> Iterator[tuple[str, pl.Series]]:
    """The numbers of the occurrences at some places, by what a row calls them."""
    fixed = each.tables[len(each.lists) :]
    stride = 1
    for table, extent in zip(reversed(fixed), reversed(each.shape), strict=True):
        number = pl.Series(places // stride % extent + 1, dtype=pl.Int64)
        if stride == 1 and each.runs is None:
            yield OCCURRENCE, number
        if stride > 1 or each.runs is None:
            yield occurrence_of(table), number
        stride *= extent


def _of_runs(each: Occurrences, runs: Runs, frame: pl.DataFrame) -> pl.DataFrame:
    """A row for each run of equal entries of a list that has been taken apart."""
    number = occurrence_of(each.table)
    starts, made = _runs(frame[each.table], frame[number].to_numpy() - 1, runs)
    return frame.drop(each.table, number)[starts].hstack([series.alias(name) for name, series in made.items()])


def _runs(values: pl.Series, places: _Places, runs: Runs) -> tuple[_Places, Mapping[str, pl.Series]]:
    """Where the runs begin that give a row, and what these rows have of them.

    Args:
        values: occurrences, those of a record or of an occurrence around one behind the other.
        places: the place of each there, from 0; a run does not go on from the last to a first.
        runs: which give a row. What holds no value gives none: that has been reported already.
    """
    begins = np.flatnonzero(values.ne_missing(values.shift()).to_numpy() | (places == 0))
    lengths = np.diff(begins, append=len(values))
    value = values[begins]
    text = value.cast(pl.String)
    chosen = value.is_not_null()
    if runs.values:
        chosen &= text.is_in(runs.values)
    if runs.besides:
        chosen &= ~text.is_in(runs.besides)
    at = chosen.fill_null(value=False).arg_true().to_numpy()
    first = places[begins][at] + 1
    made = {FROM: pl.Series(first), TO: pl.Series(first + lengths[at] - 1), VALUE: value[at]}
    return begins[at], made
