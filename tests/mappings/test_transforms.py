"""Every transform does what its cases say, by the column."""

from __future__ import annotations

from pathlib import Path

import jaconv
import polars as pl
import pytest
import yaml

from mappings.spec import CodeTable
from mappings.transforms import BY_NAME, TRANSFORMS

CASES = Path(__file__).parents[1] / "cases" / "transforms"
TABLES = {
    "codes.csv": CodeTable({"a": "1", "b": "2"}, "codes.csv"),
    "fallback.csv": CodeTable({"髙": "高", "辻\U000e0101": "辻"}, "fallback.csv"),
}
TYPES = {"text": pl.String, "integer": pl.Int64}


def cases():
    for transform in TRANSFORMS:
        for case in yaml.safe_load((CASES / f"{transform.name}.yaml").read_text("utf-8")):
            yield pytest.param(transform, case, id=f"{transform.name}: {case['name']}")


@pytest.mark.parametrize(("transform", "case"), list(cases()))
def test_values_become_what_the_case_says(transform, case):
    columns = {f"c{n}": pl.Series([value], dtype=TYPES[case["type"]]) for n, value in enumerate(case["input"])}
    params = transform.params.model_validate({k: str(v) for k, v in case["params"].items()})
    outcome = transform.apply([pl.col(name) for name in columns], params, TABLES)
    masks = (*outcome.failed, *outcome.remarks)
    row = pl.DataFrame(columns).select(
        outcome.value.alias("value"), *[m.fill_null(value=False).alias(f"m{n}") for n, (_, m) in enumerate(masks)]
    )
    found = [code for n, (code, _) in enumerate(masks) if row[f"m{n}"][0]]
    assert found == case.get("codes", [])
    assert row["value"][0] == case["value"]
    failed = {code for code, _ in outcome.failed}
    assert bool(failed & set(found)) == case.get("failed", False)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: t.name)
def test_every_transform_says_what_it_does(transform):
    assert transform.doc.strip()
    assert BY_NAME[transform.name] is transform


def test_kana_agrees_with_jaconv():
    text = "".join(chr(point) for point in range(0xFF66, 0xFF9E)) + "ｶﾞｷﾞﾊﾟﾋﾟｳﾞ"
    outcome = BY_NAME["kana"].apply([pl.col("c")], BY_NAME["kana"].params(), {})
    assert pl.DataFrame({"c": [text]}).select(outcome.value)["c"][0] == jaconv.h2z(text)
