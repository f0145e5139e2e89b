"""The ledger: what is recorded of runs, promotions and decisions, in the database that the data are promoted into.

One run of a municipality at a time: a second one is refused while the first one's owner is alive. An owner that has
died leaves its run behind; the next run marks it abandoned and goes on.

A state changes in the transaction of what it describes: the swap of partitions says promoted and superseded, never the
report. So a run that is killed behind its swap is promoted, and one that ended is never opened again.

A run moves one system or several, and what becomes of its promotion is said of each: superseded, rolled back and
withdrawn are states of a run's system. How the run stands as a whole follows from them (`overall`).
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migration_reports.trouble import RunError
from target_schemas.model import SCHEMA_VERSION
from target_schemas.postgres.areas import Area, area_of

UNPROMOTED = ("held", "rejected", "failed", "abandoned")
"""How a run ends that was not promoted."""

PROMOTION = ("promoted", "superseded", "rolled back", "withdrawn")
"""What becomes of a run's promotion, of each system by itself; the more of it is left, the earlier it stands here."""

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
"""`promoted` is the state of every run whose swap took place; what became of it since, its systems say."""

RUN_SYSTEMS = sa.Table(
    "run_systems",
    LEDGER,
    sa.Column("run_id", sa.Text, sa.ForeignKey(RUNS.c.run_id), primary_key=True, comment="移行実行番号"),
    sa.Column("system", sa.Text, primary_key=True, comment="業務システム"),
    sa.Column("municipality_code", sa.Text, nullable=False, comment="団体コード"),
    sa.Column("area", sa.Text, nullable=False, comment="領域 (本番・リハーサル)"),
    sa.Column("edition", sa.Text, nullable=False, comment="標準仕様書の版"),
    sa.Column("state", sa.Text, comment="反映の状態 (反映前は空)"),
    sa.Index(
        "ix_run_systems_one_in_force",
        "municipality_code",
        "system",
        "area",
        unique=True,
        postgresql_where=sa.text("state = 'promoted'"),
    ),
    comment="移行実行の業務システム",
)
"""The systems that a run moves, each with the edition of its form; the state is empty until the run is promoted."""

PROMOTIONS = sa.Table(
    "promotions",
    LEDGER,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("system", sa.Text, primary_key=True, comment="業務システム"),
    sa.Column("table_name", sa.Text, primary_key=True, comment="移行先表"),
    sa.Column("area", sa.Text, nullable=False, comment="領域 (本番・リハーサル)"),
    sa.Column("municipality_code", sa.Text, nullable=False, comment="団体コード"),
    sa.Column("partition", sa.Text, nullable=False, comment="区画"),
    sa.Column("row_count", sa.BigInteger, nullable=False, comment="件数"),
    sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), comment="反映"),
    sa.Column("dropped_at", sa.DateTime(timezone=True), comment="区画の破棄"),
    sa.ForeignKeyConstraint(["run_id", "system"], [RUN_SYSTEMS.c.run_id, RUN_SYSTEMS.c.system]),
    comment="本番反映",
)

DECISIONS = sa.Table(
    "decisions",
    LEDGER,
    sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False, comment="移行実行番号"),
    sa.Column("system", sa.Text, nullable=False, comment="業務システム"),
    sa.Column("what", sa.Text, nullable=False, comment="決定 (切り戻し・取下げ)"),
    sa.Column("restored", sa.Text, sa.ForeignKey(RUNS.c.run_id), comment="再び有効となった移行実行"),
    sa.Column("by", sa.Text, nullable=False, comment="決定者"),
    sa.Column("reason", sa.Text, nullable=False, comment="理由"),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), comment="日時"),
    sa.ForeignKeyConstraint(["run_id", "system"], [RUN_SYSTEMS.c.run_id, RUN_SYSTEMS.c.system]),
    comment="切り戻し・取下げの記録",
)
"""A run may be decided about more than once (rolled back, then withdrawn), so decisions are rows of their own, one a
system."""

FORM = sa.Table(
    "schema_version",
    LEDGER,
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


@dataclasses.dataclass(frozen=True, slots=True)
class RunEntry:
    """One run as the ledger knows it.

    Attributes:
        run_id: the run.
        municipality_code: whose.
        mode: rehearsal or cut-over.
        rehearsal: which one.
        area: where it promotes.
        state: how it stands as a whole (`overall`).
        systems: the state of each system's promotion; empty where there was none.
        editions: the edition of each system's form.
        in_force: the systems whose rows in the area are its own.
        owner: who runs it.
        started: when it began.
        finished: when it ended.
        database: the name of the database whose ledger this is, where several are read.
    """

    run_id: str
    municipality_code: str
    mode: str
    rehearsal: int
    area: str
    state: str
    systems: Mapping[str, str]
    editions: Mapping[str, str]
    in_force: tuple[str, ...]
    owner: str
    started: datetime.datetime
    finished: datetime.datetime | None
    database: str = ""


def overall(state: str, systems: Collection[str]) -> str:
    """How a run stands as a whole: as the system of which the most is left.

    So a run is promoted while any of its systems is in force, and withdrawn when all are.

    Args:
        state: the run's own.
        systems: the states of its systems.
    """
    return min(systems, key=PROMOTION.index) if state == "promoted" else state


def installed(connection: sa.Connection) -> bool:
    """Whether the data centre is installed in this database.

    Raises:
        RunError: it is there in a form that this program does not know, or closed to this role.
    """
    if connection.execute(sa.select(sa.func.to_regclass("ledger.schema_version"))).scalar() is None:
        return False
    version = connection.execute(sa.select(FORM.c.version)).scalar()
    if version is None:
        # The row is made with its table; who sees none is kept from it by row-level security.
        raise RunError(
            "the ledger of this database is closed to the role in HIKKOSHI_DATABASE_URL. Nothing was changed. "
            "A DBA opens it by: GRANT OWNER TO that role, where OWNER is the role that owns ledger.runs."
        )
    if version != SCHEMA_VERSION:
        raise RunError(
            f"the data centre in this database has the form {version}, this program needs {SCHEMA_VERSION}. "
            "Nothing was changed. Use the program that made it, or a new database (CREATE DATABASE, then name it in "
            "HIKKOSHI_DATABASE_URL; the embedded one: `hikkoshi stop --delete`) and run its towns again."
        )
    return True


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
    editions: Mapping[str, str],
) -> tuple[str, ...]:
    """Enter a run; beginning the same run again, while it runs, is no second run.

    Args:
        engine: the database.
        run_id: the run.
        municipality: its code.
        mode: rehearsal or cut-over.
        rehearsal: which one.
        owner: who runs it.
        alive: tells whether the owner of another run is.
        editions: the systems that it moves, each with the edition of its form.

    Returns:
        The runs that were found abandoned.

    Raises:
        RunError: another run of this municipality is in progress, or this one has ended.
    """
    with engine.begin() as connection:
        lock(connection, municipality)
        state = connection.execute(sa.select(RUNS.c.state).where(RUNS.c.run_id == run_id)).scalar()
        if state not in (None, "running"):
            raise RunError(
                f"run {run_id} has ended ({state}) and is not opened again. Nothing was changed. Begin a new run."
            )
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
        connection.execute(entry.on_conflict_do_update(index_elements=["run_id"], set_={"owner": owner}))
        rows = [
            {"run_id": run_id, "system": system, "edition": edition, "area": area_of(mode).name}
            for system, edition in editions.items()
        ]
        covered = postgresql.insert(RUN_SYSTEMS).values(municipality_code=municipality)
        connection.execute(covered.on_conflict_do_nothing(), rows)
    return tuple(abandoned)


def end_run(engine: sa.Engine, run_id: str, state: str, *, record_sha256: str | None = None) -> str:
    """Enter that a run ended, and how, unless the ledger knows better: only a run that still runs takes the state.

    When it first ended and its record's hash are noted in any case. A promotion's states are entered by who changes
    the partitions, so none of them is taken from here.

    Returns:
        The state that the ledger has now.

    Raises:
        RunError: the ledger knows no such run.
    """
    values: dict[str, object] = {"finished": sa.func.coalesce(RUNS.c.finished, sa.func.now())}
    if state in UNPROMOTED:
        values["state"] = sa.case((RUNS.c.state == "running", state), else_=RUNS.c.state)
    if record_sha256 is not None:
        values["record_sha256"] = record_sha256
    with engine.begin() as connection:
        now = connection.execute(
            RUNS.update().where(RUNS.c.run_id == run_id).values(**values).returning(RUNS.c.state)
        ).scalar()
        if now is None:
            raise unknown(run_id)
        return overall(now, states_of(connection, run_id).values())


def find(engine: sa.Engine, run_id: str) -> RunEntry | None:
    """What the ledger knows of a run; None where it knows none, or is not installed."""
    with engine.connect() as connection:
        if not installed(connection):
            return None
        return next(iter(_entries(connection, RUNS.c.run_id == run_id)), None)


def running(engine: sa.Engine) -> frozenset[str]:
    """The runs that have not ended."""
    return _ids(engine, RUNS.c.state == "running")


def ended_without_record(engine: sa.Engine) -> frozenset[str]:
    """The runs that have ended without a report: killed, or kept from the data centre."""
    return _ids(engine, sa.and_(RUNS.c.state != "running", RUNS.c.record_sha256.is_(None)))


def _ids(engine: sa.Engine, which: sa.ColumnElement[bool]) -> frozenset[str]:
    with engine.connect() as connection:
        return frozenset(connection.execute(sa.select(RUNS.c.run_id).where(which)).scalars())


def list_runs(engine: sa.Engine, municipality: str | None = None) -> list[RunEntry]:
    """List runs, the latest first; none where the ledger is not installed."""
    of_town = RUNS.c.municipality_code == municipality if municipality is not None else sa.true()
    with engine.connect() as connection:
        return _entries(connection, of_town) if installed(connection) else []


def in_force(connection: sa.Connection, municipality: str, area: Area) -> Mapping[str, str]:
    """The runs whose rows stand in an area for a municipality, by system."""
    found = connection.execute(
        sa.select(RUN_SYSTEMS.c.system, RUN_SYSTEMS.c.run_id)
        .where(
            RUN_SYSTEMS.c.municipality_code == municipality,
            RUN_SYSTEMS.c.area == area.name,
            RUN_SYSTEMS.c.state == "promoted",
        )
        .order_by(RUN_SYSTEMS.c.system)
    )
    return {row.system: row.run_id for row in found}


def states_of(connection: sa.Connection, run_id: str) -> Mapping[str, str]:
    """The state of each system's promotion of a run; empty where there was none."""
    found = connection.execute(
        sa.select(RUN_SYSTEMS.c.system, RUN_SYSTEMS.c.state)
        .where(RUN_SYSTEMS.c.run_id == run_id)
        .order_by(RUN_SYSTEMS.c.system)
    )
    return {row.system: row.state or "" for row in found}


def enter(connection: sa.Connection, run_id: str, system: str, state: str) -> None:
    """Enter the state of a system of a run, in the transaction of what it describes."""
    connection.execute(
        RUN_SYSTEMS.update().where(RUN_SYSTEMS.c.run_id == run_id, RUN_SYSTEMS.c.system == system).values(state=state)
    )


def enter_promoted(connection: sa.Connection, run_id: str) -> None:
    """Enter that a run's swap takes place, in its transaction; its systems say what becomes of it later."""
    connection.execute(RUNS.update().where(RUNS.c.run_id == run_id).values(state="promoted"))


def unknown(run_id: str) -> RunError:
    """What is said of a run that the ledger does not know."""
    return RunError(f"the ledger knows no run {run_id}; `hikkoshi runs` lists those it knows. Nothing was changed.")


def _entries(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[RunEntry]:
    """Runs, the latest first."""
    runs = connection.execute(sa.select(RUNS).where(which).order_by(RUNS.c.started.desc(), RUNS.c.run_id.desc())).all()
    systems: dict[str, list[sa.Row[Any]]] = {run.run_id: [] for run in runs}
    query = sa.select(RUN_SYSTEMS).join(RUNS, RUNS.c.run_id == RUN_SYSTEMS.c.run_id)
    for row in connection.execute(query.where(which).order_by(RUN_SYSTEMS.c.system)):
        # A run that began after the runs were listed is none of them.
        systems.get(row.run_id, []).append(row)
    return [_entry(run, systems[run.run_id]) for run in runs]


def _entry(row: sa.Row[Any], systems: Sequence[sa.Row[Any]]) -> RunEntry:
    states = {of.system: of.state or "" for of in systems}
    return RunEntry(
        row.run_id,
        row.municipality_code,
        row.mode,
        row.rehearsal,
        area_of(row.mode).name,
        overall(row.state, states.values()),
        states,
        {of.system: of.edition for of in systems},
        tuple(system for system, state in states.items() if state == "promoted"),
        row.owner,
        row.started,
        row.finished,
    )
