"""Staging: a run's rows in tables of its own, without constraints, so that bad rows can be validated there.

Rows come by ADBC while they are made, and a slice that is staged again replaces its own rows only. A staged table is made
like the one that it will be a partition of, so that promotion need not write its rows a second time.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from target_schemas.postgres import roles
from target_schemas.postgres.areas import Area, fitting, quote
from target_schemas.postgres.database import adbc_uri

LAST = 2**63 - 1
"""No record has a higher number."""

AT_ONCE = 2
"""So many tables of a run are settled, or made partitions, at a time: a connection each."""

ENGINE: Mapping[str, type[sa.types.TypeEngine[int]]] = {"_rank": sa.BIGINT, "_part": sa.SMALLINT}
"""The columns that staged rows have for the engine: how much a row of a key is preferred, and the part that made it."""

PLAIN = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
"""Writes SQL as it is: in the driver's own style every percent sign would stand twice."""

WAITING_BATCHES = 4
"""So many batches may wait for the database: enough to even out, few enough to be nothing in memory."""


@dataclasses.dataclass(frozen=True)
class RunTables:
    """A run's tables: where they are staged, and what they become.

    Attributes:
        run_id: the run.
        area: where its rows go.
        targets: the tables that they go into, by key (system.table).
        one_per_key: those of them that keep one row a key.
        constants: by table the columns that have one value in every row, with it. The staged table knows it by itself,
            so that it is neither sent nor read so many times.
    """

    run_id: str
    area: Area
    targets: Mapping[str, sa.Table]
    one_per_key: frozenset[str] = frozenset()
    constants: Mapping[str, Mapping[str, str | int | None]] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def schema(self) -> str:
        """The schema that the run stages into."""
        return staging_schema(self.run_id)

    @functools.cached_property
    def staged(self) -> Mapping[str, sa.Table]:
        """The staged tables: the target's columns, none mandatory, and the engine's own."""
        return {key: self.in_schema(self.schema, key) for key in self.targets}

    def sent(self, key: str) -> Sequence[str]:
        """The columns of a staged table whose values are sent with its rows."""
        constants = self.constants.get(key, {})
        return [column.name for column in self.staged[key].columns if column.name not in constants]

    def in_schema(self, schema: str, key: str) -> sa.Table:
        """A staged table as it would be in a schema."""
        columns = [sa.Column(column.name, column.type) for column in self.targets[key].columns]
        engine = (sa.Column(name, kind) for name, kind in ENGINE.items())
        return sa.Table(staged_name(key), sa.MetaData(schema=schema), *columns, *engine)

    def placed(self, key: str) -> str:
        """A staged table, quoted for a statement."""
        return f"{quote(self.schema)}.{quote(staged_name(key))}"


@dataclasses.dataclass(frozen=True, slots=True)
class Staged:
    """What is staged as one: the rows that some records of a dump give a table through one part of its mapping."""

    table: str
    part: int = 0


def staging_schema(run_id: str) -> str:
    """The schema that a run stages into."""
    return f"stage_{hashlib.sha256(run_id.encode()).hexdigest()[:16]}"


def staged_name(key: str) -> str:
    """What a table (system.table) is called in a staging schema, which has those of all systems."""
    return fitting(key.replace(".", "__"))


def beside(run_id: str) -> tuple[str, ...]:
    """The schemas that a run may have beside the one that it stages into: what it would promote, seen and chosen."""
    return promotable_schema(run_id), chosen_schema(run_id)


def promotable_schema(run_id: str) -> str:
    """The schema of the views of what would be promoted, while references are judged."""
    return f"{staging_schema(run_id)}_promotable"


def chosen_schema(run_id: str) -> str:
    """The schema of the chosen rows of tables that keep one row a key."""
    return f"{staging_schema(run_id)}_chosen"


def create_staging(engine: sa.Engine, run: RunTables) -> None:
    """Create the run's staging tables, dropping what a former try left there."""
    with engine.begin() as connection:
        for schema in (*beside(run.run_id), run.schema):
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
        _create_schema(connection, run.schema)
        for key, table in run.staged.items():
            # Rows of which one a key is chosen are not the ones that are promoted, and need no log.
            make_like_target(connection, run, table, key, logged=key not in run.one_per_key)
        for table in (rejected_table(run.run_id), _staged_slices(run.run_id)):
            table.create(connection)
            _close(connection, table)


def make_like_target(connection: sa.Connection, run: RunTables, table: sa.Table, key: str, *, logged: bool) -> None:
    """Make a table like the one that it will be a partition of, with the engine's columns behind and nothing mandatory."""
    place = f"{quote(str(table.schema))}.{quote(table.name)}"
    parent = run.area.place(key)
    more = ", ".join(f"{quote(name)} {kind.__visit_name__}" for name, kind in ENGINE.items())
    made = f"(LIKE {parent} INCLUDING DEFAULTS INCLUDING COMMENTS, {more})"
    connection.execute(sa.text(f"CREATE {'' if logged else 'UNLOGGED '}TABLE {place} {made}"))
    mandatory = connection.execute(
        sa.text(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:place AS regclass) AND attnum > 0 AND attnotnull"
        ),
        {"place": place},
    ).scalars()
    changed = [f"ALTER COLUMN {quote(name)} DROP NOT NULL" for name in mandatory]
    for name, value in run.constants.get(key, {}).items():
        if value is not None:
            changed.append(f"ALTER COLUMN {quote(name)} SET DEFAULT {_literal(value)}")
    if changed:
        connection.execute(sa.text(f"ALTER TABLE {place} {', '.join(changed)}"))
    _close(connection, table)


def _literal(value: str | int) -> str:
    written = sa.literal(value).compile(dialect=PLAIN, compile_kwargs={"literal_binds": True})
    return str(written).replace(":", r"\:")


def _create_schema(connection: sa.Connection, schema: str) -> None:
    connection.execute(sa.schema.CreateSchema(schema))
    connection.execute(sa.text(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC"))


def create_beside(connection: sa.Connection, schema: str) -> None:
    """Make a schema beside the staging schema, empty, whatever a former try left there."""
    connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
    _create_schema(connection, schema)


def is_staged(engine: sa.Engine, run: RunTables) -> bool:
    """Whether all staged tables are there: promotion takes them, and what it took is staged again to be judged again."""
    with engine.connect() as connection:
        places = (connection.execute(sa.select(sa.func.to_regclass(run.placed(key)))).scalar() for key in run.targets)
        return all(place is not None for place in places)


def noted(engine: sa.Engine, run_id: str) -> frozenset[tuple[str, int, str, int, int]]:
    """What is staged as one and whole: table, part, dump, first and last record."""
    slices = _staged_slices(run_id)
    names = ("table_name", "part", "source_dump", "first", "last")
    with engine.connect() as connection:
        return frozenset(tuple(row) for row in connection.execute(sa.select(*(slices.c[name] for name in names))))


def drop_staging(engine: sa.Engine, run_id: str) -> None:
    """Drop the run's staging tables."""
    with engine.begin() as connection:
        for schema in (*beside(run_id), staging_schema(run_id)):
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))


def drop_orphans(engine: sa.Engine, running: Callable[[], Collection[str]]) -> tuple[str, ...]:
    """Drop the staging schemas of runs that are not running any more; gives their names.

    Args:
        engine: the database.
        running: tells the runs that are. A run is entered before it stages, so who is asked after the schemas were listed
            knows whoever has begun meanwhile.
    """
    query = sa.text(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^stage_[0-9a-f]{16}(_promotable|_chosen)?$' ORDER BY nspname"
    )
    with engine.connect() as connection:
        there = connection.execute(query).scalars().all()
    kept = {name for run_id in running() for name in (staging_schema(run_id), *beside(run_id))}
    orphans = tuple(name for name in there if name not in kept)
    for name in orphans:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(name, cascade=True, if_exists=True))
    return orphans


def stage(
    url: str,
    run: RunTables,
    staged: Staged,
    rows: Iterable[pa.RecordBatch],
    *,
    dump: str,
    first: int = 1,
    last: int = LAST,
) -> int:
    """Stage the rows that some records of one dump give a part of a table; what they had staged there is replaced.

    Args:
        url: the database.
        run: the run's tables.
        staged: the table and the part.
        rows: the rows.
        dump: the dump's name.
        first: the number of the first record.
        last: the number of the last one.

    Returns:
        How many rows were staged.
    """
    batches = ((staged, batch) for batch in rows)
    return _staged(url, run, [staged], batches, dump=dump, first=first, last=last)[staged]


class Feed:
    """Stages what some records of a dump give, while it is made: one connection, in a thread of its own.

    All that is staged is seen at once when the block ends, and nothing where it fails.

    Args:
        url: the database.
        run: the run's tables.
        parts: all parts that may get rows; what these records had staged for them is replaced.
        dump: the dump's name.
        first: the number of the first record.
        last: the number of the last one.
    """

    def __init__(
        self, url: str, run: RunTables, parts: Sequence[Staged], *, dump: str, first: int = 1, last: int = LAST
    ) -> None:
        self._waiting: queue.Queue[tuple[Staged, pa.RecordBatch] | None] = queue.Queue(WAITING_BATCHES)
        self._given_up = threading.Event()
        self._stage = functools.partial(_staged, url, run, parts, self._batches(), dump=dump, first=first, last=last)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="staging")
        self._done: Future[Mapping[Staged, int]] = Future()

    def __enter__(self) -> Feed:
        self._done = self._threads.submit(self._stage)
        return self

    def write(self, staged: Staged, rows: pa.RecordBatch) -> None:
        """Give rows to be staged; waits while the database is behind.

        Raises:
            adbc_driver_manager.Error: the database failed.
        """
        self._give((staged, rows))

    def _give(self, item: tuple[Staged, pa.RecordBatch] | None) -> None:
        while True:
            if self._done.done():
                self._done.result()
            try:
                return self._waiting.put(item, timeout=0.2)
            except queue.Full:
                continue

    def _batches(self) -> Iterator[tuple[Staged, pa.RecordBatch]]:
        while (item := self._waiting.get()) is not None and not self._given_up.is_set():
            yield item
        if self._given_up.is_set():
            raise _GivenUpError

    def counts(self) -> Mapping[Staged, int]:
        """How many rows were staged, once the block has ended."""
        return self._done.result()

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        with self._threads:
            try:
                if failure is None:
                    self._give(None)
                    self._done.result()
            finally:
                # Whoever is interrupted at the very end, too, lets the thread go.
                self._give_up()

    def _give_up(self) -> None:
        self._given_up.set()
        while not self._done.done():
            try:
                self._waiting.put(None, timeout=0.05)
            except queue.Full:
                self._waiting.get()


class _GivenUpError(Exception):
    """What was to be staged failed before it was whole."""


def _staged(
    url: str,
    run: RunTables,
    parts: Sequence[Staged],
    batches: Iterable[tuple[Staged, pa.RecordBatch]],
    *,
    dump: str,
    first: int,
    last: int,
) -> Mapping[Staged, int]:
    counts = dict.fromkeys(parts, 0)
    with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
        # A killed run begins anew: durable need only be what is promoted, and that commit makes all before it so.
        cursor.execute("SET LOCAL synchronous_commit = off")
        for staged in parts:
            _claim(cursor, run, staged, dump=dump, first=first, last=last)
        for staged, rows in batches:
            table = run.staged[staged.table]
            sent = rows.select(run.sent(staged.table))
            counts[staged] += cursor.adbc_ingest(table.name, sent, mode="append", db_schema_name=run.schema)
        connection.commit()
    return counts


def _claim(cursor: Any, run: RunTables, staged: Staged, *, dump: str, first: int, last: int) -> None:
    """Note that a slice is staged, and take away what it had staged before."""
    noted = f"{quote(run.schema)}.{quote(_staged_slices(run.run_id).name)}"
    # Who stages the same slice meanwhile waits here, and then finds what was staged. Looking for rows in the table
    # itself would read all of it for every slice.
    cursor.execute(
        f"INSERT INTO {noted} VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (table_name, part, source_dump, first, last) "  # noqa: S608  quoted names
        "DO UPDATE SET times = staged_slices.times + 1",
        parameters=(staged.table, staged.part, dump, first, last),
    )
    cursor.execute(
        f"SELECT sum(times)::bigint FROM {noted} "  # noqa: S608  quoted names
        "WHERE table_name = $1 AND part = $2 AND source_dump = $3 AND first <= $5 AND last >= $4",
        parameters=(staged.table, staged.part, dump, first, last),
    )
    if cursor.fetchall()[0][0] > 1:
        cursor.execute(
            f"DELETE FROM {run.placed(staged.table)} "  # noqa: S608  quoted names
            "WHERE source_dump = $1 AND _part = $2 AND source_record BETWEEN $3 AND $4",
            parameters=(dump, staged.part, first, last),
        )


def rejected_table(run_id: str) -> sa.Table:
    """The run's table of rejected records."""
    return sa.Table(
        "rejected_records",
        sa.MetaData(schema=staging_schema(run_id)),
        sa.Column("source_dump", sa.Text, primary_key=True),
        sa.Column("source_record", sa.BigInteger, primary_key=True),
    )


def _staged_slices(run_id: str) -> sa.Table:
    """The run's table of which records of a dump were staged for a table, and how often."""
    return sa.Table(
        "staged_slices",
        sa.MetaData(schema=staging_schema(run_id)),
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("source_dump", sa.Text, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("last", sa.BigInteger, primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
    )


def _close(connection: sa.Connection, table: sa.Table) -> None:
    for statement in roles.closed(f"{quote(str(table.schema))}.{quote(table.name)}"):
        connection.execute(statement)
