"""Amounts in tables inside tables, from the dump's cells to the promoted rows, whatever slices the dump is cut into."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dags import runs
from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from extractors.batches import extract

MIHON = Path(__file__).parents[2] / "mappings" / "municipalities" / "990027_mihon"
MONTHS, ITEMS, OTHERS = 12, 40, 3
LAYOUT = f"""\
       01  N-REC.
           03  N-NO               PIC 9(10).
           03  N-TSUKI            OCCURS {MONTHS}.
               05  N-SENEN        PIC 9(5) OCCURS {ITEMS}.
           03  N-NO2              PIC 9(10).
           03  N-HYAKUEN          PIC 9(5) OCCURS {OTHERS}.
"""
DUMP = """
  nen:
    file: nen.dat
    title: 年間マスタ
    layout: layouts/nen.cpy
    framing: fixed
    charset: shift_jis
    records: {record: {}}
"""
PARTS = """  tax_amounts:
    - from: nen.record
      each: N-SENEN
      when: {field: N-SENEN}
      columns:
        resident_no: {from: N-NO, transforms: [{digits: {width: 10}}]}
        amount: {from: N-SENEN, transforms: [{number: {times: 1000}}]}
    - from: nen.record
      each: N-HYAKUEN
      when: {field: N-HYAKUEN}
      columns:
        resident_no: {from: N-NO2, transforms: [{digits: {width: 10}}]}
        amount: {from: N-HYAKUEN, transforms: [{number: {times: 100}}]}
"""


def numbers_in(folder, dump):
    reader = load(folder).dumps["juki_master"]
    with dump.open("rb") as stream:
        parts = extract(stream, name="juki_master", layout=reader.layout, framing=reader.reading.framing,
                        charset=reader.reading.charset, kinds=reader.kinds)  # fmt: skip
        return [n for part in parts if part.kind == "resident" for n in part.batch.column("JJ-JUMIN-NO").to_pylist()]


def record_of(at, no, other):
    """One amount of each kind, in another cell than the record before has it."""
    cells, others = [0] * (MONTHS * ITEMS), [0] * OTHERS
    cells[at * 7 % len(cells)], others[at % OTHERS] = 10 + at, 500 + at
    return "".join([f"{no:010}", *(f"{c:05}" for c in cells), f"{other:010}", *(f"{o:05}" for o in others)])


@pytest.mark.parametrize("slice_bytes", ["1000000", "20000"])
def test_every_cell_is_proved_to_the_promoted_table(tmp_path, monkeypatch, database_url, slice_bytes):
    home, town = tmp_path / "home", tmp_path / "towns" / "990027_mihon"
    monkeypatch.setenv("HIKKOSHI_HOME", str(home))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    shutil.copytree(MIHON, town)
    (made,) = synthesize(town, residents=80, seed=3, faults=0, out=home / "inbox" / town.name)
    numbers = numbers_in(town, made.dump)
    firsts, seconds = numbers[::2], numbers[1::2]
    records = [record_of(at, *pair) for at, pair in enumerate(zip(firsts, seconds, strict=False))]
    (made.dump.parent / "nen.dat").write_bytes("".join(records).encode("ascii"))
    folder = town / "resident_records"
    (folder / "layouts" / "nen.cpy").write_text(LAYOUT, encoding="utf-8")
    manifest, mapping = folder / "manifest.yaml", folder / "mapping.yaml"
    manifest.write_text(manifest.read_text("utf-8") + DUMP, encoding="utf-8")
    text = mapping.read_text("utf-8")
    begin, end = text.index("  tax_amounts:"), text.index("  protective_measures:")
    left = "ignore:\n  juki_master.resident:\n    - {field: JJ-KAZEI, reason: 試験}\n"
    text = (text[:begin] + PARTS + text[end:]).replace("ignore:\n  juki_master.resident:\n", left)
    mapping.write_text(text, encoding="utf-8")
    (folder / "examples.yaml").unlink(missing_ok=True)
    record = runs.run_all("mihon")
    assert record.state == "promoted", record.state_reason_en
    count = len(records)
    assert {(a.field, int(a.in_dump), int(a.in_table), a.agrees) for a in record.amounts} == {
        ("N-SENEN(*) × 1,000", wanted := 1000 * sum(range(10, 10 + count)), wanted, True),
        ("N-HYAKUEN(*) × 100", wanted := 100 * sum(range(500, 500 + count)), wanted, True),
    }
    lines = {line.each: line for line in record.reconciliations if line.table == "resident_records.tax_amounts"}
    assert (lines["N-SENEN"].candidates, lines["N-SENEN"].rows_promoted) == (count * MONTHS * ITEMS, count)
    assert all(line.closes for line in lines.values())
