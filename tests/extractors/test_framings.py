"""Every framing finds the records of its cases, and every byte of a dump is accounted for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from extractors.framings import FRAMINGS, load
from migration_reports.findings import SpecError

CASES = Path(__file__).parents[1] / "cases" / "framings"


def cases():
    for framing in FRAMINGS:
        for case in yaml.safe_load((CASES / f"{framing.name}.yaml").read_text("utf-8")):
            yield pytest.param(framing.name, case, id=f"{framing.name}: {case['name']}")


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_records_lie_where_the_case_says(name, case):
    options = {"length": case["length"]}
    if "problem" in case:
        with pytest.raises(SpecError) as caught:
            load(name, options, case.get("layout", 1))
        assert [p.code for p in caught.value.problems] == [case["problem"]]
        return
    framing = load(name, options, case.get("layout", 1))
    data = bytes.fromhex(case["bytes"])
    framed = framing.index(np.frombuffer(data, np.uint8), 0, len(data), True)
    records = [data[p : p + framing.record_length].hex().upper() for p in framed.pos]
    assert records == case["records"]
    assert len(data) - framed.used == case.get("left_over", 0)
