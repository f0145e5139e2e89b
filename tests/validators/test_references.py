"""References are judged over what would be promoted, until nothing changes, and alike in both engines."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

from mappings.compiling.compiler import arrow_type
from migration_reports.items import Reference, table_of
from target_schemas.postgres import settling, staging
from target_schemas.postgres.areas import PRODUCTION
from tests.counted import counted, known
from tests.sheets import sheet
from tests.staged_runs import run_tables, stage
from validators import derived, engine, references

WHY = "a reference of these tests"


def _table(name, key, *references, target="name"):
    lines = [f"{c},{kind},{length},{int(c in key) or ''},{int(c in key) or ''}" for c, kind, length in COLUMNS]
    named = tuple(Reference(c, t, (target,), orphan=o, because=WHY) for c, t, o in references)
    return sheet(name, "\n".join(["item,type,length,must,key", *lines]), references=named, system="kin").physical


COLUMNS = (("name", "A", 9), ("history", "I", ""), ("up", "A", 9), ("aside", "A", 9))
KIN = (
    _table("towns", ("name", "history"), (("up",), "houses", "stays")),
    _table("houses", ("name",), (("up",), "towns", "falls")),
    _table("people", ("name",), (("up",), "houses", "falls"), (("aside",), "people", "falls")),
    _table("pets", ("name",), (("up",), "people", "falls"), (("aside",), "houses", "stays")),
    _table("cats", ("name",), (("up",), "houses", "stays"), target="aside"),
)
"""Towns are named by less than their key; towns and houses name each other, people and pets name whoever keeps them; cats name houses
by what is no part of their key."""

TABLES = {t.key: t for t in KIN}
TARGETS = {"kin.houses": {"name", "aside"}, "kin.towns": {"name"}, "kin.people": {"name"}}
RULES = [derived.promoted_reference(t, r) for t, r in derived.references(TABLES)]


def schema_of(name):
    fields = [(c.name, arrow_type(c)) for c in TABLES[name].columns]
    return pa.schema([*fields, ("_offset", pa.int64()), ("_rank", pa.int64()), ("_part", pa.int16())])


def frames_of(staged):
    """The staged rows of `table: [(dump, record, name, up, aside, rank)]`, what is left out at the end is null or 0."""
    frames = {}
    for name in TABLES:
        rows = [
            dict(zip(("source_dump", "source_record", "name", "up", "aside", "_rank"), row, strict=False))
            for row in staged.get(name[4:], ())
        ]
        rows = [{"municipality_code": "990027", "run_id": "r", "history": n, "_rank": 0, "_offset": row["source_record"] * 100, "_part": 0, **row} for n, row in enumerate(rows)]  # fmt: skip
        frames[name] = pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(rows, schema=schema_of(name))))
    return frames


def keyed(rejected):
    return pl.DataFrame(rejected, schema={"source_dump": pl.String, "source_record": pl.Int64}, orient="row")


@dataclasses.dataclass(frozen=True)
class Outcome:
    fell: set
    dangling: set
    differing: int
    counts_agree: bool


@pytest.fixture
def judge(data_centre, database_url):
    """Judge in both engines."""
    with data_centre.begin() as connection:
        connection.execute(sa.schema.CreateSchema("kin", if_not_exists=True))
        for table in KIN:
            PRODUCTION.table(table).create(connection, checkfirst=True)

    def judged(staged, rejected, *, once=frozenset(), run="run", shares=1):
        frames = frames_of(staged)
        tables = run_tables(run, KIN, once)
        staging.create_staging(data_centre, tables)
        for name, rows in frames.items():
            for dump in sorted(set(rows["source_dump"])):
                part = rows.filter(pl.col("source_dump") == dump).to_arrow().cast(schema_of(name))
                stage(database_url, tables, name, part, dump=dump)
        with settling.promotable_views(data_centre, tables) as schema:

            def count(now):
                settling.note_rejected(data_centre, database_url, run, now.to_arrow())
                return known(counted(RULES, url=database_url, schema=schema))

            answer, differing = references.judge(
                RULES,
                {name: rows.lazy() for name, rows in frames.items()},
                rejected=keyed(rejected),
                keys={name: table_of(TABLES[name]).key for name in once},
                targets=TARGETS,
                count=count,
                heights=dict.fromkeys(TABLES, shares * engine.SHARE),
            )
        staging.drop_staging(data_centre, run)
        places = [
            {
                (one.rule.name[4:].removesuffix(".promoted"), *row)
                for one in answer
                for row in rows(one).select("source_dump", "source_record").iter_rows()
            }
            for rows in (lambda one: one.fell, lambda one: one.dangling)
        ]
        agree = all(one.dangling.height == one.dangling_gx for one in answer)
        return Outcome(*places, differing.num_rows, agree)

    return judged


FAMILY = {
    "towns": [("t", 1, "T", "H")],
    "houses": [("h", 1, "H", "T"), ("h", 2, "I", "T")],
    "people": [("p", 1, "P", "H"), ("p", 2, "Q", "I")],
    "pets": [("a", 1, "x", "P", "H"), ("a", 2, "y", "Q", "H")],
}

CASES = {
    "nothing was rejected": (FAMILY, [], set(), set()),
    "a parent fell": (FAMILY, [("p", 1)], {("pets.up", "a", 1)}, set()),
    "a grandparent fell, in another dump, and whoever names it aside stays": (
        FAMILY,
        [("h", 1)],
        {("people.up", "p", 1), ("pets.up", "a", 1)},
        {("towns.up", "t", 1), ("pets.aside", "a", 2)},
    ),
    "a cycle of two tables: the town takes its houses, and they all theirs": (
        FAMILY,
        [("t", 1)],
        {("houses.up", "h", 1), ("houses.up", "h", 2), ("people.up", "p", 1), ("people.up", "p", 2),
         ("pets.up", "a", 1), ("pets.up", "a", 2)},
        set(),
    ),
    "another row of the name, of a key with more columns, keeps its houses": (
        {**FAMILY, "towns": [("t", 1, "T", "H"), ("t", 2, "T", "H")]}, [("t", 1)], set(), set(),
    ),
    "a cycle that hangs on nothing keeps itself": (
        {"people": [("p", 1, "A", None, "B"), ("p", 2, "B", None, "A")]}, [], set(), set(),
    ),
    "a cycle falls whole": (
        {"people": [("p", 1, "A", None, "B"), ("p", 2, "B", None, "C"), ("p", 3, "C", None, "A"), ("p", 4, "D", None, "D")]},
        [("p", 2)],
        {("people.aside", "p", 1), ("people.aside", "p", 3)},
        set(),
    ),
    "a record falls whole, in all its tables, and takes more with it": (
        {"houses": [("h", 1, "H"), ("m", 1, "I")], "people": [("m", 1, "P", "H"), ("q", 1, "Q", "I")],
         "pets": [("m", 1, "x", "P"), ("q", 2, "y", "Q")], "towns": [("z", 1, "T", "I")]},
        [("h", 1)],
        {("people.up", "m", 1), ("people.up", "q", 1), ("pets.up", "q", 2)},
        {("towns.up", "z", 1)},
    ),
    "a null names nobody": ({"houses": [("h", 1, "H", None)], "pets": [("a", 1, None, None, None)]}, [], set(), set()),
    "a table without rows has no parents": (
        {"houses": [("h", 1, "H", "T"), ("h", 2, "I")], "towns": [("t", 1, "U", "nobody")]},
        [],
        {("houses.up", "h", 1)},
        {("towns.up", "t", 1)},
    ),
    "no rows at all": ({}, [("h", 1)], set(), set()),
}  # fmt: skip


def test_what_falls_and_what_stays(judge):
    for number, (name, (staged, rejected, fell, dangling)) in enumerate(CASES.items()):
        outcome = judge(staged, rejected, run=f"run {number}", shares=1 + number % 3)
        assert outcome == Outcome(fell, dangling, 0, counts_agree=True), name


CATS = {
    "houses": [("h", 1, "H", None, "A", 1), ("h", 2, "H", None, "B", 0)],
    "cats": [("c", 1, "x", "A"), ("c", 2, "y", "B")],
}


@pytest.mark.parametrize(("rejected", "stays"), [([], {("cats.up", "c", 1)}), ([("h", 2)], {("cats.up", "c", 2)})])
def test_who_is_named_by_no_part_of_a_key_must_be_the_promoted_row(judge, rejected, stays):
    assert judge(CATS, rejected, once=ONCE, shares=3) == Outcome(set(), stays, 0, counts_agree=True)


ONCE = frozenset({"kin.houses"})
TWICE = {
    "towns": [("t", 1, "T"), ("t", 2, "U")],
    "houses": [("h", 1, "H", "U", None, 1), ("h", 2, "H", "T", None, 0)],
    "people": [("p", 1, "P", "H")],
}
"""A house that two records tell of: the second is preferred."""


@pytest.mark.parametrize(
    ("rejected", "fell"),
    [
        ([("h", 1)], set()),
        ([("h", 2)], set()),
        ([("t", 2)], set()),
        ([("t", 1)], {("houses.up", "h", 2)}),
        ([("h", 1), ("h", 2)], {("people.up", "p", 1)}),
        ([("h", 2), ("t", 2)], {("houses.up", "h", 1), ("people.up", "p", 1)}),
        ([("t", 1), ("t", 2)], {("houses.up", "h", 1), ("houses.up", "h", 2), ("people.up", "p", 1)}),
    ],
)
def test_of_one_row_a_key_the_promoted_row_is_judged(judge, rejected, fell):
    assert judge(TWICE, rejected, once=ONCE, shares=2) == Outcome(fell, set(), 0, counts_agree=True)


def test_both_engines_agree_over_anything(judge):
    rng = np.random.default_rng(4)
    met = set()
    for turn in range(6):

        def pick(number):
            return [None if n > 25 else str(n) for n in rng.integers(0, 28, number)]

        staged = {
            name: list(zip(rng.choice(["a", "b"], 40).tolist(), rng.permutation(60)[:40].tolist(), pick(40), pick(40), pick(40), rng.integers(0, 2, 40).tolist(), strict=True))
            for name in ("towns", "houses", "people", "pets", "cats")
        }  # fmt: skip
        rejected = [(d, n) for d in "ab" for n in rng.permutation(60)[:5].tolist()]
        once = frozenset() if turn % 2 else frozenset({"kin.houses", "kin.people"})
        outcome = judge(staged, rejected, once=once, run=f"random {turn}", shares=1 + turn % 3)
        assert outcome.counts_agree
        assert outcome.differing == 0
        met |= {name for name, *_ in outcome.fell | outcome.dangling}
    assert len(met) > 4


def test_what_the_engines_count_differently_is_said_of_every_round():
    frames = {name: rows.lazy() for name, rows in frames_of(FAMILY).items()}
    answer, differing = references.judge(
        RULES,
        frames,
        rejected=keyed([("p", 1)]),
        keys={},
        targets=TARGETS,
        count=lambda _: known(dict.fromkeys((r.name for r in RULES), 0)),
    )
    assert [one.fell.height for one in answer if one.rule.name == "kin.pets.up.promoted"] == [1]
    assert differing.column("code").to_pylist() == ["C510"]
    assert differing.column("detail").to_pylist() == ["kin.pets.up.promoted: 1 and 0"]
