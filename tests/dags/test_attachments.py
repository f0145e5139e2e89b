"""Files beside a dump, from the inbox to the store of the joint centre: missing, extra and altered ones, and bytes untouched."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import zipfile

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from dags import known_runs, runs, steps
from dags.authoring import explain
from dags.pipeline import data_centre, town
from dags.pipeline.receiving import object_store
from dags.pipeline.receiving.attachments import path_of
from dags.pipeline.town import load
from extractors.attachments import normal
from migration_reports.findings import RunError
from target_schemas.postgres.database import connect
from target_schemas.systems import SYSTEMS
from tests import attached_system
from tests.attached_system import TOWN, content, dump, named, record

DOCUMENTS = range(1, attached_system.DOCUMENTS + 1)
MISSING, ALTERED, EXTRA = 5, 8, "H18/控え.tif"


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    known = (*SYSTEMS, attached_system.SYSTEM)
    monkeypatch.setattr(town, "SYSTEMS", known)
    monkeypatch.setattr(town, "EDITIONS", {s.name: tuple(edition.name for edition in s.editions) for s in known})
    monkeypatch.setattr(data_centre, "SYSTEMS", known)
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    (tmp_path / "towns").mkdir()
    attached_system.town_in(tmp_path / "towns")
    return tmp_path / "home"


@pytest.fixture
def inbox(home):
    """A dump of twenty documents, one of which is missing, one extra, and one altered by a byte."""
    folder = home / "inbox" / TOWN
    lay(folder / "tenpu", attached_system.attachments())
    (folder / "bunsho.dat").write_bytes(dump([record(number) for number in DOCUMENTS]))
    (folder / "tenpu" / named(MISSING)).unlink()
    (folder / "tenpu" / EXTRA).write_bytes(b"nobody names it")
    altered = bytearray(content(ALTERED))
    altered[3] ^= 1
    (folder / "tenpu" / named(ALTERED)).write_bytes(altered)
    return folder


def lay(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def promoted(schema="papers_rehearsal"):
    with connect(os.environ["HIKKOSHI_DATABASE_URL"]).connect() as connection:
        query = f"SELECT document_no, body_path, body_bytes, body_sha256 FROM {schema}.documents ORDER BY 1"
        return [tuple(row) for row in connection.execute(sa.text(query))]


def findings(home, record):
    return pl.read_ipc(home / "runs" / record.run_id / "findings.arrow")


@pytest.mark.parametrize("slice_bytes", [None, 280])
def test_documents_go_the_whole_way_byte_for_byte(home, inbox, monkeypatch, slice_bytes):
    if slice_bytes is not None:
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", str(slice_bytes))
    record = runs.run_all(TOWN)
    assert record.state == "promoted", record.state_reason_en
    found = findings(home, record).select("code", "severity", "record", "field", "offset").rows()
    assert sorted(found, key=str) == [
        ("F134", "error", MISSING, "BD-PATH", (MISSING - 1) * 140 + 27),
        ("F135", "error", ALTERED, "BD-HASH", (ALTERED - 1) * 140 + 76),
        ("F136", "alert", None, None, None),
    ]
    kept = [number for number in DOCUMENTS if number not in (MISSING, ALTERED)]
    hashes = {number: hashlib.sha256(content(number)).hexdigest() for number in kept}
    assert promoted() == [(f"{n:06}", f"{hashes[n][:2]}/{hashes[n]}", len(content(n)), hashes[n]) for n in kept]
    store = home / "objects"
    assert {path.name for path in store.rglob("*") if path.is_file()} == set(hashes.values())
    for number, sha256 in hashes.items():
        assert (store / sha256[:2] / sha256).read_bytes() == content(number)
    assert all(stat.S_IMODE(path.stat().st_mode) in (0o600, 0o700) for path in store.rglob("*"))
    (check,) = record.attachments
    assert check.closes
    assert (check.files, check.named, check.extra) == (20, 19, 1)
    assert (check.records, check.missing, check.altered) == (20, 1, 1)
    assert (check.kept, check.bytes_kept) == (18, sum(len(content(n)) for n in kept))
    assert [(r.file, r.status, r.records) for r in record.receipts] == [
        ("bunsho.dat", "received", 21),
        ("tenpu/", "received", 20),
    ]
    reports = home / "runs" / record.run_id / "reports"
    for name, word in (("result.ja.html", "添付"), ("result.en.html", "Attachments")):
        assert word in (reports / name).read_text("utf-8")
    assert load_workbook(reports / "workbook.xlsx")["添付 Attachments"].max_row == 2
    # What a document is called may name a resident: it stands in no finding and in no report.
    said = "".join(file.read_text("utf-8") for file in reports.glob("*.html")) + str(findings(home, record).rows())
    assert "控え" not in said
    assert "号.tif" not in said


def test_what_a_promotion_named_outlasts_its_withdrawal(home, inbox):
    record = runs.run_all(TOWN)
    before = {path.name for path in (home / "objects").rglob("*") if path.is_file()}
    known_runs.withdraw(record.run_id, by="nobody", reason="a test")
    assert {path.name for path in (home / "objects").rglob("*") if path.is_file()} == before
    assert len(before) == 18


def test_a_promotion_that_was_killed_is_repeated(home, inbox, monkeypatch):
    run_id = steps.begin(TOWN)
    for part in steps.receive(run_id):
        steps.extract_map_stage(run_id, part["dump"], part["number"])
    steps.join_slices(run_id)
    steps.validate(run_id)
    steps.reconcile(run_id)
    steps.approve(run_id, "nobody", automatic=True)

    keep, count = object_store.ObjectStore.keep, 0

    def killed(self, sha256, pieces):
        nonlocal count
        count += 1
        if count == 7:
            raise KeyboardInterrupt
        return keep(self, sha256, pieces)

    monkeypatch.setattr(object_store.ObjectStore, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        steps.promote(run_id)
    monkeypatch.setattr(object_store.ObjectStore, "keep", keep)
    # A half file under its own name, as a power failure leaves it, is written anew.
    half = next(path for path in (home / "objects").rglob("*") if path.is_file())
    whole = half.read_bytes()
    half.write_bytes(whole[:1])
    steps.promote(run_id)
    assert half.read_bytes() == whole
    assert len(promoted()) == 18


def test_a_document_that_changes_after_it_was_received_stops_the_promotion(home, inbox):
    run_id = steps.begin(TOWN)
    for part in steps.receive(run_id):
        steps.extract_map_stage(run_id, part["dump"], part["number"])
    steps.join_slices(run_id)
    steps.validate(run_id)
    steps.reconcile(run_id)
    steps.approve(run_id, "nobody", automatic=True)
    (inbox / "tenpu" / named(1)).write_bytes(b"another")
    with pytest.raises(RunError, match="has changed since it was received"):
        steps.promote(run_id)


def say(home, before, after):
    manifest = home.parent / "towns" / TOWN / "papers" / "manifest.yaml"
    text = manifest.read_text("utf-8")
    assert before in text
    manifest.write_text(text.replace(before, after), "utf-8")


def test_what_is_missing_or_altered_may_be_an_alert(home, inbox):
    say(home, "bytes: BD-LEN}", "bytes: BD-LEN, missing: alert, altered: alert}")
    record = runs.run_all(TOWN)
    assert record.state == "promoted", record.state_reason_en
    assert (record.rejects, len(promoted())) == (0, 20)
    assert promoted()[MISSING - 1][1:] == (None, None, None)
    assert promoted()[ALTERED - 1][3] == hashlib.sha256((inbox / "tenpu" / named(ALTERED)).read_bytes()).hexdigest()


def test_an_extra_document_may_be_an_error(home, inbox):
    say(home, "bytes: BD-LEN}", "bytes: BD-LEN, extra: error}")
    record = runs.run_all(TOWN)
    assert (record.state, "no record names" in record.state_reason_en) == ("held", True)


def test_a_blank_path_names_no_document_and_an_empty_one_may_be_so(home, inbox):
    lay(inbox / "tenpu", attached_system.attachments())
    (inbox / "tenpu" / named(1)).write_bytes(b"")
    nothing = hashlib.sha256(b"").hexdigest()
    records = [record(1, size=0, sha256=nothing), record(2, path="", size=0, sha256="")]
    (inbox / "bunsho.dat").write_bytes(dump([*records, *map(record, DOCUMENTS[2:])]))
    ran = runs.run_all(TOWN)
    assert set(findings(home, ran)["code"]) == {"F136"}
    assert promoted()[0][2:] == (0, nothing)
    assert promoted()[1][1:] == (None, None, None)


def test_an_empty_document_of_which_nothing_is_said_is_told_of(home, inbox):
    say(home, ", sha256: BD-HASH, bytes: BD-LEN}", "}")
    say_ignored(home, "BD-HASH", "BD-LEN")
    lay(inbox / "tenpu", attached_system.attachments())
    (inbox / "tenpu" / named(1)).write_bytes(b"")
    found = findings(home, runs.run_all(TOWN))
    assert found.filter(pl.col("code") == "F139").select("record", "severity").rows() == [(1, "alert")]


def say_ignored(home, *fields):
    mapping = home.parent / "towns" / TOWN / "papers" / "mapping.yaml"
    lines = "".join(f"    - {{field: {field}, reason: a test}}\n" for field in fields)
    mapping.write_text(mapping.read_text("utf-8") + lines, "utf-8")


class Old(zipfile.ZipInfo):
    """An entry as the archivers of Japanese desktops wrote it: its name in CP932, and not marked as Unicode."""

    def _encodeFilenameFlags(self):
        return self.filename.encode("cp932"), self.flag_bits


def test_documents_in_a_zip_of_an_old_desktop(home, inbox):
    """Names in CP932, in a folder of the archive, beside a file that is no document."""
    say(home, "folder: tenpu,", "zip: tenpu.zip, folder: scans,")
    shutil.rmtree(inbox / "tenpu")
    with zipfile.ZipFile(inbox / "tenpu.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", "no document")
        for name, data in attached_system.attachments().items():
            archive.writestr(Old(f"scans/{name}"), data)
    record = runs.run_all(TOWN)
    assert record.state == "promoted", record.state_reason_en
    assert not findings(home, record).height
    assert [r.file for r in record.receipts] == ["bunsho.dat", "tenpu.zip"]
    assert len(promoted()) == 20


def test_a_folder_that_did_not_come_holds_the_run(home, inbox):
    (inbox / "tenpu").rename(inbox / "elsewhere")
    record = runs.run_all(TOWN)
    assert record.state == "held"
    assert "tenpu/" in record.state_reason_en


@given(st.lists(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=12), max_size=5))
def test_a_column_of_paths_is_compared_as_names_are(texts):
    """The list is made of names in Python, and records are compared with it in Polars: both must mean the same file."""
    paths = pl.DataFrame({"path": pl.Series(texts, dtype=pl.String)}).select(path_of(pl.col("path"), prefix=""))
    assert paths["path"].to_list() == [normal(text) for text in texts]


def test_vendors_are_told_where_a_document_comes_from(home, inbox):
    folder = load(home.parent / "towns" / TOWN)
    told = [line for section in explain.explain(folder, "papers.documents", "body_sha256") for line in section.lines]
    assert ("is", "the SHA-256 of the file beside the dump; a run looks it up") in told
    assert folder.plans["papers"].fates["bunsho.document"]["BD-HASH"] == (("attachment",), "")


def test_a_document_of_a_record_that_is_left_is_not_kept(home, inbox):
    """Deleted in the source: what it names is neither missing nor extra, and none of the joint centre's."""
    mapping = home.parent / "towns" / TOWN / "papers" / "mapping.yaml"
    gone = f"leave:\n  bunsho.document: [{{reason: 廃止, when: '\"BD-NO\" IN ({MISSING}, {ALTERED}, 1)'}}]\n"
    mapping.write_text(mapping.read_text("utf-8") + gone, "utf-8")
    record = runs.run_all(TOWN)
    assert record.state == "promoted", record.state_reason_en
    found = findings(home, record).select("code", "severity").rows()
    assert sorted(found) == [("F134", "note"), ("F135", "note"), ("F136", "alert")]
    (check,) = record.attachments
    assert (check.files, check.named, check.extra) == (20, 19, 1)
    assert (check.records, check.missing, check.altered, check.kept) == (17, 0, 0, 17)
    assert len(list((home / "objects").rglob("??/*"))) == len(promoted()) == 17
