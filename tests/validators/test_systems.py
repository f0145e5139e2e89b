"""What a system's sheets imply is found alike by both engines: editions, dated codes, forms."""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.compiling.compiler import arrow_type
from migration_reports.codes import Code
from target_schemas.sheets import read_systems
from target_schemas.systems import SYSTEMS
from tests.counted import counted, staged_alone
from validators import derived, engine

TESTS = Path(__file__).parents[1]
(LIBRARY,) = read_systems(TESTS / "systems", ["library"], TESTS / "systems" / "codes")
KNOWN = {system.name: system for system in (*SYSTEMS, LIBRARY)}
CASES = [
    pytest.param(KNOWN[name], case, id=f"{name}: {case['name']}")
    for name in KNOWN
    for case in yaml.safe_load((TESTS / "cases" / "systems" / f"{name}.yaml").read_text("utf-8"))
]


def both(system, table, rows, database, url, *, reference_date=None, own=None, run="systems"):
    """By rule the failing records, once both engines count alike."""
    physical = system.table(table).physical
    key = physical.key
    fields = [(c.name, arrow_type(c)) for c in physical.columns]
    schema = pa.schema([*fields, ("_offset", pa.int64()), ("_rank", pa.int64()), ("_part", pa.int16())])
    records = [
        {"source_dump": "d", "source_record": n, "_offset": n, "_rank": 0, "_part": 0, **row}
        for n, row in enumerate(rows, 1)
    ]
    staged = pa.Table.from_pylist(records, schema=schema)
    sets = {s.name: s for s in system.code_sets}
    sets |= {name: sets[name].joined(Code(c, c, c) for c in codes) for name, codes in (own or {}).items()}
    made = derived.derive({key: physical}, sets, one_per_key=frozenset(), reference_date=reference_date)
    # A reference is judged over several tables; it has cases of its own.
    rules = [rule for rule in made if set(rule.reads) == {key}]
    found = engine.run_polars(rules, {key: pl.DataFrame(pl.from_arrow(staged)).lazy()})
    schema = staged_alone(database, url, run, [physical], {key: staged})
    counts = counted(rules, url=url, schema=schema)
    assert {name: rows.height for name, rows in found.items()} == dict(counts)
    return {
        name.removeprefix(f"{system.name}."): sorted(rows["source_record"])
        for name, rows in found.items()
        if rows.height
    }


@pytest.mark.parametrize(("system", "case"), CASES)
def test_both_engines_find_what_a_systems_cases_say(system, case, data_centre, database_url):
    here = system.in_edition(case.get("edition", system.latest))
    day = case.get("reference_date")
    assert day is None or isinstance(day, datetime.date)
    own = case.get("own")
    found = both(here, case["table"], case["rows"], data_centre, database_url, reference_date=day, own=own)
    assert found == case["failing"]


KEYS = st.sampled_from(
    [None, "00000000", "20200300", "20200331", "20200401", "20200000", "20210000", "20210229", "20220401", "00000401", "20201332"]
)  # fmt: skip
ROWS = st.tuples(st.sampled_from([None, "10", "20", "30", "99"]), KEYS, st.sampled_from([None, "1", "2", "3", "4"]))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=20, max_size=60), st.sampled_from([None, datetime.date(2024, 12, 31)]))
def test_both_engines_judge_any_code_on_any_day_alike(data_centre, database_url, rows, day):
    staged = [{"book_no": "1", "title": "x", "shelf": s, "acquired_key": k, "state": c} for s, k, c in rows]
    both(LIBRARY, "books", staged, data_centre, database_url, reference_date=day, run="random systems")
