"""Several files are one dump; headers and trailers are left out of each, and every byte is counted."""

from __future__ import annotations

import gzip
import io

import pytest

from extractors.containers import load
from extractors.copying import read_words
from extractors.reading import library_of
from extractors.stream import DumpStream


@pytest.fixture
def volumes(tmp_path):
    paths = [tmp_path / name for name in ("one", "two", "three")]
    for path, data in zip(paths, (b"HHHaaaaTT", b"HHHTT", b"HHHbbTT"), strict=True):
        path.write_bytes(data)
    return paths


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_files_are_read_one_after_another(volumes, size):
    with DumpStream(volumes, header=3, trailer=2) as stream:
        data = b""
        buffer = bytearray(size)
        while count := stream.readinto(memoryview(buffer)):
            data += buffer[:count]
        assert data == b"aaaabb"
        assert stream.left_out == 15
        assert stream.taken == stream.size == 21
        assert [part.offset for part in stream.parts] == [0, 4, 4]


def test_containers_are_taken_off_each_file(tmp_path):
    paths = [tmp_path / "1.gz", tmp_path / "2.gz"]
    for path, data in zip(paths, (b"Haaa", b"Hbbb"), strict=True):
        path.write_bytes(gzip.compress(data))
    with DumpStream(paths, unwrap=load("gzip", {}), header=1) as stream:
        assert io.BufferedReader(stream).read() == b"aaabbb"


def test_a_file_shorter_than_its_header_gives_nothing(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"ab")
    with DumpStream([path], header=3) as stream:
        assert stream.read(10) == b""
        assert stream.left_out == 2


@pytest.mark.parametrize("plain", [True, False])
def test_a_stream_goes_on_from_a_place(volumes, plain):
    with DumpStream(volumes[:1], header=0 if plain else 1, trailer=0 if plain else 1) as stream:
        stream.skip(4)
        assert stream.read(3) == (b"aaa" if plain else b"aaT")


def test_texts_of_copy_stay_in_their_folder(tmp_path):
    inside = tmp_path / "library"
    inside.mkdir()
    (tmp_path / "secret.cpy").write_text("05 S PIC X.", encoding="utf-8")
    (inside / "JUKI.cpy").write_text("05 A PIC X.", encoding="utf-8")
    (inside / "LINK.cpy").symlink_to(tmp_path / "secret.cpy")
    library = library_of([inside])
    assert library("juki")[0] == "05 A PIC X."
    for name in ("../secret", "/etc/passwd", "LINK", ".hidden", "", "NOTHING"):
        assert library(name) is None
    source = read_words("01 R. COPY JUKI.", "r.cpy", library=library)
    assert not source.problems
