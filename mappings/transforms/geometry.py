"""A geometry, kept in its reference system: WKB with its number (EPSG), area, bounds and whether it is valid.

    WKB in hexadecimal, as a container of map files gives it    ->  the same, and what it measures
    POINT (-3000 5000)                                          ->  its WKB
    -3000, 5000 (two numbers, with axis: xy)                    ->  the point's WKB

`srid` says the system of the numbers: nothing is transformed, and what is of the old Japanese datum is remarked on. `axis`
is xy where east, or longitude, comes first, and yx where north, or latitude, does: X of 平面直角座標系 is north. What lies
outside of where its system is used is remarked on, too: the axes may be exchanged, the zone another, metres millimetres.

Sources: 平面直角座標系 (平成14年国土交通省告示第9号): 19 zones, X to the north; EPSG 6669 to 6687 (JGD2011), 2443 to 2461
(JGD2000), 30161 to 30179 (Tokyo); ISO 19125-1 (WKB).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl
import pydantic
import shapely

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform, Workings

OLD_DATUM = frozenset((4301, *range(30161, 30180)))
"""Of the Tokyo datum, some 400 m beside the others."""

PLANE = frozenset((*range(6669, 6688), *range(2443, 2462), *range(30161, 30180)))
DEGREES = frozenset((4301, 4326, 4612, 6668))

WIDEST, LONGEST = 170_000, 400_000
"""Metres from the origin of a zone, to the east or west and to the north or south, that are believed."""
JAPAN = (122.0, 20.0, 154.0, 46.0)
"""Degrees: west, south, east, north."""
MOST = 1e11

AREA, BOUND = pl.Decimal(24, 4), pl.Decimal(20, 8)
MADE = pl.Struct(
    {
        "srid": pl.Int64,
        "wkb": pl.String,
        "area": AREA,
        **dict.fromkeys(("west", "south", "east", "north"), BOUND),
        "valid": pl.Int64,
        "outside": pl.Boolean,
    }
)


class GeometryParams(Params):
    """srid: EPSG's number of the reference system; axis: xy, east first, or yx, north first (xy)."""

    srid: int = pydantic.Field(ge=1, le=999_999)
    axis: Literal["xy", "yx"] = "xy"


def apply(values: Sequence[pl.Expr], params: GeometryParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the geometry; it fails where it is none, is empty, or has rings that are not closed."""
    workings = Workings()
    texts = [value.cast(pl.String).str.strip_chars() for value in values]
    given = workings.keep(functools.reduce(lambda a, b: a & b, (t.is_not_null() & (t != "") for t in texts)))
    fields = pl.struct(*(pl.when(given).then(text).alias(f"v{n}") for n, text in enumerate(texts)))
    made = workings.keep(fields.map_batches(functools.partial(_made, params=params), MADE, is_elementwise=True))
    read = made.struct.field("wkb").is_not_null()
    old = pl.lit(params.srid in OLD_DATUM)
    return Outcome(
        pl.when(read).then(made),
        failed=(("V490", given & ~read),),
        remarks=(("V491", read & old), ("V493", read & made.struct.field("outside"))),
        workings=workings.made,
    )


def _made(values: pl.Series, params: GeometryParams) -> pl.Series:
    """Geometries of texts, or of the two numbers of points, all at once."""
    parts = [values.struct.field(name) for name in values.struct.fields]
    shapes = _points(parts[0], parts[1]) if len(parts) == 2 else _shapes(parts[0])
    if params.axis == "yx":
        shapes = shapely.transform(shapes, lambda places: places[:, ::-1])
    bounds = shapely.bounds(shapes)
    known = np.isfinite(bounds).all(axis=1) & (np.abs(np.nan_to_num(bounds)) < MOST).all(axis=1)
    shapes = _only(known, shapes)
    flat = params.srid not in DEGREES
    columns = {
        "srid": pl.Series([params.srid], dtype=pl.Int64).new_from_index(0, len(values)),
        "wkb": pl.Series(shapely.to_wkb(shapes, hex=True, byte_order=1), dtype=pl.String),
        "area": _numbers(shapely.area(shapes) if flat else np.full(len(values), np.nan), AREA),
        **{side: _numbers(bounds[:, n], BOUND) for n, side in enumerate(("west", "south", "east", "north"))},
        "valid": pl.Series(shapely.is_valid(shapes).astype(np.int64)),
        "outside": pl.Series(_outside(bounds, params.srid)),
    }
    return pl.DataFrame(columns).to_struct(values.name)


def _shapes(texts: pl.Series) -> np.ndarray:
    """Of WKB in hexadecimal, or WKT; None of anything else."""
    found = texts.to_numpy()
    in_words = texts.str.contains("^[A-Za-z]").fill_null(value=False).to_numpy()
    shapes = shapely.from_wkb(_only(~in_words, found), on_invalid="ignore")
    if in_words.any():
        shapes = np.where(in_words, shapely.from_wkt(_only(in_words, found), on_invalid="ignore"), shapes)
    return np.asarray(shapes, dtype=object)


def _only(which: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Some of the values, and None in the place of the others."""
    some = values.astype(object)
    some[~which] = None
    return some


def _points(first: pl.Series, second: pl.Series) -> np.ndarray:
    numbers = [part.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy() for part in (first, second)]
    there = np.isfinite(numbers[0]) & np.isfinite(numbers[1])
    return _only(there, shapely.points(np.nan_to_num(numbers[0]), np.nan_to_num(numbers[1])))


def _numbers(values: np.ndarray, kind: pl.Decimal) -> pl.Series:
    plain = np.where(np.abs(np.nan_to_num(values, nan=np.inf)) < MOST * MOST, values, np.nan)
    return pl.Series(plain).fill_nan(None).round(kind.scale).cast(kind, strict=False)


def _outside(bounds: np.ndarray, srid: int) -> np.ndarray:
    """Whether each lies where its system is not used; of a system that is not known here, never."""
    if srid in PLANE:
        west, south, east, north = -WIDEST, -LONGEST, WIDEST, LONGEST
    elif srid in DEGREES:
        west, south, east, north = JAPAN  # type: ignore[assignment]
    else:
        return np.zeros(len(bounds), bool)
    least, most = np.array((west, south)), np.array((east, north))
    return np.asarray((bounds[:, :2] < least).any(axis=1) | (bounds[:, 2:] > most).any(axis=1))


TRANSFORM = Transform(
    "geometry",
    __doc__ or "",
    GeometryParams,
    takes=frozenset({"text", "integer", "decimal"}),
    gives="geometry",
    apply=apply,
    joins=True,
    cheap=True,
)
