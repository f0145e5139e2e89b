"""Copybooks become layouts, or problems with their places."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from extractors.copybook import PROBLEMS, read_copybook
from migration_reports.findings import SpecError
from tests.reading import SHARED

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "copybook.yaml").read_text("utf-8"))
TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_a_copybook_reads_as_the_case_says(case):
    if "problems" in case:
        with pytest.raises(SpecError) as caught:
            read_copybook(case["text"], file="c.cpy")
        found = [f"{p.position.line}:{p.position.column} {p.code}" for p in caught.value.problems]
        assert found == case["problems"], str(caught.value)
        assert all(p.code in PROBLEMS for p in caught.value.problems)
        return
    layout = read_copybook(case["text"], file="c.cpy")
    fields = [f"{f.name} {f.offset} {f.width} {f.usage}" for f in layout.fields(case.get("group"))]
    assert fields == case["fields"]
    assert layout.length == case["length"]


@pytest.mark.parametrize(
    ("path", "length"), [("990027_mihon/layouts/juki_master.cpy", 400), ("990035_reiji/layouts/setai_kojin.cpy", 240)]
)
def test_the_shipped_copybooks_have_their_record_length(path, length):
    assert read_copybook((TOWNS / path).read_text("utf-8"), file=path).length == length


def test_conditions_are_kept():
    layout = read_copybook("01 R.\n 05 K PIC X.\n  88 YES VALUE 'Y' 'J'.\n  88 RANGE VALUES '1' THRU '5'.\n", file="c")
    (field,) = layout.fields()
    assert [(c.name, c.values) for c in field.conditions] == [("YES", ("Y", "J")), ("RANGE", (("1", "5"),))]


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize(("name", "length"), [("a_city_resident", 320), ("d_city_resident", 240)])
def test_the_shared_copybooks_are_used_as_they_stand(name, length):
    path = SHARED / "dumps" / name / f"{name}.cpy"
    assert read_copybook(path.read_text("utf-8"), file=path.name).length == length


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize(("name", "clause"), [("b_town_resident", "DEPENDING"), ("c_village_resident", "SEPARATE")])
def test_a_clause_that_is_not_read_yet_is_named(name, clause):
    path = SHARED / "dumps" / name / f"{name}.cpy"
    with pytest.raises(SpecError, match=rf"{name}\.cpy:\d+:\d+: L031 .*{clause}.* is not read yet"):
        read_copybook(path.read_text("utf-8"), file=path.name)
