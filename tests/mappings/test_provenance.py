"""What becomes of a field is derived once, and every page says the same of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dags.authoring.lineage import source_items
from dags.inspection.profile import of_municipality
from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from mappings.plan import Occurrences
from mappings.provenance import BESIDE_THE_DATA, Fate, Followed, decoded_as, fate_of, followed, origins

TOWN = Path(__file__).parents[2] / "mappings" / "municipalities" / "990027_mihon"


@pytest.fixture(scope="module")
def town():
    return load(TOWN)


def fate(town, kind, field):
    return fate_of(town.plans.values(), "juki_master", town.dumps["juki_master"].spec, kind, field)


def test_a_field_goes_to_columns_or_to_a_control_or_is_left_for_a_reason(town):
    amount = fate(town, "resident", "JJ-KAZEI")
    assert amount.controls
    assert [target.rpartition(".")[2] for target in amount.targets] == ["amount"]
    assert fate(town, "trailer", "JT-KENSU") == Fate((), controls=True, tells_kinds=False, ignored_because="")
    assert fate(town, "header", "JM-KUBUN") == Fate((), False, True, BESIDE_THE_DATA)
    assert fate(town, "resident", "NOT-THERE") == Fate((), False, False, "")


def test_what_lies_under_a_column_of_a_frame(town):
    part = next(part for plan in town.plans.values() for part in plan.parts if part.each is None)
    assert decoded_as(part, "$record") == ()
    assert origins(part, ["JJ-KAZEI", "$record", "JJ-KAZEI"]) == ((part.source, "JJ-KAZEI"),)


@pytest.mark.parametrize(
    ("each", "decoded", "lying"),
    [
        (Occurrences(("T",), ("T",), (), {}, {"M": None}), ["M"], ["T"]),
        (Occurrences(("T",), (), (2,), {"M": ("M1", "M2")}, {"M": None}), ["M1", "M2"], ["M1", "M2"]),
    ],
)
def test_a_member_of_an_occurrence(town, each, decoded, lying):
    plain = next(part for plan in town.plans.values() for part in plan.parts)
    part = dataclasses.replace(plain, each=each)
    assert [field for _, field in decoded_as(part, "M")] == decoded
    assert [field for _, field in origins(part, ["M"])] == lying


def test_an_amount_is_followed_only_where_it_goes_unchanged(town):
    every = {one for plan in town.plans.values() for part in plan.parts for one in followed(part)}
    assert Followed("JJ-KAZEI", ("JJ-KAZEI",), "amount", 1) in every
    assert all(one.name != "JJ-SEINEN" for one in every)


def test_every_page_says_the_same_of_a_field(town, tmp_path):
    synthesize(TOWN, residents=20, seed=1, faults=0.0, out=tmp_path)
    profiled = of_municipality(town, "juki_master", tmp_path).fates or {}
    listed = {(item.source.partition(".")[2], item.field): item.reason for item in source_items(town)}
    for (kind, field), reason in listed.items():
        assert profiled[kind][field][1] == reason == fate(town, kind, field).ignored_because
