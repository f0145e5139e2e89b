"""Files beside a dump: what a folder or a ZIP archive gives, and what neither can be made to give."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from extractors.attachments import UnreadableError, normal, read_whole, source_of
from extractors.attachments.archive import ALWAYS_ALLOWED, Archive
from extractors.attachments.folder import Folder


def archive_of(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in entries:
            archive.writestr(entry, data)
    return Archive(path)


def entry(name, *, mode=stat.S_IFREG, flags=0):
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.external_attr = (mode | 0o644) << 16
    info.flag_bits = flags
    return info


def test_an_archive_gives_its_files_and_never_unpacks_them(tmp_path):
    source = archive_of(tmp_path / "a.zip", [("a/1.tif", b"one"), ("a/", b""), ("b/2.tif", b"two" * 900_000)])
    listing = source.listing()
    assert list(listing.names) == ["a/1.tif", "b/2.tif"]
    size, sha256 = read_whole(source, listing.names["b/2.tif"])
    assert (size, sha256) == (2_700_000, hashlib.sha256(b"two" * 900_000).hexdigest())
    assert list(Archive(tmp_path / "a.zip", "b").listing().names) == ["2.tif"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(
    ("name", "mode", "reason"),
    [
        ("../passwd", stat.S_IFREG, "its name leaves the folder"),
        ("a/../../passwd", stat.S_IFREG, "its name leaves the folder"),
        ("..\\passwd", stat.S_IFREG, "its name leaves the folder"),
        ("/etc/passwd", stat.S_IFREG, "its name leaves the folder"),
        ("C:\\passwd", stat.S_IFREG, "its name leaves the folder"),
        ("a//b", stat.S_IFREG, "its name leaves the folder"),
        ("link", stat.S_IFLNK, "a link, or no file"),
        ("1.TIF", stat.S_IFREG, None),
        ("1.tif", stat.S_IFREG, "another file has the same name"),
        ("./1.tif", stat.S_IFREG, "another file has the same name"),
    ],
)
def test_a_hostile_entry_is_refused_and_counted(tmp_path, name, mode, reason):
    source = archive_of(tmp_path / "a.zip", [("1.tif", b"good"), (entry(name, mode=mode), b"/etc/passwd")])
    listing = source.listing()
    assert dict(listing.refused) == ({reason: 1} if reason else {})
    assert read_whole(source, listing.names["1.tif"])[0] == 4


def spoil(path, at, value):
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(data)


def test_an_encrypted_entry_and_an_unknown_method_are_refused(tmp_path):
    archive_of(tmp_path / "a.zip", [("1.tif", b"good"), ("2.tif", b"worse")])
    central = (tmp_path / "a.zip").read_bytes().index(b"PK\1\2")
    second = (tmp_path / "a.zip").read_bytes().index(b"PK\1\2", central + 4)
    spoil(tmp_path / "a.zip", central + 8, struct.pack("<H", 1))
    spoil(tmp_path / "a.zip", second + 10, struct.pack("<H", 12))
    assert dict(Archive(tmp_path / "a.zip").listing().refused) == {
        "it is encrypted": 1,
        "it is compressed by another method than 0 or 8": 1,
    }


def test_a_bomb_is_refused_before_any_of_it_is_read(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1_000_000))
    (tmp_path / "bomb.zip").write_bytes(packed.getvalue())
    central = packed.getvalue().index(b"PK\1\2")
    spoil(tmp_path / "bomb.zip", central + 24, struct.pack("<I", ALWAYS_ALLOWED + 1))
    with pytest.raises(UnreadableError, match="says that it gives"):
        Archive(tmp_path / "bomb.zip").listing()


def test_files_that_overlap_are_refused(tmp_path):
    archive_of(tmp_path / "a.zip", [("1.tif", b"good")])
    central = (tmp_path / "a.zip").read_bytes().index(b"PK\1\2")
    spoil(tmp_path / "a.zip", central + 20, struct.pack("<I", 1_000_000))
    with pytest.raises(UnreadableError, match="overlap"):
        Archive(tmp_path / "a.zip").listing()


@pytest.mark.parametrize("damage", ["contents", "half", "no archive", "gone"])
def test_a_damaged_archive_says_why(tmp_path, damage):
    path = tmp_path / "a.zip"
    source = archive_of(path, [("1.tif", b"good" * 100)])
    if damage == "contents":
        spoil(path, 60, b"bad")
        with pytest.raises(UnreadableError, match="damaged there"):
            read_whole(source, source.listing().names["1.tif"])
        return
    path.write_bytes({"half": path.read_bytes()[:200], "no archive": b"GIF89a", "gone": b""}[damage])
    if damage == "gone":
        path.unlink()
    with pytest.raises(UnreadableError, match="no directory that can be read"):
        source.listing()


def test_a_folder_gives_its_files_and_follows_no_link(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    inside = tmp_path / "in"
    (inside / "H18").mkdir(parents=True)
    (inside / "H18" / "か\u3099.tif").write_bytes(b"composed")
    (inside / ".hidden").write_bytes(b"")
    (inside / "link").symlink_to(tmp_path / "outside" / "secret")
    (inside / "folder").symlink_to(tmp_path / "outside")
    source = source_of(tmp_path, archive=None, folder="in")
    listing = source.listing()
    assert list(listing.names) == ["H18/が.tif"]
    assert dict(listing.refused) == {"a link, or no file": 2}
    assert read_whole(source, listing.names["H18/が.tif"])[0] == 8
    with pytest.raises(UnreadableError):
        read_whole(source, "link")
    with pytest.raises(UnreadableError):
        Folder(Path(tmp_path / "none")).listing()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("H18\\0001.tif   ", "H18/0001.tif"),
        ("H18¥0001.tif\u3000", "H18/0001.tif"),
        ("H18￥第1号.tif", "H18/第1号.tif"),
        ("./0001.tif", "0001.tif"),
        ("か\u3099.tif", "が.tif"),
    ],
)
def test_paths_are_compared_as_the_old_machines_wrote_them(said, meant):
    assert normal(said) == meant
