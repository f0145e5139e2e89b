"""Finding candidates: pairs of rows that may be one person, by blocks of rows that share an evidence.

Only rows within a block are paired, so that a million rows are as many steps and not a million times as many. A block that is
larger than its declaration allows tells nothing (a family's telephone, `不明` for a name): it is counted, and not paired. Every
pair is looked at once more, item by item, before it is proposed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from migration_reports.candidates import Candidates, Compared, Evidence
from migration_reports.masking import MASKS
from validators.engine import PLACE, SHARE
from validators.shapes.contract import Frames

MOST_PAIRS = 200_000
"""Of one evidence; one that gives more is too common to be looked at by people."""

PARTS = "/"
"""Between the parts of a number of several columns."""

PAIR = ("a", "b")
NO_PAIRS = pl.DataFrame(schema=dict.fromkeys(PAIR, pl.String))
PLACES = pl.Schema(zip(PLACE, (pl.String, pl.Int64, pl.Int64, pl.Int16), strict=True))

Likeness = Callable[[Compared, str], pl.Expr]
"""What an item of a row is compared as, as text; null where it says nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tried:
    """What an evidence gave.

    Attributes:
        evidence: its name.
        pairs: the pairs that it speaks for, among those that were found.
        groups_left: the blocks that were too large to be paired.
        rows_left: the rows in them.
        too_many: the pairs that it would give, where they are more than people look at; none of them was made.
    """

    evidence: str
    pairs: int = 0
    groups_left: int = 0
    rows_left: int = 0
    too_many: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """The pairs: a, b, evidence, strong, agree, differ (lists of names), the place of each row (a_*, b_*), and masked samples."""

    pairs: pl.DataFrame
    tried: tuple[Tried, ...]


def find(candidates: Candidates, frames: Frames, likeness: Likeness) -> Found:
    """Propose pairs.

    Args:
        candidates: what is looked for.
        frames: the rows by table.
        likeness: as what items are compared.
    """
    sides = (
        Side(candidates.number, _chosen(candidates, frames[candidates.of]), *_likenesses(candidates, likeness, "own")),
        Side(candidates.other_number, _other(candidates, frames), *_likenesses(candidates, likeness, "other")),
    )
    blocked = [_blocked(candidates, evidence, sides) for evidence in candidates.evidence]
    pairs = _looked_at(candidates, sides, pl.concat([pairs for pairs, _ in blocked]).unique())
    counts = dict(pairs["evidence"].explode().value_counts().iter_rows()) if pairs.height else {}
    return Found(pairs, tuple(dataclasses.replace(one, pairs=counts.get(one.evidence, 0)) for _, one in blocked))


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """Rows that are compared: the columns of their number, what their items are compared as, and masked."""

    number: tuple[str, ...]
    rows: pl.LazyFrame
    likenesses: Mapping[str, pl.Expr]
    sample: pl.Expr


def _chosen(candidates: Candidates, rows: pl.LazyFrame) -> pl.LazyFrame:
    masks = [pl.col(item).is_in(values) for item, values in candidates.where.items()]
    return rows.filter(pl.all_horizontal(masks)) if masks else rows


def _number(columns: Sequence[str]) -> pl.Expr:
    return pl.concat_str([pl.col(name).cast(pl.String) for name in columns], separator=PARTS)


def _other(candidates: Candidates, frames: Frames) -> pl.LazyFrame:
    return frames[candidates.other] if candidates.between else _chosen(candidates, frames[candidates.of])


def _likenesses(candidates: Candidates, likeness: Likeness, side: str) -> tuple[Mapping[str, pl.Expr], pl.Expr]:
    items = {one.name: getattr(one, side) for one in candidates.compared}
    made = {one.name: likeness(one, items[one.name]).alias(one.name) for one in candidates.compared}
    return made, _sample(candidates.compared, items)


def _blocked(candidates: Candidates, evidence: Evidence, sides: tuple[Side, Side]) -> tuple[pl.DataFrame, Tried]:
    """The pairs of numbers that an evidence names, with such as only seem to agree; and what was left."""
    first = _keyed(sides[0], evidence)
    second = _keyed(sides[1], evidence) if candidates.between else first
    shares = -(-max(first.height, second.height, 1) // SHARE)
    parts, left, rows, pairs = [], 0, 0, 0
    for number in range(shares):
        mine, others = (one.filter(pl.col("key") % shares == number) if shares > 1 else one for one in (first, second))
        sizes = _sizes(mine, others, between=candidates.between)
        many = sizes["rows"] > candidates.most
        left, rows = left + int(many.sum()), rows + int(sizes["rows"].filter(many).sum())
        pairs += int(sizes["pairs"].filter(~many).sum())
        parts.append((mine, others, sizes.filter(~many)))
    if pairs > MOST_PAIRS:
        return NO_PAIRS, Tried(evidence.name, groups_left=left, rows_left=rows, too_many=pairs)
    made = [_paired(*part, between=candidates.between) for part in parts]
    return pl.concat(made).unique(), Tried(evidence.name, groups_left=left, rows_left=rows)


def _keyed(side: Side, evidence: Evidence) -> pl.DataFrame:
    """Each number once with what its rows are compared as, a hash of it: whether they are alike is looked at again."""
    keyed = side.rows.select(_number(side.number).alias("number"), *(side.likenesses[name] for name in evidence.equal))
    key = pl.concat_str(evidence.equal, separator="\x1f").hash()
    return keyed.drop_nulls().select("number", key=key).unique().collect(engine="streaming")


def _sizes(first: pl.DataFrame, second: pl.DataFrame, *, between: bool) -> pl.DataFrame:
    """Of every block that gives a pair: its rows, and its pairs."""
    n = pl.col("n").cast(pl.Int64)
    sizes = first.group_by("key").agg(n=pl.len())
    if not between:
        return sizes.filter(n > 1).select("key", rows=n, pairs=n * (n - 1) // 2)
    both = sizes.join(second.group_by("key").agg(m=pl.len()), on="key")
    m = pl.col("m").cast(pl.Int64)
    return both.select("key", rows=n + m, pairs=n * m)


def _paired(first: pl.DataFrame, second: pl.DataFrame, sizes: pl.DataFrame, *, between: bool) -> pl.DataFrame:
    some, others = (one.join(sizes, on="key", how="semi") for one in (first, second))
    pairs = some.rename({"number": "a"}).join(others.rename({"number": "b"}), on="key").select(PAIR)
    return pairs if between else pairs.filter(pl.col("a") < pl.col("b"))


def _looked_at(candidates: Candidates, sides: tuple[Side, Side], named: pl.DataFrame) -> pl.DataFrame:
    """Pairs with what agrees and differs in them; without those for which no evidence speaks after all."""
    read = [_read(side, named[name].unique()) for name, side in zip(PAIR, sides, strict=True)]
    rows = named.lazy()
    for side, values in zip(PAIR, read, strict=True):
        rows = rows.join(
            values.lazy().select(pl.all().name.prefix(f"{side}:")), left_on=side, right_on=f"{side}:number"
        )
    agree = {one.name: pl.col(f"a:{one.name}") == pl.col(f"b:{one.name}") for one in candidates.compared}
    speaks = {
        one.name: pl.all_horizontal(agree[name].fill_null(value=False) for name in one.equal)
        for one in candidates.evidence
    }
    # A number may stand on several rows (履歴): what agrees in any two of them agrees.
    judged = rows.group_by(PAIR).agg(
        *(speaks[name].any().alias(f"evidence:{name}") for name in speaks),
        *(agree[name].any().alias(f"agree:{name}") for name in agree),
        *((agree[name].is_not_null().any() & ~agree[name].any()).alias(f"differ:{name}") for name in agree),
    )
    strong = [f"evidence:{one.name}" for one in candidates.evidence if one.strong]
    told = judged.filter(pl.any_horizontal(f"evidence:{name}" for name in speaks)).select(
        *PAIR,
        _names("evidence", speaks),
        pl.any_horizontal(strong).alias("strong") if strong else pl.lit(value=False).alias("strong"),
        _names("agree", agree),
        _names("differ", agree),
    )
    for side, values in zip(PAIR, read, strict=True):
        first = values.unique("number", keep="first", maintain_order=True)
        shown = first.select(pl.col("number").alias(side), pl.col(*PLACE, "sample").name.prefix(f"{side}_"))
        told = told.join(shown.lazy(), on=side)
    return told.sort(PAIR).collect()


def _names(what: str, names: Mapping[str, object]) -> pl.Expr:
    """The names for which a mask holds, as a list."""
    texts = [pl.when(pl.col(f"{what}:{name}")).then(pl.lit(name)) for name in names]
    return pl.concat_list(texts).list.drop_nulls().alias(what)


def _read(side: Side, numbers: pl.Series) -> pl.DataFrame:
    """The rows of some numbers: what they are compared as, where they came from, and a masked sample."""
    columns = side.rows.collect_schema().names()
    # Rows that were promoted before have no place in this run's dumps.
    places = [pl.col(name) if name in columns else pl.lit(None).alias(name) for name in PLACE]
    wanted = numbers.alias("number").to_frame().lazy()
    chosen = side.rows.with_columns(_number(side.number).alias("number")).join(wanted, on="number", how="semi")
    read = chosen.select("number", *places, *side.likenesses.values(), side.sample).cast(PLACES)
    return read.collect(engine="streaming").sort(PLACE)


def _sample(compared: Sequence[Compared], items: Mapping[str, str]) -> pl.Expr:
    """The values that are compared, masked, each after its item's name; none of a sensitive item."""
    shown = [
        pl.concat_str(pl.lit(f"{one.ja}="), _masked(_value(one, items[one.name])))
        for one in compared
        if not one.sensitive
    ]
    return pl.concat_str(shown or [pl.lit("")], separator="; ").alias("sample")


def _value(compared: Compared, item: str) -> pl.Expr:
    return pl.col(f"{item}_source" if compared.form == "day" else item).cast(pl.String).fill_null("")


def _masked(value: pl.Expr) -> pl.Expr:
    for pattern, stands in MASKS:
        value = value.str.replace_all(pattern.pattern, stands)
    return value
