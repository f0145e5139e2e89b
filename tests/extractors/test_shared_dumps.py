"""The reader agrees with dumps that this project did not write: every record, every field, every fault."""

from __future__ import annotations

import collections
import csv
import json
import re
import subprocess
import sys

import pytest

from tests.reading import SHARED

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout"),
]

CASES = {
    "a_city_resident": (
        "fujitsu", "fixed", "fujitsu", ["person=JK-REC-KBN:1:JK-KOJIN", "trailer=JK-REC-KBN:9:JK-TRAILER"],
    ),
    "b_town_resident": ("hitachi", "blocked", "hitachi", []),
    "c_village_resident": ("nec", "fixed", "nec", []),
    "d_city_resident": ("ibm", "fixed", "ibm", ["household=DR-KBN:S:DR-SETAI", "person=DR-KBN:K:DR-KOJIN"]),
}  # fmt: skip
DECODING = {
    "invalid packed decimal": "D201",
    "gaiji": "D221",
    "extended kanji": "D222",
    "undefined code": "D211",
    "shift not closed": "D212",
    "low-values": "D214",
    "blank numeric": "D203",
    "invalid zoned decimal": "D202",
    "missing sign": "D202",
    "ODO count out of range": "D233",
    "truncated dump": "F105",
}
"""The faults that decoding finds; the others are found by mapping and validating."""


@pytest.fixture(scope="module", params=sorted(CASES))
def decoded(request, tmp_path_factory):
    """What `hikkoshi decode` writes, and what the dump's own description says."""
    name = request.param
    charset, framing, dialect, kinds = CASES[name]
    folder = tmp_path_factory.mktemp(name)
    (folder / "extended.csv").write_text("6EA4,9AD9\n4BD0,FA11\n", encoding="utf-8")
    dump = SHARED / "dumps" / name / f"{name}.dat"
    command = [sys.executable, "-m", "dags.cli", "decode", str(dump), "--layout", str(dump.with_suffix(".cpy"))]
    command += [
        "--charset",
        charset,
        "--framing",
        framing,
        "--dialect",
        dialect,
        "--findings",
        str(folder / "findings.jsonl"),
    ]
    command += [word for kind in kinds for word in ("--kind", kind)]
    if charset == "fujitsu":
        command += ["--option", f"table={folder / 'extended.csv'}"]
    done = subprocess.run(command, capture_output=True, check=False)
    # 1: the dumps have faults, and who decodes them is told so.
    assert done.returncode in (0, 1), done.stderr
    findings = (
        (folder / "findings.jsonl").read_text("utf-8").splitlines() if (folder / "findings.jsonl").exists() else []
    )
    expected = (SHARED / "dumps" / name / "expected.jsonl").read_text("utf-8").splitlines()
    faults = list(csv.DictReader((SHARED / "dumps" / name / "faults.csv").open(encoding="utf-8")))
    lines = done.stdout.decode().splitlines()
    wanted = list(map(json.loads, expected))
    if name == "c_village_resident":
        # The last record is cut: its bytes are left over, and reported so.
        wanted = wanted[: len(lines)]
    return [json.loads(r) for r in lines], list(map(json.loads, findings)), wanted, faults


def value_of(row, field):
    """The field of the description in our form: an occurrence of OCCURS is a place in a list."""
    if field in row:
        return row[field]
    occurrence = re.fullmatch(r"(.+)-(\d+)", field)
    if occurrence and isinstance(row.get(occurrence[1]), list):
        return row[occurrence[1]][int(occurrence[2]) - 1]
    # The description calls the municipality code of the trailer by a name that the copybook does not have.
    return row[field.replace("JT-DANTAI-CD", "JK-DANTAI-CD")]


def test_every_field_of_every_record_agrees(decoded):
    rows, _, expected, _ = decoded
    assert [r["record"] for r in rows] == [e["record"] for e in expected]
    different = [
        (wanted["record"], field)
        for row, wanted in zip(rows, expected, strict=True)
        for field, value in wanted.items()
        if value_of(row, field) != value
    ]
    assert different == []


def test_every_fault_that_decoding_can_see_is_one_finding_and_nothing_else_is(decoded):
    _, findings, _, faults = decoded
    # The text of "undefined code" ends unshifted, so the kana after it are read as pairs: some are user-defined codes.
    unshifted = {(int(f["record"]), f["field"]) for f in faults if f["kind"] == "undefined code"}
    found = collections.Counter(
        (f["record"], f["field"], f["code"])
        for f in findings
        if (f["record"], f["field"]) not in unshifted or f["code"] not in ("D212", "D221")
    )
    closed = unshifted - {(f["record"], f["field"]) for f in findings if f["code"] == "D212"}
    assert closed == set()
    wanted = collections.Counter(
        (None, None, "F105") if f["kind"] == "truncated dump" else (int(f["record"]), f["field"], DECODING[f["kind"]])
        for f in faults
        if f["kind"] in DECODING
    )
    assert found == wanted


def test_findings_stand_at_the_field_and_hold_no_value(decoded):
    rows, findings, _, _ = decoded
    for f in findings:
        assert set(f) == {"record", "offset", "field", "code", "severity", "detail"}
        assert f["offset"] >= 0
        value = rows[f["record"] - 1].get(f["field"]) if f["record"] else None
        assert not value or len(value) < 3 or value not in str(f["detail"])
