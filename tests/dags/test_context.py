"""Headers and trailers as sources: each record has those of its own file and section, however the dump is cut."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import polars as pl
import pytest

from dags import runs
from dags.authoring import explain
from dags.authoring.examples import run_examples
from dags.authoring.lineage import column_lineage, source_items, target_items
from dags.inspection.synthesis import synthesize
from dags.pipeline.extraction import extract_and_map
from dags.pipeline.run_folder import open_run
from dags.pipeline.slice_files import SliceFiles, read_context, staged_frame, write_context
from dags.pipeline.town import load
from extractors.slicing import cut
from migration_reports.findings import SpecError

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
MIHON, DUMP = "990027_mihon", "juki_master"
LENGTH = 400
REMARKS = "remarks: {from: [header.JH-FILE-ID, trailer.JT-KENSU], transforms: [{digits: {width: 9}}, concat]}"
CHANGES = {
    "processed: {from: JJ-SHORI-YMD, transforms: [{wareki_date: {eras: 1-5}}]}": (
        "processed: {from: header.JH-SAKUSEI-YMD, transforms: [date]}"
    ),
    "changed: {from: JJ-IDO-YMD, transforms: [{wareki_date: {eras: 1-5}}]}": (
        "changed: {from: {ymd: JJ-IDO-YMD}, expression: ymd % 10000,"
        " transforms: [{date: {form: mmdd, near: header.JH-SAKUSEI-YMD}}]}"
    ),
    "remarks: JJ-BIKO": 'remarks: {expression: ''\'"header.JH-FILE-ID" || \'\'/\'\' || "trailer.JT-KENSU"\'}',
    "juki_master.resident:\n": "juki_master.resident:\n    - {field: JJ-BIKO, reason: 試験}\n    - {field: JJ-SHORI-YMD, reason: 試験}\n",
}  # fmt: skip


@pytest.fixture
def town(tmp_path, monkeypatch):
    """A municipality whose residents take values of headers and trailers, in two files of several sections each."""
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    folder = tmp_path / "towns" / MIHON
    shutil.copytree(TOWNS / MIHON, folder)
    manifest = folder / "resident_records/manifest.yaml"
    said = manifest.read_text("utf-8").partition("    controls:")[0].replace("rejects: 2%", "rejects: 60%")
    manifest.write_text(said.replace("file: juki_master.dat", 'file: "juki_*.dat"\n    volumes: 2'), encoding="utf-8")
    mapping = folder / "resident_records/mapping.yaml"
    text = mapping.read_text("utf-8")
    for before, after in CHANGES.items():
        assert before in text
        text = text.replace(before, after)
    mapping.write_text(text, encoding="utf-8")
    (folder / "resident_records/examples.yaml").unlink()
    return folder


def files(town, out):
    """Two files: two sections and a record behind them; two records before any header, and a section without a trailer."""
    whole = synthesize(TOWNS / MIHON, residents=300, seed=5, faults=0, out=out / "made")[0].dump.read_bytes()
    head, *people, tail = [whole[at : at + LENGTH] for at in range(0, len(whole), LENGTH)]

    def section(day, name, some):
        header = head[:7] + day.encode("cp037") + name.ljust(8).encode("cp037") + head[23:]
        trailer = tail[:1] + f"{len(some):09}".encode("cp037") + tail[10:]
        return header + b"".join(some) + trailer

    one, two = out / "juki_1.dat", out / "juki_2.dat"
    out.mkdir(exist_ok=True)
    one.write_bytes(
        section("20260401", "BANK-A", people[:100]) + section("20251231", "BANK-B", people[100:150]) + people[150]
    )
    last = section("20260501", "BANK-C", people[153:])
    two.write_bytes(b"".join(people[151:153]) + last + last[: 3 * LENGTH].replace(b"\xc3", b"\xc4"))
    return [one, two]


def mapped(town, paths, folder, target):
    """The rows of residents and the findings, of a dump that is cut so."""
    municipality = load(town)
    reader = municipality.dumps[DUMP]
    write_context(folder, municipality, DUMP, paths)
    context = read_context(folder, municipality, DUMP)
    parts = cut(reader.reading, paths, reader.kinds, target=target, at_most=1000).slices
    for number, part in enumerate(parts, 1):
        with reader.reading.open(paths) as stream, SliceFiles(folder, municipality, DUMP, number) as sink:
            stream.skip(part.offset)
            extract_and_map(sink, municipality, DUMP, stream, run_id="r", part=part, context=context)
    rows = staged_frame(folder, municipality, "resident_records.residents").collect().sort("source_record")
    found = pl.concat([pl.read_ipc(file) for file in sorted(folder.rglob("findings/dumps/*/*.arrow"))])
    return len(parts), rows, found.sort("record", "code", "field", nulls_last=True)


def test_each_record_has_the_header_and_trailer_of_its_section_and_file(town, tmp_path):
    paths = files(town, tmp_path / "dumps")
    parts, rows, found = mapped(town, paths, tmp_path / "whole", 1 << 30)
    assert parts == 1
    said = dict(zip(rows["source_record"], zip(rows["processed_key"], rows["remarks"], strict=True), strict=True))
    assert said[2] == said[101] == ("20260401", "BANK-A/100")
    assert said[104] == said[153] == ("20251231", "BANK-B/50")
    # Behind the last trailer of its file, and before the first header of the next: neither reaches over.
    assert said[155] == ("20251231", None)
    assert said[156] == said[157] == (None, None)
    assert said[159] == said[305] == ("20260501", "BANK-C/147")
    assert said[308] == said[309] == ("20260501", None)
    missing = found.filter(code="M340")
    assert missing.select("record", "field").rows() == [
        (155, "trailer.JT-KENSU"),
        (156, "header.JH-SAKUSEI-YMD"),
        (156, "trailer.JT-KENSU"),
    ][:1] + [(record, field) for record in (156, 157) for field in missing.filter(record=156)["field"]] + [
        (308, "trailer.JT-KENSU"),
        (309, "trailer.JT-KENSU"),
    ]
    assert set(missing["severity"]) == {"error"}


def test_a_month_and_day_lies_in_the_year_nearest_to_its_own_header(town, tmp_path):
    _, rows, _ = mapped(town, files(town, tmp_path / "dumps"), tmp_path / "whole", 1 << 30)
    days = rows.filter(pl.col("changed_precision") == "day").select(
        pl.col("changed_key").str.to_date("%Y%m%d"), pl.col("processed_key").str.to_date("%Y%m%d")
    )
    assert days.height > 200
    assert (days["changed_key"] - days["processed_key"]).dt.total_days().abs().max() <= 183
    assert days["changed_key"].dt.year().n_unique() > 1


@pytest.mark.parametrize("target", [LENGTH, 3 * LENGTH, 20_000])
def test_slices_change_nothing(town, tmp_path, target):
    paths = files(town, tmp_path / "dumps")
    _, rows, found = mapped(town, paths, tmp_path / "whole", 1 << 30)
    parts, again, findings = mapped(town, paths, tmp_path / "cut", target)
    assert parts > 5
    assert again.equals(rows)
    assert findings.equals(found)


def wrapped(town, paths, form):
    """The same files in a container, or between bytes that are left out."""
    manifest = town / "resident_records/manifest.yaml"
    said = "container: gzip" if form == "gzip" else 'options: {header: "16", trailer: "8"}'
    text = manifest.read_text("utf-8").replace("    framing: fixed\n", f"    framing: fixed\n    {said}\n")
    assert said in text
    manifest.write_text(text, encoding="utf-8")
    for path in paths:
        data = path.read_bytes()
        path.write_bytes(gzip.compress(data) if form == "gzip" else b"\x00" * 16 + data + b"\x00" * 8)


@pytest.mark.parametrize("form", ["gzip", "between bytes"])
def test_what_files_are_wrapped_in_changes_nothing(town, tmp_path, form):
    paths = files(town, tmp_path / "dumps")
    _, rows, _ = mapped(town, paths, tmp_path / "plain", 1 << 30)
    wrapped(town, paths, form)
    _, again, _ = mapped(town, paths, tmp_path / "wrapped", 20_000)
    assert again.drop("_offset").equals(rows.drop("_offset"))


def test_a_run_reads_them_and_leaves_none_behind(town, tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "20000")
    inbox = tmp_path / "home" / "inbox" / MIHON
    inbox.parent.mkdir(parents=True)
    files(town, inbox)
    record = runs.run_all(MIHON)
    assert {f.code: f.count for f in record.issues if f.code == "M340"}
    assert all(line.closes for line in record.reconciliations)
    assert not (open_run(record.run_id).path / "context").exists()


def test_explain_and_lineage_follow_a_value_to_its_header(town, tmp_path):
    municipality = load(town)
    files(town, tmp_path / "inbox")
    told = [
        line for part in explain.explain(municipality, "resident_records.residents", "processed") for line in part.lines
    ]
    assert ("of", "juki_master.header, the last before the record in its file") in told
    (section,) = explain.explain_record(
        municipality, "resident_records.residents", "processed", record=159, inbox=tmp_path / "inbox", reveal=True
    )
    assert ("read header.JH-SAKUSEI-YMD", "20260501") in section.lines
    datasets = {one["name"]: one["facets"]["columnLineage"]["fields"] for one in column_lineage(municipality)}
    made = datasets["resident_records.residents"]["changed_key"]["inputFields"]
    assert {(one["name"], one["field"]) for one in made} == {
        ("juki_master.resident", "JJ-IDO-YMD"),
        ("juki_master.header", "JH-SAKUSEI-YMD"),
    }
    fates = {(item.source, item.field): item for item in source_items(municipality)}
    assert "resident_records.residents.processed" in fates["juki_master.header", "JH-SAKUSEI-YMD"].targets
    assert fates["juki_master.header", "JH-FILE-ID"].fate == "移行"
    assert fates["juki_master.header", "JH-DANTAI-CD"].fate == "対象外"
    assert any(item.field == "JT-KENSU" for item in target_items(municipality))


EXAMPLES = """
- name: 見出しの作成日に近い年
  record: juki_master.resident
  context: {header: {JH-SAKUSEI-YMD: 20260110, JH-FILE-ID: A}, trailer: {JT-KENSU: 3}}
  fields: {JJ-JUMIN-NO: 1, JJ-SETAI-NO: 1, JJ-SEIBETSU: 1, JJ-ZOKUGARA(1): "01", JJ-IDO-YMD: 5071227}
  rows:
    residents: [{changed_key: "20251227", processed_key: "20260110", remarks: A/3}]
- name: 見出しがない
  record: juki_master.resident
  context: {trailer: {JT-KENSU: 3}}
  fields: {JJ-JUMIN-NO: 1, JJ-SETAI-NO: 1, JJ-SEIBETSU: 1, JJ-ZOKUGARA(1): "01", JJ-IDO-YMD: 5071227}
  findings: [{code: M340}, {code: M341, column: changed}]
"""


def test_an_example_says_what_the_header_holds(town):
    examples = town / "resident_records" / "examples.yaml"
    examples.write_text(EXAMPLES, encoding="utf-8")
    assert [(tried.name, tried.differences) for tried in run_examples(load(town))] == [
        ("見出しの作成日に近い年", ()),
        ("見出しがない", ()),
    ]
    examples.write_text(EXAMPLES.replace("{header: {JH-SAKUSEI-YMD", "{haeder: {JH-SAKUSEI-YMD"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"unknown header or trailer `haeder`(.|\n)*did you mean `header`"):
        run_examples(load(town))
    examples.write_text(EXAMPLES.replace("JH-FILE-ID: A", "JH-FILE: A"), encoding="utf-8")
    with pytest.raises(SpecError, match="unknown field `JH-FILE`"):
        run_examples(load(town))
