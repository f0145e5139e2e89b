"""Tables that have every type of column a shape may look at, and both engines over rows of them."""

from __future__ import annotations

import calendar
from decimal import Decimal

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from mappings.compiling.compiler import arrow_type
from target_schemas.conventions import amount, date, table, text, whole
from validators import engine, instances

BASED_ON = "none (a table of these tests)"
THINGS = table(
    "things",
    "物",
    "things",
    text("thing", "物番号", "thing number", kind="A", length=5, nullable=False),
    text("kind", "種別", "kind", kind="C", length=3),
    text("mark", "印", "mark", kind="A", length=20),
    text("digits", "数字", "digits", kind="N", length=18),
    whole("serial", "連番", "serial"),
    amount("total", "合計", "total"),
    amount("share", "持分", "share", digits=11, scale=2),
    date("begun", "開始日", "begun"),
    date("ended", "終了日", "ended"),
    key=("thing",),
    based_on=BASED_ON,
)
PARTS = table(
    "parts",
    "部品",
    "parts",
    text("thing", "物番号", "thing number", kind="A", length=5),
    text("kind", "種別", "kind", kind="C", length=3),
    amount("price", "価格", "price", digits=11, scale=2),
    whole("least", "下限", "least"),
    amount("most", "上限", "most"),
    date("since", "適用開始日", "since"),
    date("until", "適用終了日", "until"),
    key=("thing",),
    based_on=BASED_ON,
)
NUMBERS = table(
    "numbers",
    "番号",
    "numbers",
    text("key", "鍵", "key", kind="N", length=5, nullable=False),
    text("resident", "宛名番号", "resident number", kind="N", length=15, check="resident_number"),
    text("individual", "個人番号", "individual number", kind="N", length=12, check="individual_number"),
    text("corporate", "法人番号", "corporate number", kind="N", length=13, check="corporate_number"),
    text("code", "団体コード", "municipality code", kind="N", length=6, check="municipality_number"),
    text("insurer", "保険者番号", "insurer number", kind="N", length=8, check="insurer_number"),
    text("insurer_short", "保険者番号", "insurer number", kind="N", length=6, check="insurer_number"),
    key=("key",),
    based_on=BASED_ON,
)
"""A table of every kind of number, which no shipped system has together."""

TABLES = {"things": THINGS, "elsewhere.parts": PARTS, "numbers": NUMBERS}
"""By keys of which one is of another system, and so has a dot."""

OWN = {"things": "things", "numbers": "numbers"}


def schema_of(key):
    fields = [(c.name, arrow_type(c)) for c in TABLES[key].columns]
    return pa.schema([*fields, ("_offset", pa.int64()), ("_rank", pa.int64()), ("_part", pa.int16())])


def date_of(value):
    """The three columns of a date, of its key: 00 is not known, and what no calendar has is impossible."""
    year, month, day = int(value[:4]), int(value[4:6]), int(value[6:])
    if month > 12 or (month and day > calendar.monthrange(year, month)[1]):
        return value, "impossible"
    return value, "day" if day else "month" if month else "year" if year else "unknown"


def frame(key, rows):
    """The staged rows, as many as there are records, of what is written: a date by its group, what is left out null."""
    dates = {c.info["date"] for c in TABLES[key].columns if "date" in c.info}
    records = []
    for number, row in enumerate(rows, 1):
        record = {"source_dump": "d", "source_record": number, "_offset": number * 10, "_rank": 0, "_part": 0}
        for name, value in row.items():
            if name in dates and value is not None:
                (record[f"{name}_key"], record[f"{name}_precision"]), record[f"{name}_source"] = date_of(value), value
            elif name not in dates:
                record[name] = Decimal(str(value)) if isinstance(value, float) else value
        records.append(record)
    return pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(records, schema=schema_of(key))))


def rules(declared, settings=None):
    """The rules of some instances."""
    return instances.make(declared, TABLES, own=OWN, settings=settings or {})


def failing_polars(made, frames):
    """The records that fail, by rule."""
    found = engine.run_polars(made, {key: rows.lazy() for key, rows in frames.items()})
    return {name: sorted(rows["source_record"]) for name, rows in found.items()}


class Staged:
    """Tables in a database, to which SQL is put directly: the same SQL that Great Expectations puts."""

    def __init__(self, connection):
        self.connection = connection
        self.tables = {}
        metadata = sa.MetaData()
        for key, table_ in TABLES.items():
            own = [sa.Column(c.name, c.type) for c in table_.columns]
            engine_ = [sa.Column(name, sa.BigInteger) for name in ("_offset", "_rank", "_part")]
            self.tables[key] = sa.Table(key, metadata, *own, *engine_, prefixes=["TEMPORARY"])
        metadata.create_all(connection)

    def fill(self, frames):
        """Other rows."""
        for key, rows in frames.items():
            self.connection.execute(sa.delete(self.tables[key]))
            if rows.height:
                self.connection.execute(sa.insert(self.tables[key]), rows.to_dicts())

    def failing(self, made):
        """The records that fail, by rule."""
        found = {}
        for rule in made:
            sql = rule.expectation.whole(f'"{rule.table}"', lambda key: f'"{key}"')
            found[rule.name] = sorted(self.connection.execute(sa.text(sql)).scalars())
        return found
