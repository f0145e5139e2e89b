"""`hikkoshi diff`: what a changed mapping does to a dump, counted and placed, without a value."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dags.authoring import difference as work
from dags.cli import app
from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from migration_reports.findings import RunError

MAPPINGS = Path(__file__).parents[2] / "mappings"


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inbox")
    synthesize(MAPPINGS / "municipalities" / "990027_mihon", residents=400, seed=3, faults=0, out=folder)
    return folder


@pytest.fixture
def towns(tmp_path, monkeypatch):
    """Two checkouts: `before` as it is here, and `after`, for a test to change."""
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    for side in ("before", "after"):
        for name in ("municipalities", "packages"):
            shutil.copytree(MAPPINGS / name, tmp_path / side / "mappings" / name)
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "after" / "mappings" / "municipalities"))
    return [tmp_path / side / "mappings" / "municipalities" / "990027_mihon" for side in ("before", "after")]


def change(folder, file, *replacements):
    path = folder / file
    text = path.read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def compared(towns, inbox, **more):
    before, after = towns
    return work.compare(load(before), load(after), inbox=inbox, **more)


def test_the_same_mapping_makes_no_difference(towns, inbox, tmp_path):
    made = compared(towns, inbox)
    assert not made.differs
    assert {t.name: (t.old, t.new) for t in made.tables}["resident_records.residents"] == (400, 400)
    assert made.dumps == ("juki_master",)
    # No run was made for it, and what was mapped is gone.
    assert list((tmp_path / "home").iterdir()) == []


def test_what_changed_is_counted_and_placed(towns, inbox):
    change(
        towns[1],
        "resident_records/mapping.yaml",
        ("name_kana: {from: JJ-KANA, transforms: [kana]}", "name_kana: JJ-KANA"),
        (
            "  tax_amounts:\n    from: juki_master.resident\n",
            '  tax_amounts:\n    from: juki_master.resident\n    when: {field: JJ-SEIBETSU, values: ["1"]}\n',
        ),
    )
    change(towns[1], "resident_records/codes/sex.csv", ("2,2,女\n", ""))
    made = compared(towns, inbox)
    tables = {table.name: table for table in made.tables}
    residents, amounts = tables["resident_records.residents"], tables["resident_records.tax_amounts"]
    assert (residents.old, residents.new, residents.gone, residents.added, residents.changed) == (400, 400, 0, 0, 400)
    assert residents.columns["name_kana"].count == 400
    assert residents.columns["name_kana"].records == [("juki_master", n) for n in range(2, 7)]
    women = residents.columns["sex"].count
    assert 0 < women < 400
    assert (amounts.old, amounts.new, amounts.gone, amounts.added) == (400, 400 - women, women, 0)
    assert amounts.gone_records == residents.columns["sex"].records
    assert not tables["resident_records.households"].differs
    assert [(f.code, f.severity, f.where, f.gone, f.added) for f in made.findings] == [
        ("M310", "error", "resident_records.residents.sex", 0, women)
    ]
    assert made.findings[0].records == residents.columns["sex"].records
    back = work.compare(load(towns[1]), load(towns[0]), inbox=inbox)
    assert {t.name: (t.gone, t.added, t.changed) for t in back.tables}["resident_records.tax_amounts"] == (0, women, 0)
    assert compared(towns, inbox, stretch=37) == made


def test_joins_numbers_and_limits_are_heeded(towns, tmp_path):
    before, after = (town.parent / "990035_reiji" for town in towns)
    synthesize(before, residents=60, seed=1, faults=0, out=tmp_path / "inbox")
    text = """\
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
"""
    for folder in (before, after):
        (folder / "resident_records/mapping.yaml").write_text(text, encoding="utf-8")
    assert not work.compare(load(before), load(after), inbox=tmp_path / "inbox").differs
    # Half of the keys are left out, and a limit that would stop a run: those that are left keep their numbers.
    half = text.replace(
        "    columns:\n      resident_no", "    when: {field: KJ-SEI, values: ['1']}\n    columns:\n      resident_no"
    )
    (after / "resident_records/mapping.yaml").write_text(half, encoding="utf-8")
    change(after, "resident_records/manifest.yaml", ("rejects: 2%", "rejects: 2%\n  stop_after: 1"))
    made = {t.name: t for t in work.compare(load(before), load(after), inbox=tmp_path / "inbox").tables}[
        "resident_records.tax_amounts"
    ]
    assert (made.old, made.changed, made.added) == (60, 0, 0)
    assert 0 < made.gone < 60


def test_files_that_nobody_expects_are_refused(towns, inbox, tmp_path):
    given = [shutil.copy(inbox / "juki_master.dat", tmp_path / "other.dat")]
    assert not compared(towns, tmp_path, files=[Path(p) for p in given]).differs
    with pytest.raises(RunError, match="no dump has been received"):
        compared(towns, tmp_path / "nowhere")


def test_the_command_tells_places_and_never_values_unless_they_are_revealed(towns, inbox):
    before, after = towns
    change(
        after, "resident_records/mapping.yaml", ("name_kana: {from: JJ-KANA, transforms: [kana]}", "name_kana: JJ-KANA")
    )
    words = ["diff", str(before), str(after), "--inbox", str(inbox)]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 1, told.output
    assert re.search(r"name_kana +400  first in juki_master: 2, 3, 4, 5, 6\n", told.stdout)
    assert not re.search("[ｦ-ﾟ]", told.stdout)
    assert re.search("[ァ-ヴ].*  ->  .*[ｦ-ﾟ]", CliRunner().invoke(app, [*words, "--reveal"]).stdout)
    same = CliRunner().invoke(app, ["diff", "mihon", "--against", str(after.parents[2]), "--inbox", str(inbox)])
    assert (same.exit_code, same.stdout.splitlines()[-1]) == (0, "no difference: juki_master")
    assert (
        CliRunner().invoke(app, ["diff", "mihon", "--against", str(before.parents[2]), "--inbox", str(inbox)]).exit_code
        == 1
    )
    assert CliRunner().invoke(app, ["diff", "mihon"]).exit_code == 2
