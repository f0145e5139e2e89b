"""Several files are one dump; headers and trailers are left out of each, and every byte is counted."""

from __future__ import annotations

import gzip
import hashlib
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import containers
from extractors.copybooks.copybook import read_copybook
from extractors.copybooks.copying import read_words
from extractors.framings import FRAMINGS, load
from extractors.framings.contract import Trouble
from extractors.reading import library_of
from extractors.records import Account, frames
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
        files = []
        buffer = bytearray(size)
        while True:
            data = b""
            while count := stream.readinto(memoryview(buffer)):
                data += buffer[:count]
            assert stream.readinto(memoryview(buffer)) == 0
            files.append(data)
            if not stream.advance():
                break
        assert files == [b"aaaa", b"", b"bb"]
        assert stream.left_out == 15
        assert stream.taken == stream.size == 21
        assert [part.offset for part in stream.parts] == [0, 4, 4]


def test_containers_are_taken_off_each_file(tmp_path):
    paths = [tmp_path / "1.gz", tmp_path / "2.gz"]
    for path, data in zip(paths, (b"Haaa", b"Hbbb"), strict=True):
        path.write_bytes(gzip.compress(data))
    with DumpStream(paths, unwrap=containers.load("gzip", {}), header=1) as stream:
        assert (stream.read(), stream.advance(), stream.read(), stream.advance()) == (b"aaa", True, b"bbb", False)


def test_a_file_shorter_than_its_header_gives_nothing(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"ab")
    with DumpStream([path], header=3) as stream:
        assert stream.read(10) == b""
        assert stream.left_out == 2
        assert stream.short


@pytest.mark.parametrize("plain", [True, False])
def test_a_stream_goes_on_from_a_place(volumes, plain):
    with DumpStream(volumes[:1], header=0 if plain else 1, trailer=0 if plain else 1) as stream:
        stream.skip(4)
        assert stream.read(3) == (b"aaa" if plain else b"aaT")


def test_a_place_may_lie_in_another_file(volumes):
    with DumpStream(volumes, header=3, trailer=2) as stream:
        stream.skip(5)
        assert (stream.read(10), stream.advance()) == (b"b", False)


LAYOUT = read_copybook("01 R. 05 L PIC 9(4) COMP. 05 F PIC X(8).", file="r.cpy")
WRITTEN = st.one_of(
    st.binary(max_size=60),
    st.lists(st.binary(min_size=1, max_size=9), max_size=8).map(
        lambda rs: b"".join((len(r) + 4).to_bytes(2, "big") + b"\0\0" + r for r in rs)
    ),
)


@pytest.mark.parametrize("name", [f.name for f in FRAMINGS if f.name not in ("cells", "delimited")])
@settings(max_examples=100, deadline=None)
@given(files=st.lists(WRITTEN, min_size=2, max_size=5), again=st.booleans(), buffer=st.integers(1, 80))
def test_the_records_of_each_file_begin_at_its_first_byte(tmp_path_factory, name, files, again, buffer):
    options = {"field": "L"} if name == "length_field" else {}
    if again and name != "fixed":
        options |= {"resynchronise": "yes", "longest": "64"}
    framing = load(name, options, LAYOUT)
    paths = [tmp_path_factory.getbasetemp() / f"{number}.dat" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)

    def read(some):
        rows, found, account = [], [], Account()
        with DumpStream(some) as stream, mock.patch("extractors.records.BUFFER_LEAST", buffer):
            for part in frames(stream, framing, LAYOUT, account, buffer_bytes=1):
                rows += [part.data[a:b].tobytes() for a, b in zip(part.pos, part.limits, strict=True)]
                found += [(t.code, t.at, t.detail) for t in part.troubles]
        return rows, found, account

    rows, found, account = read(paths)
    each = [read([path]) for path in paths]
    assert rows == [row for some, _, _ in each for row in some]
    assert [(code, at) for code, at, _ in found] == [
        (code, at + sum(map(len, files[:number]))) for number, (_, some, _) in enumerate(each) for code, at, _ in some
    ]
    assert all(any(detail.endswith(f"({path.name})") for path in paths) for _, _, detail in found)
    assert account.left_over == sum(a.left_over for _, _, a in each)
    assert account.bytes == account.in_records + account.descriptors + account.skipped + account.left_over


def test_the_remainder_of_a_file_is_a_finding_that_names_it(tmp_path):
    paths = [tmp_path / "one", tmp_path / "two"]
    paths[0].write_bytes(b"0123456789ABCDEFGHIJKLMNO")
    paths[1].write_bytes(b"0123456789abcdefghij")
    account = Account()
    with DumpStream(paths) as stream:
        parts = [
            ([p.data[a:b].tobytes() for a, b in zip(p.pos, p.limits, strict=True)], p.troubles)
            for p in frames(stream, load("fixed", {}, LAYOUT), LAYOUT, account)
        ]
    assert [r for rows, _ in parts for r in rows][2:] == [b"0123456789", b"abcdefghij"]
    assert [t for _, troubles in parts for t in troubles] == [Trouble("F105", 20, 0, "5 bytes after 2 records (one)")]
    assert (account.records, account.left_over) == (4, 5)


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


def test_a_damaged_container_is_hashed_whole_and_read_to_its_end_without_an_error(tmp_path):
    """Who has found what they looked for reads on for the hash alone: the damage was told by who reads the records."""
    data = gzip.compress(b"x" * 100_000, mtime=0)[:-20] + b"damage"
    (tmp_path / "a.gz").write_bytes(data)
    with DumpStream([tmp_path / "a.gz"], unwrap=containers.load("gzip", {}), hashed=True) as stream:
        assert stream.read(10) == b"x" * 10
        stream.read_to_end()
        assert stream.sha256 == [hashlib.sha256(data).hexdigest()]
