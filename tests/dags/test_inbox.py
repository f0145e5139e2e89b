"""What is expected of an inbox: one file, several volumes, any number by a pattern; and what is said where they are not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dags.pipeline.receiving import inbox
from dags.pipeline.town import load

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


@pytest.fixture
def town(tmp_path):
    def make(expected):
        folder = Path(shutil.copytree(TOWNS / "990027_mihon", tmp_path / "990027_mihon", dirs_exist_ok=True))
        manifest = folder / "resident_records/manifest.yaml"
        text = (TOWNS / "990027_mihon" / "resident_records/manifest.yaml").read_text("utf-8")
        manifest.write_text(text.replace("file: juki_master.dat", expected), encoding="utf-8")
        return load(folder)

    return make


@pytest.mark.parametrize(
    ("expected", "files", "statuses", "codes", "read"),
    [
        ("file: a.dat", ["a.dat"], ["received"], [], True),
        ("file: a.dat", [], ["missing"], ["F101"], False),
        ("file: [a.dat, b.dat]", ["b.dat", "a.dat"], ["received", "received"], [], True),
        ("file: [a.dat, b.dat]", ["a.dat"], ["received", "missing"], ["F101"], False),
        ("file: 'J*.dat'", ["J2.dat", "J1.dat"], ["received", "received"], [], True),
        ("file: 'J*.dat'", [], ["missing"], ["F101"], False),
        ("file: 'J*.dat'\n    volumes: 3", ["J1.dat", "J2.dat"], ["received", "received", "missing"], ["F101"], False),
        ("file: 'J?.dat'\n    volumes: 1", ["J1.dat", "J2.dat"], ["received", "received"], ["F104"], True),
        ("file: a.dat", ["a.dat", "x.dat"], ["received", "unexpected"], ["F104"], True),
    ],
)
def test_every_file_is_expected_received_or_told_of(town, tmp_path, expected, files, statuses, codes, read):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number, name in enumerate(files):
        (folder / name).write_bytes(bytes([number + 1]) * 400)
    receipts, found = inbox.receive(town(expected), folder)
    assert [r.status for r in receipts] == statuses
    assert found.column("code").to_pylist() == codes
    assert (inbox.why_held(receipts, folder) == ()) == read
    if expected.startswith("file: 'J") and files:
        assert [r.file for r in receipts if r.status == "received"] == sorted(files)


def test_the_same_bytes_twice_and_an_empty_file_are_told_of(town, tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name, data in (("a.dat", b"x" * 400), ("b.dat", b"x" * 400), ("c.dat", b"")):
        (folder / name).write_bytes(data)
    receipts, found = inbox.receive(town("file: [a.dat, b.dat, c.dat]"), folder)
    assert [r.status for r in receipts] == ["received", "twice", "empty"]
    assert found.column("code").to_pylist() == ["F103", "F102"]
    assert [en for _, en in inbox.why_held(receipts, folder)] == [
        f"One dump was received twice (b.dat in {folder})",
        f"A dump is empty (c.dat in {folder})",
    ]


def test_a_file_of_a_system_that_is_not_moved_is_noted_and_no_alert(town, tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name in ("a.dat", "tax1.dat", "x.dat"):
        (folder / name).write_bytes(name.encode())
    receipts, found = inbox.receive(town("file: a.dat"), folder, left=("tax?.dat",))
    assert {r.file: r.status for r in receipts} == {"a.dat": "received", "tax1.dat": "left", "x.dat": "unexpected"}
    assert found.column("code").to_pylist() == ["F104"]
