"""Every dialect places fields, and reads their bytes, as its cases say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from extractors import charsets, dialects, framings
from extractors.batches import extract
from extractors.copybooks.copybook import read_copybook
from extractors.dialects import DIALECTS
from migration_reports.findings import SpecError
from tests.reading import open_bytes

CASES = Path(__file__).parents[1] / "cases" / "dialects"


def cases():
    for dialect in DIALECTS:
        for case in yaml.safe_load((CASES / f"{dialect.name}.yaml").read_text("utf-8")):
            yield pytest.param(dialect.name, case, id=f"{dialect.name}: {case['name']}")


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_a_dialect_reads_as_the_case_says(name, case, tmp_path):
    options = {rule: str(said) for rule, said in case.get("options", {}).items()}
    if "problem" in case:
        with pytest.raises(SpecError) as caught:
            dialects.load(name, options)
        assert [problem.code for problem in caught.value.problems] == [case["problem"]]
        return
    layout = read_copybook(f"01 R. {case['text']}", file="case.cpy", dialect=dialects.load(name, options))
    placed = [f"{f.name} {f.offset} {f.width} {f.usage}" for f in layout.fields() if not f.filler]
    assert placed == case["fields"]
    if "bytes" not in case:
        return
    (extracted,) = extract(
        open_bytes(bytes.fromhex(case["bytes"])),
        name="case",
        layout=layout,
        framing=framings.load("fixed", {}, layout),
        charset=charsets.load(case.get("charset", "ibm"), {}, tmp_path),
    )
    (row,) = extracted.batch.select([f.name for f in layout.fields() if not f.filler]).to_pylist()
    assert [str(v) if isinstance(v, (int, float, Decimal)) else v for v in row.values()] == case["values"]
    assert [finding["code"] for finding in extracted.findings.to_pylist()] == case.get("findings", [])
