"""Which rows a part of a table looks at: records or their occurrences, what its joins find, and the conditions it sets."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from mappings.expression import wide
from mappings.plan import BYTES, DUMP, OBJECT_TYPES, PLACE, RECORD, Join, PartPlan
from mappings.unfolding import unfold

HELD = ("_record", "_offset", "_parent")
"""What every row has of its record."""


def unfolded(part: PartPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that a part looks at: records, or the occurrences of a table in them, with what it reads of these."""
    return frame if part.each is None else unfold(part.each, frame, {*HELD, PLACE, *part.reads})


def look_up(frame: pl.DataFrame, join: Join, other: pl.DataFrame) -> pl.DataFrame:
    """Add the fields of the records that a join finds, as ALIAS.FIELD, and how many there were, as ALIAS?.

    Args:
        frame: held rows.
        join: what is looked at.
        other: the other records: `_record`, their keys and fields; of one key all of them.
    """
    mine = [ours for ours, _ in join.keys] or ["_parent"]
    theirs = [name for _, name in join.keys] or ["_record"]
    order = other.sort("_dump", "_record") if "_dump" in other.columns else other.sort("_record")
    pick = pl.all().last() if join.double == "last" else pl.all().first()
    named = {name: f"{join.alias}.{name}" for name in join.fields}
    found = (
        order.drop_nulls(theirs)
        .select(*[pl.col(name).alias(f"{join.alias}?{n}") for n, name in enumerate(theirs)],
                *[pl.col(name).alias(new) for name, new in named.items()])
        .group_by([f"{join.alias}?{n}" for n in range(len(theirs))], maintain_order=True)
        .agg(pick, pl.len().cast(pl.Int64).alias(f"{join.alias}?"))
    )  # fmt: skip
    return frame.join(
        found,
        left_on=mine,
        right_on=[f"{join.alias}?{n}" for n in range(len(theirs))],
        how="left",
        maintain_order="left",
    )


def wide_numbers(part: PartPlan) -> tuple[str, ...]:
    """The whole numbers that expressions and conditions read."""
    names = [name for c in part.columns if c.expression is not None for name in c.expression.reads]
    conditions = (*part.when, *part.prefer, *(condition for c in part.columns for condition in c.when))
    names += [name for condition in conditions for name in condition.wide]
    return tuple(dict.fromkeys(name for name in names if pa.types.is_integer(part.types[name])))


def prepared(part: PartPlan, frame: pl.DataFrame, whole: Sequence[str]) -> pl.DataFrame:
    """The columns that are no fields, and whole numbers that expressions read as 128 bits."""
    added = []
    if RECORD in part.reads:
        added.append(pl.col("_record").alias(RECORD))
    if DUMP in part.reads:
        added.append(pl.lit(part.dump).alias(DUMP))
    # Who maps records without the files beside them (an example) maps them as records that name none.
    for name in OBJECT_TYPES.keys() & set(part.reads) - set(frame.columns):
        added.append(pl.lit(None, pl.Int64 if name == BYTES else pl.String).alias(name))
    return frame.with_columns(*added, *[pl.col(n).cast(pl.Int128).alias(wide(n)) for n in whole])


def chosen_by(part: PartPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """The prepared rows that pass the conditions of a part, and find what its joins must find.

    Of a row without the header or trailer that a condition reads nobody knows; it stays, so that it is told of.
    """
    for condition in part.when:
        unknown = (~pl.col(f"{k}?") for k in part.around if any(name.startswith(f"{k}.") for name in condition.reads))
        frame = frame.filter(pl.any_horizontal(condition.mask, *unknown))
    for join in part.joins:
        if join.missing == "drop":
            frame = frame.filter(pl.col(f"{join.alias}?").is_not_null())
    return frame
