"""The ledger: what is recorded of runs and promotions, in the database that the data are promoted into.

One run of a municipality at a time: a second one is refused while the first one's owner is alive. An owner that has
died leaves its run behind; the next run marks it abandoned and goes on.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migration_reports.findings import RunError

LEDGER = sa.MetaData(schema="ledger")

RUNS = sa.Table(
    "runs",
    LEDGER,
    sa.Column("run_id", sa.Text, primary_key=True, comment="移行実行番号"),
    sa.Column("municipality_code", sa.Text, nullable=False, comment="団体コード"),
    sa.Column("mode", sa.Text, nullable=False, comment="区分 (リハーサル・本番)"),
    sa.Column("rehearsal", sa.Integer, nullable=False, comment="リハーサル回次"),
    sa.Column("state", sa.Text, nullable=False, comment="状態"),
    sa.Column("owner", sa.Text, nullable=False, comment="実行者"),
    sa.Column("started", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), comment="開始"),
    sa.Column("finished", sa.DateTime(timezone=True), comment="終了"),
    sa.Column("record_sha256", sa.Text, comment="実行記録の SHA-256"),
    sa.Index(
        "ix_runs_one_at_a_time",
        "municipality_code",
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    ),
    comment="移行実行",
)

PROMOTIONS = sa.Table(
    "promotions",
    LEDGER,
    sa.Column("run_id", sa.Text, sa.ForeignKey(RUNS.c.run_id), primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True, comment="移行先表"),
    sa.Column("municipality_code", sa.Text, nullable=False, comment="団体コード"),
    sa.Column("partition", sa.Text, nullable=False, comment="区画"),
    sa.Column("former_partition", sa.Text, comment="直前の区画"),
    sa.Column("row_count", sa.BigInteger, nullable=False, comment="件数"),
    sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("rolled_back_at", sa.DateTime(timezone=True)),
    comment="本番反映",
)

FORM = sa.Table(
    "schema_version",
    LEDGER,
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


@dataclasses.dataclass(frozen=True, slots=True)
class RunEntry:
    """One run as the ledger knows it."""

    run_id: str
    municipality_code: str
    mode: str
    rehearsal: int
    state: str
    owner: str
    started: datetime.datetime
    finished: datetime.datetime | None


def lock(connection: sa.Connection, municipality: str) -> None:
    """Hold the municipality until the transaction ends, so that no two of its changes interleave."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"hikkoshi {municipality}"))))


def begin_run(
    engine: sa.Engine,
    *,
    run_id: str,
    municipality: str,
    mode: str,
    rehearsal: int,
    owner: str,
    alive: Callable[[str], bool],
) -> tuple[str, ...]:
    """Enter a run; beginning the same run again is no second run.

    Returns:
        The runs that were found abandoned.

    Raises:
        RunError: another run of this municipality is in progress.
    """
    with engine.begin() as connection:
        lock(connection, municipality)
        running = connection.execute(
            sa.select(RUNS).where(RUNS.c.municipality_code == municipality, RUNS.c.state == "running")
        ).all()
        abandoned = []
        for other in running:
            if other.run_id == run_id:
                continue
            if alive(other.owner):
                raise RunError(
                    f"run {other.run_id} of municipality {municipality} has been in progress since "
                    f"{other.started:%Y-%m-%d %H:%M} ({other.owner}). Nothing was changed. "
                    "Wait until it has ended, or stop it; then run again."
                )
            abandoned.append(other.run_id)
            connection.execute(
                RUNS.update().where(RUNS.c.run_id == other.run_id).values(state="abandoned", finished=sa.func.now())
            )
        values = {"municipality_code": municipality, "mode": mode, "rehearsal": rehearsal, "owner": owner}
        entry = postgresql.insert(RUNS).values(run_id=run_id, state="running", **values)
        connection.execute(
            entry.on_conflict_do_update(
                index_elements=["run_id"], set_={"owner": owner, "state": "running", "finished": None}
            )
        )
    return tuple(abandoned)


def end_run(engine: sa.Engine, run_id: str, state: str, *, record_sha256: str | None = None) -> None:
    """Enter how a run ended."""
    with engine.begin() as connection:
        values: dict[str, object] = {"state": state, "finished": sa.func.now()}
        if record_sha256 is not None:
            values["record_sha256"] = record_sha256
        connection.execute(RUNS.update().where(RUNS.c.run_id == run_id).values(**values))


def list_runs(engine: sa.Engine, municipality: str | None = None) -> list[RunEntry]:
    """List runs, the latest first."""
    query = sa.select(RUNS).order_by(RUNS.c.started.desc(), RUNS.c.run_id.desc())
    if municipality is not None:
        query = query.where(RUNS.c.municipality_code == municipality)
    with engine.connect() as connection:
        return [
            RunEntry(
                row.run_id,
                row.municipality_code,
                row.mode,
                row.rehearsal,
                row.state,
                row.owner,
                row.started,
                row.finished,
            )
            for row in connection.execute(query)
        ]


def find(engine: sa.Engine, run_id: str) -> RunEntry | None:
    """A run as the ledger knows it; None where it does not."""
    return next((entry for entry in list_runs(engine) if entry.run_id == run_id), None)
