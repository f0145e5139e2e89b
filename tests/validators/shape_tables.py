"""Tables that have every type of column a shape may look at, and both engines over rows of them."""

from __future__ import annotations

import calendar
from decimal import Decimal

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from mappings.compiling.compiler import arrow_type
from migration_reports.items import table_of
from tests.sheets import sheet
from validators import engine, instances

THINGS = sheet(
    "things",
    """
    item,ja,type,length,must,key,check
    thing,物番号,A,5,1,1,
    kind,種別,C,3,,,
    mark,印,A,20,,,
    digits,数字,N,18,,,
    serial,連番,I,18,,,
    total,合計,M,13,,,
    share,持分,R,11.2,,,
    begun,開始日,D,,,,
    ended,終了日,D,,,,
    """,
)
PARTS = sheet(
    "parts",
    """
    item,ja,type,length,must,key,check
    thing,物番号,A,5,1,1,
    kind,種別,C,3,,,
    price,価格,R,11.2,,,
    least,下限,I,18,,,
    most,上限,M,13,,,
    since,適用開始日,D,,,,
    until,適用終了日,D,,,,
    """,
    system="elsewhere",
)
NUMBERS = sheet(
    "numbers",
    """
    item,ja,type,length,must,key,check
    key,鍵,N,5,1,1,
    resident,宛名番号,N,15,,,resident_number
    individual,個人番号,N,12,,,individual_number
    corporate,法人番号,N,13,,,corporate_number
    code,団体コード,N,6,,,municipality_number
    insurer,保険者番号,N,8,,,insurer_number
    insurer_short,保険者番号,N,6,,,insurer_number
    """,
)
"""A table of every kind of number, which no shipped system has together."""

TABLES = {table.physical.key: table.physical for table in (THINGS, PARTS, NUMBERS)}
"""Of two systems."""

OWN = {table.name: table.physical.key for table in (THINGS, NUMBERS)}


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
    dates = {item.name for item in table_of(TABLES[key]).items if item.kind == "D"}
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


def failing_polars(made, frames, *, shares=1):
    """The records that fail, by rule; as if the tables were so long that their groups are judged in some shares."""
    heights = dict.fromkeys(frames, shares * engine.SHARE)
    found = engine.run_polars(made, {key: rows.lazy() for key, rows in frames.items()}, heights=heights)
    return {name: sorted(rows["source_record"]) for name, rows in found.items()}


def differences(rule, frames):
    """By how much the number of each row that fails is more than what was found, in the order of records."""
    found = engine.run_polars([rule], {key: rows.lazy() for key, rows in frames.items()})
    return [None if one is None else float(one) for one in found[rule.name]["_difference"]]


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
