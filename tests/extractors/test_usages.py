"""Every usage reads the bytes of its cases as they say, and writes them back."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from extractors import charsets, dialects
from extractors.batches import extract
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Blanks
from extractors.encode import encode
from extractors.framings import load
from extractors.kernels.memory import SLACK
from extractors.usages import BY_NAME, USAGES, usage_of
from extractors.usages import _written as written
from extractors.usages.contract import NUMBER
from tests.reading import open_bytes

CASES = Path(__file__).parents[1] / "cases" / "usages"


def cases():
    for usage in USAGES:
        for case in yaml.safe_load((CASES / f"{usage.name}.yaml").read_text("utf-8")):
            yield pytest.param(usage.name, case, id=f"{usage.name}: {case['name']}")


def layout_of(picture: str, *, dialect: str = "ibm", comma: bool = False, **options: str):
    clause = picture if picture.startswith(("COMP", "POINTER", "INDEX", "BINARY-")) else f"PIC {picture}"
    head = "DECIMAL-POINT IS COMMA.\n" if comma else ""
    text = f"DATA DIVISION.\n{head}01 R.\n05 F {clause}.\n"
    return read_copybook(text, file="case.cpy", dialect=dialects.load(dialect, options))


@pytest.mark.parametrize(("usage", "case"), list(cases()))
def test_bytes_read_as_the_case_says(usage, case, tmp_path):
    layout = layout_of(
        str(case["picture"]),
        dialect=case.get("dialect", "ibm"),
        comma=case.get("comma", False),
        **case.get("options", {}),
    )
    (field,) = layout.fields()
    assert usage_of(field, charsets.load(case.get("charset", "ibm"), {}, tmp_path)).name == usage or "page" in case
    raw = bytes.fromhex(case["bytes"])
    page = {"page": case["page"]} if "page" in case else {}
    charset = charsets.load(case.get("charset", "ibm"), page, tmp_path)
    blanks = Blanks(**case.get("policy", {}))
    out = list(
        extract(
            open_bytes(raw),
            name="case",
            layout=layout,
            framing=load("fixed", {}, layout),
            charset=charset,
            blanks=blanks,
        )
    )
    values = out[0].batch.column("F").to_pylist() if "left_over" not in case else [None]
    expected = case["value"]
    if "left_over" not in case:
        assert len(raw) == field.width, "the case's bytes are not the field's width"
    if BY_NAME[usage].value == NUMBER:
        expected = None if expected is None else Decimal(expected)
    elif usage == "raw":
        values = [v and v.hex().upper() for v in values]
    assert values == [expected]
    wanted = case.get("finding", [])
    found = [f for e in out for f in e.findings.to_pylist()]
    assert sorted(f["code"] for f in found) == sorted([wanted] if isinstance(wanted, str) else wanted)
    if "detail" in case:
        assert found[0]["detail"] == str(case["detail"])
    if case.get("canonical", expected is not None):
        again = encode([field], {"F": out[0].batch.column("F")}, charset=charset, length=layout.length, count=1)
        assert again.tobytes().hex(" ").upper() == raw.hex(" ").upper()


@pytest.mark.parametrize("usage", [u.name for u in USAGES])
def test_every_usage_has_a_case_that_finds_something(usage):
    rows = yaml.safe_load((CASES / f"{usage}.yaml").read_text("utf-8"))
    assert any("finding" in row for row in rows)


def test_a_value_too_wide_for_its_field_is_refused_without_naming_it(tmp_path):
    layout = layout_of("9(3) COMP-3")
    charset = charsets.load("ibm", {}, tmp_path)
    with pytest.raises(ValueError, match=r"F: 1 values do not fit PICTURE 9\(3\)") as caught:
        encode(layout.fields(), {"F": np.array([123456])}, charset=charset, length=layout.length, count=1)
    assert "123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("picture", "text"),
    [("X(4)", "漢字"), ("X(4)", "abcde"), ("G(2) DISPLAY-1", "AB"), ("A(4)", "漢"), ("X(8)", "\U0001f600")],
)
def test_a_text_that_cannot_be_written_is_refused(picture, text, tmp_path):
    layout = layout_of(picture)
    charset = charsets.load("ibm", {}, tmp_path)
    with pytest.raises(ValueError, match="do not fit"):
        encode(layout.fields(), {"F": pa.array([text])}, charset=charset, length=layout.length, count=1)


def test_the_slack_of_buffers_covers_what_kernels_load():
    assert SLACK >= 16


@pytest.mark.parametrize("text", ["", "T", "12", " A ", "ABCDE", "ｱｲ", "漢", "A漢", "か゚", "é", "€", "\ue000"])
@pytest.mark.parametrize("name", ["ibm", "fujitsu", "shift_jis", "euc_jp", "iso_2022_jp"])
def test_one_text_is_written_alone_as_among_others(name, text, tmp_path):
    charset = charsets.load(name, {}, tmp_path)
    for mode in (written.SINGLE_ONLY, written.BOTH):
        alone, among = np.zeros((1, 4), np.uint8), np.zeros((2, 4), np.uint8)
        misfit = written.encode_text(np.array([text], object), charset, alone, mode=mode)
        both = written.encode_text(np.array([text, "B"], object), charset, among, mode=mode)
        assert (alone[0].tolist(), bool(misfit[0])) == (among[0].tolist(), bool(both[0]))
