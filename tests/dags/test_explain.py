"""`hikkoshi explain`: the way of a column, of a real record into it, and the merged mapping with whose each line is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dags.authoring import explain as work
from dags.authoring.merged import merged
from dags.cli import app
from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from migration_reports.findings import RunError

MAPPINGS = Path(__file__).parents[2] / "mappings"
TOWNS = MAPPINGS / "municipalities"
MIHON, TEHON = TOWNS / "990027_mihon", TOWNS / "990051_tehon"


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inbox")
    synthesize(MIHON, residents=300, seed=11, faults=0.03, out=folder)
    return folder


@pytest.fixture(scope="module")
def town():
    return load(MIHON)


def place(folder, begins):
    """Where a line of a town's or a package's mapping stands, as explain calls it."""
    (file,) = folder.rglob("mapping.yaml")
    number = next(n for n, line in enumerate(file.read_text("utf-8").splitlines(), 1) if line.startswith(begins))
    return f"{file.relative_to(folder.parent)}:{number}"


def said(sections):
    return "\n".join(f"{s.title}\n" + "\n".join(f"  {label}: {text}" for label, text in s.lines) for s in sections)


def test_a_column_is_told_from_its_bytes_to_its_line(town):
    text = said(work.explain(town, "resident_records.residents", "birth"))
    for part in (
        "dump: juki_master (住民記録マスタ): juki_master.dat",
        "record kind: resident: JM-KUBUN is D, read as JM-JUMIN",
        "PICTURE: 9(07), packed",
        "bytes: 90 to 93 of the record",
        "copybook: 990027_mihon/resident_records/layouts/juki_master.cpy:21",
        "wareki_date: {unknown: 00, eras: 1-5, first_year: 01, form: digits}",
        "on_error: reject",
        f"mapping: {place(MAPPINGS / 'municipalities' / '990027_mihon', '      birth: ')}",
        "birth_source: 生年月日 (原文)",
        "birth_not_after_registration: V413 error",
    ):
        assert part in text
    text = said(work.explain(town, "resident_records.households", "head_resident_no"))
    assert "only when: JJ-ZOKUGARA(1) is 01" in text
    assert "keep: preferred; preferred where JJ-ZOKUGARA(1) is 01" in text
    assert "charset: " in said(work.explain(town, "resident_records.residents", "name"))
    assert "deliberately left empty" in said(work.explain(town, "resident_records.households", "established"))


def test_whose_a_line_is_is_told():
    text = said(work.explain(load(TEHON), "resident_records.residents", "sex"))
    assert "default: 9" in text
    assert "at_most: 0.5%" in text
    assert f"mapping: {place(MAPPINGS / 'packages' / 'ibm_setai', '      sex: ')} (of packages/ibm_setai)" in text
    assert f"{place(TEHON, '      remarks: ')} (its own)" in said(
        work.explain(load(TEHON), "resident_records.residents", "remarks")
    )


def test_a_record_is_followed_value_by_value_and_masked(town, inbox):
    given = {"record": 12, "inbox": inbox}
    (masked,) = work.explain_record(town, "resident_records.residents", "name", **given)
    (revealed,) = work.explain_record(town, "resident_records.residents", "name", **given, reveal=True)
    assert [label for label, _ in masked.lines] == ["read JJ-SHIMEI", "into name"]
    assert re.fullmatch("[漢アー　字]+", masked.lines[0][1])
    assert revealed.lines[0][1] != masked.lines[0][1]
    (dated,) = work.explain_record(town, "resident_records.residents", "birth", **given)
    assert [label for label, _ in dated.lines] == [
        "read JJ-SEINENGAPPI", "wareki_date", "into birth_source", "into birth_key", "into birth_precision"
    ]  # fmt: skip
    assert dated.lines[-1][1] == "day"
    assert dated.lines[0][1] == "9999999"
    with pytest.raises(RunError, match="record 1 is none of"):
        work.explain_record(town, "resident_records.residents", "name", record=1, inbox=inbox)
    with pytest.raises(RunError, match="has not been received"):
        work.explain_record(town, "resident_records.residents", "name", record=2, inbox=inbox / "none")


def test_a_column_through_a_join_and_a_number_is_followed_too(tmp_path):
    for name in ("municipalities", "packages"):
        shutil.copytree(MAPPINGS / name, tmp_path / name)
    folder = tmp_path / "municipalities" / "990035_reiji"
    (folder / "resident_records/mapping.yaml").write_text("""\
system: resident_records
tables:
  tax_amounts:
    from: setai_kojin.person
    join: {home: {from: setai_kojin.household, on: {KJ-SETAI-NO: ST-SETAI-NO}}}
    columns:
      resident_no: {from: KJ-KOJIN-NO, transforms: [{assign: {series: resident, width: 6}}]}
      amount: home.ST-NINZU
ignore:
  setai_kojin.person:
    - {field: SK-KBN, reason: 区分}
    - {field: KJ-GAKU, reason: 試験}
    - {field: FILLER@*, reason: 予備}
""", encoding="utf-8")  # fmt: skip
    synthesize(folder, residents=50, seed=1, faults=0, out=tmp_path / "inbox")
    town = load(folder)
    text = said(work.explain(town, "resident_records.tax_amounts", "amount"))
    assert "join home: setai_kojin.household on KJ-SETAI-NO = ST-SETAI-NO; missing: reject, double: reject" in text
    assert "of: setai_kojin.household, through join home" in text
    (made,) = work.explain_record(
        town, "resident_records.tax_amounts", "amount", record=2, inbox=tmp_path / "inbox", reveal=True
    )
    assert made.lines[0] == ("read home.ST-NINZU", made.lines[1][1])
    assert made.lines[0][1] != "∅"
    (made,) = work.explain_record(
        town, "resident_records.tax_amounts", "resident_no", record=2, inbox=tmp_path / "inbox"
    )
    assert made.lines[-1] == ("assign: a number that only a run gives", "∅")


NESTED = """\
       01  R.
           03  R-NO               PIC 9(10).
           03  R-NENDO            PIC 9(4).
           03  R-TSUKI            OCCURS 12.
               05  R-YMD          PIC 9(8).
               05  R-KEN          PIC 9 OCCURS 2.
"""


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """A town with months, two reasons in each, read as occurrences and as runs; its one record moves in month 3."""
    home = tmp_path_factory.mktemp("nested")
    folder = Path(shutil.copytree(MIHON, home / "municipalities" / "990027_mihon")) / "resident_records"
    (folder / "examples.yaml").unlink(missing_ok=True)
    (folder / "layouts" / "r.cpy").write_text(NESTED, encoding="utf-8")
    (folder / "manifest.yaml").write_text("""\
edition: "1.0"
dumps:
  r: {file: r.dat, title: 年間, layout: layouts/r.cpy, framing: fixed, charset: shift_jis, records: {record: {}}}
""", encoding="utf-8")  # fmt: skip
    columns = """\
        resident_no: {from: R-NO, transforms: [{digits: {width: 10}}]}
        changed: {from: R-NENDO, transforms: [{month_of: {first: 4, occurrence: $occurrence(R-TSUKI), gives: yyyymm00}}, date]}
"""
    (folder / "mapping.yaml").write_text(f"""\
system: resident_records
tables:
  resident_changes:
    - from: r.record
      each: R-KEN
      when: {{field: R-KEN}}
      columns:
{columns}        change_no: $occurrence
      empty: [change_reason]
    - from: r.record
      each: {{runs: R-KEN, besides: [0]}}
      columns:
{columns}        change_no: $from
        change_reason: {{from: $value, transforms: [{{digits: {{width: 3}}}}]}}
ignore:
  r.record: [{{field: R-YMD(*), reason: 試験}}]
""", encoding="utf-8")  # fmt: skip
    months = ["0000000000", "0000000000", "2023060511", *["0000000000"] * 9]
    (home / "inbox").mkdir()
    (home / "inbox" / "r.dat").write_bytes(("00000012342023" + "".join(months)).encode())
    return load(folder.parent), home / "inbox"


def test_a_row_of_a_table_inside_a_table_is_told_by_its_numbers(nested):
    town, inbox = nested
    text = said(work.explain(town, "resident_records.resident_changes", "change_no"))
    assert "each: a row for each occurrence of R-KEN, in each of R-TSUKI" in text
    assert "each: a row for each run in R-KEN but 0, in each of R-TSUKI" in text
    assert "is: the first occurrence of the run" in text
    text = said(work.explain(town, "resident_records.resident_changes", "change_reason"))
    assert (
        "bytes: 23 to 23 of the record (R-KEN(1,1), 1 bytes)\n  bytes: 134 to 134 of the record (R-KEN(12,2), 1 bytes)"
        in text
    )
    assert "first and last of 24 occurrences" in text
    text = said(work.explain(town, "resident_records.resident_changes", "changed"))
    assert "is: the number of the occurrence of R-TSUKI" in text
    one, runs = work.explain_record(town, "resident_records.resident_changes", "changed", record=1, inbox=inbox)
    rows = [place for label, place in one.lines if label == "occurrence"]
    assert (len(rows), rows[5]) == (24, "R-TSUKI 3, R-KEN 2")
    assert sum(label == "no row" for label, _ in one.lines) == 22
    assert runs.lines[0] == ("occurrence", "R-TSUKI 3, $from 1, $to 2")
    assert ("into changed_precision", "month  M303") in runs.lines


def test_a_name_that_is_no_column_or_several_is_told(town):
    assert work.column_of(town, "birth_key") == ("resident_records.residents", "birth")
    assert work.column_of(town, "residents.birth") == ("resident_records.residents", "birth")
    with pytest.raises(
        RunError, match=r"several tables have `address`; say which: households.address, residents.address"
    ):
        work.column_of(town, "address")
    with pytest.raises(RunError, match=r"did you mean `residents\.birth`"):
        work.column_of(town, "residents.brith")


def test_the_merged_mapping_is_yaml_that_says_the_same():
    lines = list(merged(load(TEHON)))
    begins = lines.index("# ---- resident_records/manifest.yaml")
    assert all(line.startswith("# ----") or "# 990051_tehon/manifest.yaml:" in line for line in lines[:begins])
    places = [line.rpartition("  # ")[2] for line in lines[begins:] if not line.startswith("# ----")]
    assert all("(its own)" in place or "(of packages/ibm_setai)" in place for place in places[:-1])
    reuse = load(TEHON).folder.systems["resident_records"].reuse
    whole = reuse.inherited + reuse.changed + reuse.added
    assert places[-1].startswith(
        f"# {reuse.inherited} of {whole} values ({100 * reuse.inherited // whole}%) are those of"
    )
    assert 0.4 < reuse.inherited / whole < 1
    text = "\n".join(lines).partition("# ---- resident_records/mapping.yaml\n")[2]
    data = yaml.load(text, Loader=yaml.BaseLoader)
    assert "tax_amounts" not in data["tables"]
    sex = data["tables"]["residents"]["columns"]["sex"]
    assert (sex["from"], sex["default"], sex["on_error"]) == ("KJ-SEI", "9", "default")
    default = next(line for line in lines if line.strip().startswith("default:"))
    assert default.endswith(f"# {place(TEHON, '      sex: ')} (its own)")


def test_the_command(inbox):
    shown = CliRunner().invoke(app, ["explain", "mihon", "residents.name", "--record", "12", "--inbox", str(inbox)])
    assert shown.exit_code == 0, shown.output
    assert "read JJ-SHIMEI" in shown.stdout
    assert CliRunner().invoke(app, ["explain", "tehon"]).stdout.startswith("# ---- manifest.yaml\n")
    assert CliRunner().invoke(app, ["explain", "tehon", "--record", "1"]).exit_code == 2
