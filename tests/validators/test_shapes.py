"""Every shape finds in both engines what its cases say, and counts alike on any rows."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration_reports.findings import SpecError
from tests.counted import counted, staged_alone
from tests.sheets import rule_of
from tests.validators.shape_tables import TABLES, Staged, differences, failing_polars, frame, rules, schema_of
from validators.shapes import SHAPES, WRITTEN_AS

CASES = Path(__file__).parents[1] / "cases" / "shapes"


def declared(name, rule):
    """An instance as a sheet has it; of things, for a source that these tests are."""
    said = {**rule, "of": rule.get("of", "things"), "source": "these tests"}
    return rule_of(yaml.safe_dump({name: said}, sort_keys=False, allow_unicode=True))


def cases():
    return [
        pytest.param(shape, case, id=f"{shape.name}: {case['name']}")
        for shape in SHAPES
        for case in yaml.safe_load((CASES / f"{shape.name}.yaml").read_text("utf-8"))
    ]


@pytest.fixture(scope="module")
def staged(server_url):
    engine_ = sa.create_engine(server_url, poolclass=sa.NullPool)
    with engine_.connect() as connection:
        yield Staged(connection)


@pytest.mark.parametrize(("shape", "case"), cases())
def test_every_shape_finds_what_its_cases_say(staged, shape, case):
    made = rules([declared("rule", case["rule"])], case.get("settings"))
    assert {rule.code for rule in made} == (set() if case.get("absent") else {shape.code})
    frames = {key: frame(key, case.get(key, case.get(key.removeprefix("tests."), []))) for key in TABLES}
    expected = {rule.name: case[rule.name.partition(".")[2] or "failing"] for rule in made}
    assert failing_polars(made, frames) == expected
    if "differences" in case:
        assert differences(made[0], frames) == case["differences"]
    staged.fill(frames)
    assert staged.failing(made) == expected


EVERY = """
rules:
  order: {not_after: [begun, ended], of: things, unless: {kind: [A, "1*"]}, source: x}
  age: {age_on_day: begun, day: ended, from: "1", below: "2", of: things, source: x}
  one: {one_at_most: [kind, begun], of: things, where: {mark: ["x*", ""]}, source: x}
  once: {exactly_one: {of: elsewhere.parts, per: thing, where: {kind: A}}, per: thing, of: things, source: x}
  least: {at_least_one: {of: elsewhere.parts, per: kind}, per: kind, of: things, source: x}
  count: {count_matches: serial, counted: {of: elsewhere.parts, unless: {price: ["1", "2.5"]}}, per: [thing, kind], of: things, source: x}
  count_at_most: {count_matches: serial, counted: elsewhere.parts, per: thing, of: things, compare: at_most, source: x}
  sum: {sum_matches: total, summed: {of: elsewhere.parts, amount: price}, per: thing, of: things, source: x}
  sum_at_least: {sum_matches: share, summed: {of: elsewhere.parts, amount: most, per: since}, per: begun, of: things, compare: at_least, source: x}
  columns: {sum_of_columns: total, plus: [serial, share], minus: digits, of: things, source: x}
  floored: {sum_of_columns: serial, plus: [total, share], floored: "2", of: things, source: x}
  chain: {chain: total, follows: share, order: begun, per: kind, of: things, source: x}
  chain_of_texts: {chain: mark, follows: kind, order: thing, of: things, source: x}
  totals: {equal_totals: total, to: {of: elsewhere.parts, amount: price, per: [kind, since]}, per: [kind, begun], of: things, source: x}
  overlap: {no_overlap: [begun, ended], per: kind, of: things, source: x}
  overlap_before: {no_overlap: [begun, ended], ends: before, of: things, where: {kind: A}, source: x}
  gap: {no_gap: serial, from: "0", per: kind, of: things, source: x}
  gap_of_periods: {no_gap: [begun, ended], per: kind, of: things, source: x}
  gap_before: {no_gap: [begun, ended], ends: before, per: mark, of: things, source: x}
  gap_of_texts: {no_gap: digits, per: begun, of: things, source: x}
  multiple: {multiple_of: share, unit: "0.5", of: things, source: x}
  range: {within_range: total, day: begun, per: kind, of: things, source: x,
          in: {of: elsewhere.parts, from: since, until: until, lowest: least, highest: most}}
  range_of_all: {within_range: share, of: things, source: x, in: {of: elsewhere.parts, highest: most, lowest: price, where: {kind: B}}}
  valid: {code_valid_on: kind, day: ended, of: things, source: x, in: {of: elsewhere.parts, from: since, until: until, ends: before}}
  named: {code_valid_on: [thing, begun], of: things, source: x, in: {of: elsewhere.parts, per: [thing, since]}}
  form: {form: mark, pattern: "[0-9]{1,2}|x*", of: things, source: x}
  number: {check_digit: digits, kind: municipality_number, of: things, source: x}
  required: {required_with: mark, with: [kind, ended], of: things, source: x}
  holds: {holds: "total = serial + share or mark > 'x' or not begun = ended", of: things, source: x}
  holds_beside: {holds: "not (part.price < share or part.until > ended)", beside: {part: {of: elsewhere.parts, per: kind}}, of: things, source: x}
  holds_self: {holds: "other.serial >= serial or other.begun < begun", beside: {other: {of: things, per: kind}}, of: things, source: x}
  holds_last: {holds: "part.price = share and map.thing = thing", of: things, source: x,
               beside: {part: {of: elsewhere.parts, per: {kind: mark}, last: since}, map: {of: elsewhere.parts, per: {kind: part.kind}, day: begun, from: since, until: until}}}
  holds_days: {holds: "days(begun, ended) > serial * 400 or months_after(begun, serial) > years_after(ended, -serial) or days_after(ended, total) is null", of: things, source: x}
  holds_texts: {holds: "day(mark) > ended or number(digits) <> serial or slice(mark, 2, 1) || kind <> least(mark, digits) or length(mark) > fiscal_year(begun) - 2018", of: things, source: x}
  fits: {counterpart: {of: elsewhere.parts, per: [thing], day: ended, from: since, ends: before, until: until}, of: things, source: x}
  fits_if: {counterpart: {of: elsewhere.parts, if: "kind = other.kind and (total > other.least or other.most is null and share is null)"}, of: things, source: x}
  recomputed: {recompute: total, as: "half_up(share * 1.08 / (serial - 1), 0.5) + ceil(serial / -3, 10) - floor(share * share / part.price)",
               beside: {part: {of: elsewhere.parts, per: kind}}, tolerance: "1", of: things, source: x}
  steps: {transitions: mark, order: begun, per: kind, allowed: {x: [xx, "5"], xx: x, A: ""}, first: [x, ""], of: things, source: x}
  above: {tree: kind, key: thing, steps: "3", of: things, source: x}
  above_steps: {tree: mark, key: kind, of: things, source: x}
  banks: {text_repertoire: mark, repertoire: zengin, of: things, source: x}
  capitals: {one_at_most: [mark, kind], folded: "yes", of: things, source: x}
  hours: {no_overlap: [serial, total], ends: before, per: kind, of: things, source: x}
  texts: {no_overlap: [mark, kind], of: things, source: x}
  several: {equal_totals: half, per: [month, kind], of: things, source: x,
            beside: {month: "year(begun) * 100 + month(begun)", half: "floor(total / 2)"},
            and: {of: elsewhere.parts, amount: price, per: [month, thing], beside: {month: "year(until) * 100 + month(until)"}},
            to: {of: elsewhere.parts, amount: most, per: [month, part.kind], beside: {month: "fiscal_year(since) * 100 + 1", part: {of: things, per: thing}}}}
  at_most_each: {sum_matches: "3", compare: at_most, summed: {of: things, amount: share}, per: kind, of: things, source: x}
  counted_each: {count_matches: "2", counted: elsewhere.parts, per: kind, of: things, source: x}
  holds_more: {holds: "coalesce(total, 1) * -serial >= share and (ended is null or kind in ('A', mark))", of: things, source: x}
"""
"""Instances of every shape, of which several look at the same columns."""

MADE = rules([declared(name, rule) for name, rule in yaml.load(EVERY, yaml.BaseLoader)["rules"].items()])

GROUPED = [rule for rule in MADE if rule.divided_by]

WHOLE = [None, 0, 1, 2, 3, -1, 10**13 - 1]
EXACT = [None, *map(Decimal, ("0", "1", "1.5", "-0.25", "2.50", "3"))]
DAYS = [None, "20200101", "20200102", "20210102", "20200100", "20200000", "00000000", "20210229"]
THING, KIND = [None, "1", "2", "10"], [None, "", "A", "B", "12"]
OF_THINGS = {
    "thing": THING,
    "kind": KIND,
    "mark": [None, "", "x", "xx", "5", "A", "é", "12\n", "011002"],
    "digits": [None, "", "1", "02", "3", "x", "+1", "-1", "１", "011002", "011003"],
    "serial": WHOLE,
    "total": [None if n is None else Decimal(n) for n in WHOLE],
    "share": EXACT,
    "begun": DAYS,
    "ended": DAYS,
    "_rank": [0, 1, 2],
}
OF_PARTS = {
    "thing": THING,
    "kind": KIND,
    "price": EXACT,
    "least": WHOLE,
    "most": [None, Decimal(0), Decimal(2)],
    "since": DAYS,
    "until": DAYS,
}
"""What may stand in each column."""


def any_rows(values, most):
    return st.lists(st.fixed_dictionaries({name: st.sampled_from(of) for name, of in values.items()}), max_size=most)


def frames_of(things, parts):
    return {
        "tests.things": frame("tests.things", things),
        "elsewhere.parts": frame("elsewhere.parts", parts),
        "tests.numbers": frame("tests.numbers", []),
    }


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(things=any_rows(OF_THINGS, 9), parts=any_rows(OF_PARTS, 7))
def test_both_engines_find_the_same_rows_whatever_they_hold(staged, things, parts):
    frames = frames_of(things, parts)
    staged.fill(frames)
    found = failing_polars(MADE, frames)
    assert found == staged.failing(MADE)
    assert failing_polars(GROUPED, frames, shares=3) == {rule.name: found[rule.name] for rule in GROUPED}


def test_every_rule_that_groups_or_joins_may_be_divided():
    of_all = {"overlap_before", "chain_of_texts", "range_of_all", "fits_if", "texts", "above", "above_steps"}
    by_what_is_beside = {"holds_last", "several", "several.missing.1", "several.missing.2"}
    several_rows = {rule.name for rule in MADE if not isinstance(rule.failing, pl.Expr)}
    assert {rule.name for rule in GROUPED} == several_rows - of_all - by_what_is_beside
    assert all(set(rule.divided_by) == set(rule.reads) for rule in GROUPED)


JUNK = [
    "", "x", "kind", "begun", "total", "1", "-5", "1e400", "part.price", "price +", [], ["kind"], [["a"]], {}, {"a": "b"},
    {"of": "things"}, {"of": "elsewhere.parts", "per": "kind"}, {"of": ["things"]}, {"kind": ["A", "1e400"]}, {"kind": {}},
    {"part": {"of": "elsewhere.parts", "per": {"kind": ["x"]}}}, {"part": {"of": "elsewhere.parts", "last": {}}},
    {"part": {"of": "elsewhere.parts", "day": ["x"], "if": {}}}, {"part": "days_after(begun, serial)"}, {"x": {"part": "1"}},
]  # fmt: skip


def test_whatever_an_instance_says_is_a_rule_or_a_problem():
    rng, instances = random.Random(3), list(yaml.load(EVERY, yaml.BaseLoader)["rules"].items())

    def other(value):
        if isinstance(value, dict) and value and rng.random() < 0.7:
            name = rng.choice(list(value))
            return {**value, name: other(value[name])}
        return rng.choice(JUNK)

    made = refused = 0
    for _ in range(3000):
        name, rule = rng.choice(instances)
        changed = rng.choice([*(word for word in rule if word not in ("of", "source", "severity")), "beside", "where"])
        try:
            made += bool(rules([declared(name, {**rule, changed: other(rule.get(changed, {}))})]))
        except SpecError as error:
            refused += all(problem.code.startswith("R") for problem in error.problems)
    assert made > 100
    assert made + refused == 3000


NAMED = [
    *(
        "total",
        "serial",
        "share",
        "kind",
        "mark",
        "digits",
        "begun",
        "ended",
        "thing",
        "part.price",
        "part.since",
        "part.kind",
    ),
    *("floor(share / 3, 10)", "year(begun)", "days(begun, ended)", "slice(mark, 1, 2)", "months_after(begun, serial)"),
]
BESIDE = [
    {"part": {"of": "elsewhere.parts", "per": "kind"}},
    {"part": {"of": "elsewhere.parts", "per": "thing", "last": "since"}},
    {"part": {"of": "elsewhere.parts", "per": "thing", "day": "begun", "from": "since", "until": "until"}},
    {"v": "half_up(total / 7)", "part": {"of": "elsewhere.parts", "per": "thing", "if": "part.most > v"}},
]


def test_whatever_stands_beside_and_is_named_both_engines_find_the_same_rows(staged):
    rng, instances = random.Random(7), list(yaml.load(EVERY, yaml.BaseLoader)["rules"].items())
    of = ((OF_THINGS, 25), (OF_PARTS, 15))
    frames = frames_of(*([{n: rng.choice(v) for n, v in values.items()} for _ in range(most)] for values, most in of))
    staged.fill(frames)

    def other(value):
        if isinstance(value, dict) and value:
            name = rng.choice(list(value))
            return {**value, name: other(value[name])}
        if isinstance(value, list) and rng.random() < 0.7:
            return [rng.choice([one, rng.choice(NAMED)]) for one in value]
        return rng.choice(NAMED)

    judged = []
    while len(judged) < 150:
        name, rule = rng.choice(instances)
        word = rng.choice([word for word in rule if word not in ("of", "source", "severity")])
        try:
            made = rules([declared(name, {**rule, word: other(rule[word]), "beside": rng.choice(BESIDE)})])
        except SpecError:
            continue
        found = list(failing_polars(made, frames).values())
        judged.append(sum(map(len, found)))
        assert found == list(staged.failing(made).values()), (word, rule)
    assert sum(map(bool, judged)) > 50


def test_what_is_called_otherwise_is_written_by_a_shape_that_there_is():
    names = {shape.name for shape in SHAPES}
    assert {way.shape for way in WRITTEN_AS.values()} <= {*names, ""}
    assert not names & WRITTEN_AS.keys()


def test_every_shape_has_an_instance_in_the_property():
    assert {rule.code for rule in MADE} == {shape.code for shape in SHAPES}


def test_great_expectations_counts_as_the_database_does(data_centre, database_url, staged):
    """Of every shape at once: importing the library costs seconds, and it only puts the same SQL."""
    rng = random.Random(11)
    things, parts = (
        [{name: rng.choice(of) for name, of in values.items()} for _ in range(count)]
        for values, count in ((OF_THINGS, 150), (OF_PARTS, 4))
    )
    frames = frames_of(things, parts)
    rows = {key: rows.to_arrow().cast(schema_of(key)) for key, rows in frames.items()}
    schema = staged_alone(data_centre, database_url, "shapes", list(TABLES.values()), rows)
    counts = counted(MADE, url=database_url, schema=schema)
    found = {name: len(rows) for name, rows in failing_polars(MADE, frames).items()}
    assert found == dict(counts)
    assert sum(count > 0 for count in found.values()) > 20, found
