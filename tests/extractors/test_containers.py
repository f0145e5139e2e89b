"""Every container gives what is inside, and of a damaged file everything before the damage and then `Damaged`."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.containers import CONTAINERS, load, recognise
from extractors.containers._tape import describe
from extractors.containers.contract import HEAD, Damaged
from migration_reports.findings import SpecError
from tests.map_files import map_files
from tests.workbooks import workbook

CASES = Path(__file__).parents[1] / "cases" / "containers"
NAMES = [container.name for container in CONTAINERS]
COMPRESS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


class Unsought(io.RawIOBase):
    """A pipe: bytes that can be read once, a few at a time."""

    def __init__(self, data, most=7):
        super().__init__()
        self._inside, self._most = io.BytesIO(data), most

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._inside.readinto(memoryview(buffer)[: self._most])


def part(recipe):
    if isinstance(recipe, str):
        return bytes.fromhex(recipe)
    kind, value = next(iter(recipe.items()))
    match kind:
        case "repeat":
            return part(value) * recipe["times"]
        case "compress":
            return COMPRESS[value](part(recipe["hex"]) * recipe.get("times", 1))
        case "label":
            return label(recipe)
        case "tape":
            return b"".join(chunks(recipe, value))
        case "segments":
            return b"".join(segment(item) for item in value)
        case "zip":
            return archive(recipe, value)
        case "rejects":
            return reject_set(value)
        case "text":
            return value.encode()
        case "xlsx":
            return workbook(**recipe)
        case "shapefile":
            return archive({}, {f"kaoku{end}": content.hex() for end, content in map_files(**recipe).items()})
    raise AssertionError(kind)


def reject_set(rows):
    schema = pa.schema([("dump", pa.string()), ("record", pa.int64()), ("bytes", pa.binary())])
    lines = [{"dump": d, "record": n, "bytes": bytes.fromhex(data)} for n, (d, data) in enumerate(rows, 1)]
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, schema) as file:
        file.write_batch(pa.RecordBatch.from_pylist(lines, schema=schema))
    return sink.getvalue()


def label(recipe):
    kind = recipe["label"]
    text = [" "] * 80
    fields = {0: kind}
    if kind[3] == "1" and kind != "VOL1":
        count = recipe.get("blocks", 0)
        fields |= {4: recipe.get("dataset", "JUKI"), 21: "ZZ0001", 27: "00010001", 54: f"{count % 10**6:06}"}
    if kind[3] == "2":
        fields |= {
            4: recipe["recfm"],
            5: f"{recipe['blksize']:05}{recipe['lrecl']:05}",
            38: recipe.get("attribute", ""),
        }
    for at, value in fields.items():
        text[at : at + len(value)] = value
    return "".join(text).encode(recipe.get("coding", "cp037"))


def chunks(recipe, blocks):
    before = 0
    for block in blocks:
        if block == "mark":
            data, flags, size = b"", 0x40, 1
        else:
            method = block.get("method") if isinstance(block, dict) else None
            data = part(block["block"] if method or "block" in block else block)
            flags = {None: 0, "zlib": 1, "bzip2": 2}[method]
            data = {None: bytes, "zlib": zlib.compress, "bzip2": bz2.compress}[method](data)
            size = recipe.get("chunk", 65535)
        cut = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
        for number, piece in enumerate(cut):
            ends = 0 if block == "mark" else 0x80 * (number == 0) | 0x20 * (number == len(cut) - 1)
            yield len(piece).to_bytes(2, "little") + before.to_bytes(2, "little") + bytes([flags | ends, 0]) + piece
            before = len(piece)


def segment(item):
    kind, value = next(iter(item.items()))
    flags = 0x20
    if kind == "data":
        data, flags = part(value), 0
    else:
        data = kind.encode("cp037") + (item["number"].to_bytes(4, "big") if "number" in item else b"")
        for key, values in (value or {}).items():
            texts = values if isinstance(values, list) else [values]
            data += bytes.fromhex(key) + len(texts).to_bytes(2, "big")
            for text in texts:
                raw = text.encode("cp037") if isinstance(text, str) else text.to_bytes(2, "big")
                data += len(raw).to_bytes(2, "big") + raw
    pieces = [data[at : at + 253] for at in range(0, len(data), 253)] or [b""]
    return b"".join(
        bytes([len(p) + 2, flags | 0x80 * (n == 0) | 0x40 * (n == len(pieces) - 1)]) + p for n, p in enumerate(pieces)
    )


def archive(recipe, members):
    out = io.BytesIO()
    method = zipfile.ZIP_STORED if recipe.get("stored") else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", recipe.get("method", method)) as writing:
        for name, content in members.items():
            writing.writestr(zipfile.ZipInfo(name), part(content), recipe.get("method", method))
    data = bytearray(out.getvalue())
    for at, byte in recipe.get("set", {}).items():
        data[data.index(b"PK\1\2") + at] = byte
    return bytes(data)


def make(case):
    data = bytearray(b"".join(map(part, case["of"])))
    for at, byte in case.get("set", {}).items():
        data[at] = byte
    return bytes(data[: len(data) - case.get("cut", 0)])


def read(name, options, raw, size=65536):
    """What is delivered, and the damage at its end."""
    opened = load(name, options)(raw)
    buffer = bytearray(size)
    out = bytearray()
    try:
        while count := opened.readinto(buffer):
            out += buffer[:count]
    except Damaged as damage:
        with pytest.raises(Damaged):
            opened.readinto(buffer)
        return bytes(out), damage
    return bytes(out), None


def cases(wanted=lambda case: True):
    for name in NAMES:
        for case in yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8")):
            if wanted(case):
                yield pytest.param(name, case, id=f"{name}: {case['name']}")


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_what_is_inside_is_what_the_case_says(name, case):
    data, options = make(case), case.get("options", {})
    if "problem" in case:
        with pytest.raises(SpecError) as caught:
            load(name, options)(io.BytesIO(data))
        assert [p.code for p in caught.value.problems] == [case["problem"]]
        assert case.get("hint", "") in str(caught.value)
        return
    expected = b"".join(map(part, case["bytes"]))
    readings = [io.BytesIO(data)]
    if name != "zip":
        readings.append(Unsought(data))
    for raw in readings:
        got, damage = read(name, options, raw)
        assert got == expected
        assert case.get("damaged", "") in str(damage)
        assert (damage is None) == ("damaged" not in case)
        if "at" in case:
            assert damage.offset == case["at"]
    assert read(name, options, io.BytesIO(data), 1)[0] == expected
    if "damaged" not in case and case.get("recognised", True):
        assert recognise(data[:HEAD]) == name


@pytest.mark.parametrize(("name", "case"), list(cases(lambda case: case.get("cut_anywhere"))))
def test_a_file_cut_anywhere_gives_a_prefix_and_then_damage(name, case):
    data, options = make(case), case.get("options", {})
    whole = b"".join(map(part, case["bytes"]))
    for end in range(len(data)):
        got, damage = read(name, options, io.BytesIO(data[:end]))
        assert whole.startswith(got)
        if end < len(data) - case.get("spare", 0) and end not in case.get("harmless", []):
            assert damage is not None, end
            assert damage.offset <= end
        else:
            assert damage is not None or got == whole


def test_every_container_is_cut_somewhere():
    assert {param.values[0] for param in cases(lambda case: case.get("cut_anywhere"))} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_arbitrary_bytes_end_in_damage_or_in_an_end(name, data):
    good = [
        make(p.values[1])
        for p in cases(lambda case: "problem" not in case and "times" not in str(case))
        if p.values[0] == name
    ]
    raw = bytearray(data.draw(st.one_of(st.binary(max_size=400), st.sampled_from(good))))
    for _ in range(data.draw(st.integers(0, 4)) if raw else 0):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        results = {
            size: read(name, {}, io.BytesIO(raw), size) for size in ((1, 65536) if len(raw) < 20000 else (65536,))
        }
    except SpecError:
        # Two members in an archive: which one is for a person to say.
        assert name == "zip"
        return
    outs = {out for out, _ in results.values()}
    assert len(outs) == 1
    assert len({str(damage) for _, damage in results.values()}) == 1
    if name != "zip":
        piped = read(name, {}, Unsought(bytes(raw), 100))[0]
        assert any(out in (piped, piped[:-1]) or out[:-1] == piped for out in outs)
    recognise(bytes(raw[:HEAD]))
    describe(io.BytesIO(raw))


@pytest.mark.parametrize("name", list(COMPRESS))
@settings(deadline=None, max_examples=25)
@given(members=st.lists(st.binary(max_size=3000), min_size=1, max_size=4), times=st.integers(1, 60))
def test_opening_undoes_compressing(name, members, times):
    data = b"".join(COMPRESS[name](member * times) for member in members)
    assert read(name, {}, io.BytesIO(data)) == (b"".join(member * times for member in members), None)
    assert recognise(data[:HEAD]) == name


@pytest.mark.parametrize("stored", [True, False])
@settings(deadline=None, max_examples=30)
@given(content=st.binary(max_size=3000), times=st.integers(1, 60))
def test_opening_undoes_zipping(stored, content, times):
    data = archive({"stored": stored}, {"a.dat": (content * times).hex()})
    assert read("zip", {}, io.BytesIO(data)) == (content * times, None)


@settings(deadline=None, max_examples=20)
@given(blocks=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=8), data=st.data())
def test_opening_undoes_writing_a_tape(blocks, data):
    method = data.draw(st.sampled_from([None, "zlib", "bzip2"]))
    tape = [{"block": block.hex(), "method": method} for block in blocks]
    raw = b"".join(chunks({"chunk": data.draw(st.integers(20, 400))}, [*tape, "mark", "mark"]))
    assert read("het", {"labels": "none"}, io.BytesIO(raw)) == (b"".join(blocks), None)
    words = b"".join((len(block) + 4 << 16).to_bytes(4, "big") + block for block in blocks)
    assert read("het", {"labels": "none", "blocks": "bdw"}, io.BytesIO(raw)) == (words, None)


@pytest.mark.parametrize("name", list(COMPRESS))
def test_good_bytes_just_before_the_damage_are_delivered(name):
    first = bytes(range(256)) * 300
    packed = COMPRESS[name](first)
    for raw in (io.BytesIO, Unsought):
        got, damage = read(name, {}, raw(packed + b"JUNK"))
        assert got == first
        assert damage.offset == len(packed)
        broken = bytearray(packed + COMPRESS[name](first))
        broken[len(packed) + len(packed) // 2] ^= 0xFF
        got, damage = read(name, {}, raw(bytes(broken)))
        assert got.startswith(first)
        # Arrow writes zstd without checksums, so that a changed byte may go unseen.
        assert damage is not None or name == "zstd"


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zstd", "het"])
def test_memory_does_not_follow_what_the_file_expands_to(name):
    zeros = bytes(80_000_000)
    if name == "het":
        raw = b"".join(chunks({}, [{"block": zeros.hex(), "method": "bzip2"}, "mark"]))
    else:
        raw = COMPRESS[name](zeros)
    tracemalloc.start()
    opened = load(name, {})(io.BytesIO(raw))
    buffer = bytearray(65536)
    count = 0
    try:
        while got := opened.readinto(buffer):
            count += got
    except Damaged as damage:
        assert name == "het", damage
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == (0 if name == "het" else len(zeros))
    assert peak < 16_000_000


def test_one_container_in_another():
    inner = b"".join(chunks({}, ["C1C2", "C3C4", "mark"]))
    packed = gzip.compress(inner)
    assert read("awstape", {}, load("gzip", {})(io.BytesIO(packed))) == (bytes.fromhex("C1C2C3C4"), None)
    got, damage = read("awstape", {}, load("gzip", {})(io.BytesIO(packed[:-1])))
    assert bytes.fromhex("C1C2C3C4").startswith(got)
    assert "gzip" in str(damage)
    with pytest.raises(SpecError, match="inside another container"):
        load("zip", {})(load("gzip", {})(io.BytesIO(packed)))


def test_a_long_block_has_a_long_word():
    raw = b"".join(chunks({}, [bytes(40000).hex(), "mark"]))
    got, damage = read("awstape", {"blocks": "bdw"}, io.BytesIO(raw))
    assert damage is None
    assert got[:4].hex() == (40004 | 1 << 31).to_bytes(4, "big").hex()


def test_a_tape_is_described_up_to_its_damage():
    labels = [
        [
            {"label": "HDR1", "dataset": name},
            {"label": "HDR2", "recfm": "F", "blksize": 4, "lrecl": 2, "attribute": "B"},
        ]
        for name in ("JUKI", "KOKUHO")
    ]
    ends = [[{"label": "EOF1", "dataset": name, "blocks": 2}] for name in ("JUKI", "KOKUHO")]
    blocks = ["C1C2C3C4", "C1C2"]
    tape = [{"label": "VOL1"}, *labels[0], "mark", *blocks, "mark", *ends[0], "mark"]
    tape += [*labels[1], "mark", *blocks, "mark", *ends[1], "mark", "mark"]
    raw = b"".join(chunks({}, tape))
    files = describe(io.BytesIO(raw))
    assert [(f.number, f.dataset, f.recfm, f.blksize, f.lrecl, f.blocks, f.bytes, f.damage) for f in files] == [
        (1, "JUKI", "FB", 4, 2, 2, 6, ""),
        (2, "KOKUHO", "FB", 4, 2, 2, 6, ""),
    ]
    cut = describe(io.BytesIO(raw[: raw.rindex(bytes.fromhex("C1C2C3C4")) + 4]))
    assert [(f.number, f.dataset, f.blocks, f.bytes, bool(f.damage)) for f in cut] == [
        (1, "JUKI", 2, 6, False),
        (2, "KOKUHO", 1, 4, True),
    ]
    assert [f.damage for f in describe(io.BytesIO(b""))] == ["the tape image is empty (at byte 0)"]


def test_data_on_its_own_is_recognised_as_nothing():
    for data in (b"", b"\0" * 4096, "0001JUKI".encode("cp037") * 100, b"0001,JUKI\r\n" * 100):
        assert recognise(data) is None


def test_an_unknown_option_is_told():
    with pytest.raises(SpecError, match="did you mean `labels`"):
        load("awstape", {"label": "none"})
