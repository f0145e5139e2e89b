"""That every town is promoted, whole and once: the joint tables beside the runs' records, and the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from dags import runs
from dags.pipeline.run_folder import run_of_dag_run
from target_schemas.postgres.areas import area_of
from target_schemas.postgres.database import connect
from target_schemas.postgres.ledger import PROMOTIONS, RUNS
from tests.scale.moves import Ended
from tests.scale.towns import Town


def rows_of(url: str, town: Town, run: Ended) -> int:
    """Prove that a town is promoted; gives its rows.

    Args:
        url: the database.
        town: the town.
        run: its DAG run.

    Raises:
        AssertionError: something was lost, or came twice.
    """
    begun = run_of_dag_run(run.dag, run.run)
    assert begun is not None, f"{town.folder} was never begun"
    record, area = runs.record(begun.run_id), area_of("rehearsal")
    assert (run.state, record.state) == ("success", "promoted"), f"{town.folder}: {run.state}, {record.state}"
    data = [fate for fate in record.fates if fate.role == "data"]
    assert town.residents in {fate.records for fate in data}, f"{town.folder}: not all {town.residents} were read"
    assert all(fate.records == fate.accepted + fate.rejected for fate in data), f"{town.folder}: records were lost"
    expected: Counter[str] = Counter()
    for line in record.reconciliations:
        expected[line.table] += line.rows_promoted
    with connect(url).connect() as connection:
        entries = connection.execute(sa.select(RUNS).where(RUNS.c.municipality_code == town.code)).all()
        assert [e.run_id for e in entries if e.state == "promoted"] == [begun.run_id], f"{town.folder}: not once"
        assert all(e.state in ("promoted", "abandoned") for e in entries), f"{town.folder}: a run was left open"
        promoted = connection.execute(sa.select(PROMOTIONS).where(PROMOTIONS.c.municipality_code == town.code)).all()
        assert {p.run_id for p in promoted} == {begun.run_id}, f"{town.folder}: promoted more than once"
        noted = {f"{p.system}.{p.table_name}": p.row_count for p in promoted}
        assert expected.keys() <= noted.keys(), f"{town.folder}: {expected.keys() - noted.keys()} was not promoted"
        for table, count in noted.items():
            system, _, bare = table.partition(".")
            there = sa.table(bare, sa.column("municipality_code"), sa.column("run_id"), schema=area.schema(system))
            counted = sa.select(there.c.run_id, sa.func.count()).where(there.c.municipality_code == town.code)
            found = {row[0]: row[1] for row in connection.execute(counted.group_by(there.c.run_id))}
            assert count == expected[table], f"{table} of {town.folder}: the ledger has {count}, not {expected[table]}"
            assert found == ({begun.run_id: count} if count else {}), f"{table} of {town.folder}: {found}, not {count}"
    return expected.total()


def nothing_left(url: str) -> None:
    """Prove that no run has left staged rows.

    Raises:
        AssertionError: one has.
    """
    query = sa.text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'stage\\_%'")
    with connect(url).connect() as connection:
        left = connection.execute(query).scalars().all()
    assert not left, f"staged rows were left in {', '.join(left)}"


def all_rows(url: str, towns: Sequence[Town], ended: Sequence[Ended]) -> dict[str, int]:
    """The rows of every town, each proved; see `rows_of`."""
    nothing_left(url)
    return {town.folder: rows_of(url, town, run) for town, run in zip(towns, ended, strict=True)}
