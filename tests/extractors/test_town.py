"""The town: each entity says what it has, hangs together with the others as its cases say, and changes with none of them."""

from __future__ import annotations

import functools
from pathlib import Path

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from extractors.synthesis.town import BY_NAME, ENTITIES
from extractors.synthesis.town._tools import corporate_numbers, with_digit_11
from extractors.synthesis.town.contract import Town, parts

CASES = Path(__file__).parents[1] / "cases" / "town"
ROWS = [
    (entity.name, row)
    for entity in ENTITIES
    for row in yaml.safe_load((CASES / f"{entity.name}.yaml").read_text("utf-8"))
]


@functools.cache
def invent(residents, seed=1):
    return next(parts(ENTITIES, residents=residents, seed=seed))


@pytest.mark.parametrize(("entity", "row"), ROWS, ids=[f"{entity}: {row['name']}" for entity, row in ROWS])
def test_what_the_cases_say_of_a_town_holds(entity, row):
    town = invent(row["residents"])
    tables = pl.SQLContext({e.name: town[e.name].with_row_index("row").cast({"row": pl.Int64}) for e in ENTITIES})
    assert ("none" in row) != ("some" in row)
    found = tables.execute(row.get("none", row.get("some")), eager=True)
    assert found.is_empty() == ("none" in row), found.head(5)


@pytest.mark.parametrize("residents", [1, 2, 700])
@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_an_entity_has_the_columns_that_it_says(entity, residents):
    frame = invent(residents)[entity.name]
    said = {r.entity: pl.Int64 for r in entity.relations} | {a.name: a.type for a in entity.attributes}
    assert dict(frame.schema) == said


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_rows_stand_in_the_order_of_what_they_belong_to(entity):
    assert sum(relation.kind == "per" for relation in entity.relations) <= 1
    for relation in entity.relations:
        rows = invent(700)[entity.name][relation.entity]
        assert rows.drop_nulls().is_between(0, invent(700)[relation.entity].height - 1).all()
        if relation.kind == "per":
            assert not rows.null_count()
            assert rows.is_sorted()
            assert not entity.single or rows.n_unique() == len(rows)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_no_entity_changes_another(entity):
    needed = {entity.name}
    alone = Town(_Noting(needed), 1, 0, 300)
    made = alone[entity.name]
    assert_frame_equal(made, invent(300)[entity.name])
    fewer = {name: BY_NAME[name] for name in needed}
    assert_frame_equal(Town(fewer, 1, 0, 300)[entity.name], made)


class _Noting(dict):
    """The entities, noting which of them are asked for."""

    def __init__(self, asked):
        super().__init__(BY_NAME)
        self._asked = asked

    def __getitem__(self, name):
        self._asked.add(name)
        return super().__getitem__(name)


def test_another_seed_makes_another_town_and_the_same_seed_the_same():
    assert_frame_equal(next(parts(ENTITIES, residents=300, seed=1))["residents"], invent(300)["residents"])
    assert not next(parts(ENTITIES, residents=300, seed=2))["residents"].equals(invent(300)["residents"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "row", [row for entity, row in ROWS if entity == "org_units" and "none" in row], ids=lambda row: row["name"]
)
def test_the_organisation_holds_together_whatever_the_reform(row, seed):
    town = next(parts(ENTITIES, residents=1, seed=seed))
    units = pl.SQLContext({"org_units": town["org_units"].with_row_index("row")})
    assert units.execute(row["none"], eager=True).is_empty()


def test_check_digits_are_those_of_the_ordinances():
    """Reckoned by hand: 宛名番号 modulus 11 with weights 2 to 7 from the right; 法人番号 modulus 9."""
    # Of the digits from the right the first counts twice and the ninth four times: 6, and 11 - 6 is 5.
    assert with_digit_11(pl.Series([100_000_001]).to_numpy(), digits=9).tolist() == [1_000_000_015]
    assert with_digit_11(pl.Series([0]).to_numpy(), digits=9).tolist() == [0]
    # 国税庁's own example: 700110005901 has the check digit 8.
    assert corporate_numbers(pl.Series([700_110_005_901]).to_numpy()).tolist() == [8_700_110_005_901]
