"""A dump of unknown making is found out, and the proof of a round trip names what does not come back."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dags import reader
from extractors.diagnosis import diagnose
from extractors.reading import Choice, Spoken
from extractors.synthesis.write import synthesize
from tests.reading import SHARED

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
SHIPPED = {
    "990027_mihon": ("juki_master", "fujitsu", 400, ["resident=JM-KUBUN:D:JM-JUMIN"]),
    "990035_reiji": ("setai_kojin", "ibm", 240, ["person=SK-KBN:K:SK-KOJIN"]),
}


@pytest.fixture(scope="module", params=sorted(SHIPPED))
def town(request, tmp_path_factory):
    made = synthesize(TOWNS / request.param, residents=300, seed=3, faults=0, out=tmp_path_factory.mktemp("town"))
    name, charset, length, kinds = SHIPPED[request.param]
    return made.dump, TOWNS / request.param / "layouts" / f"{name}.cpy", charset, length, kinds


@pytest.mark.parametrize("with_layout", [True, False])
def test_a_fixed_dump_is_found_out(town, with_layout):
    dump, layout, charset, length, _ = town
    found = reader.diagnose_file(dump, layout=layout if with_layout else None)
    assert found.best("framing").choice == Choice("fixed", {"length": str(length)})
    assert found.best("charset").choice.name == charset
    assert found.remarks == ()
    assert all(0 <= p.strength <= 1 and p.evidence for p in found.proposals)


def framed(records, framing):
    words = [(len(r) + 4).to_bytes(2, "big") + b"\0\0" + r for r in records]
    if framing == "variable":
        return b"".join(words), {}
    if framing == "little":
        options = {"record_at": "2", "record_order": "little", "record_inclusive": "no"}
        return b"".join(b"\0\0" + len(r).to_bytes(2, "little") + r for r in records), options
    blocks = [b"".join(words[at : at + 20]) for at in range(0, len(words), 20)]
    return b"".join((len(b) + 4).to_bytes(2, "big") + b"\0\0" + b for b in blocks), {}


@pytest.mark.parametrize("framing", ["variable", "little", "blocked"])
def test_descriptor_words_are_found_out(town, framing, tmp_path):
    dump, _, _, length, _ = town
    data = dump.read_bytes()
    records = [data[at : at + length - at // length % 7] for at in range(0, len(data), length)]
    made, options = framed(records, framing)
    path = tmp_path / "unknown.dat.gz"
    path.write_bytes(gzip.compress(made))
    found = diagnose(path)
    assert found.best("container").choice.name == "gzip"
    name = "variable" if framing == "little" else framing
    assert found.best("framing").choice == Choice(name, options)


def test_a_length_that_does_not_divide_is_answered(town, tmp_path):
    dump, layout, _, length, _ = town
    path = tmp_path / "cut.dat"
    path.write_bytes(dump.read_bytes()[:-7])
    found = reader.diagnose_file(path, layout=layout)
    assert found.best("framing").choice.options["length"] == str(length)
    assert any(f"{length - 7} bytes are left over" in remark for remark in found.remarks)


def test_nothing_can_be_said_of_nothing_or_noise(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert diagnose(path).remarks == ("the dump is empty",)
    import numpy as np

    path.write_bytes(np.random.default_rng(1).integers(0, 256, 50_000, dtype=np.uint8).tobytes())
    assert diagnose(path).best("framing") is None


def test_a_clean_dump_comes_back_byte_for_byte(town):
    dump, layout, charset, _, kinds = town
    options = {}
    job = reader.make_job([dump], layout=layout, spoken=Spoken(charset=Choice(charset)), options=options, kinds=kinds)
    proof = reader.prove(job)
    assert proof.fields
    assert proof.compared_bytes > 0
    assert [(f.field, f.other) for f in proof.fields if f.other] == []


def test_other_bytes_of_the_same_value_are_named(tmp_path):
    copybook = tmp_path / "r.cpy"
    copybook.write_text("01 R. 05 A PIC S9(3) COMP-3. 05 B PIC X(2).", encoding="utf-8")
    dump = tmp_path / "r.dat"
    dump.write_bytes(bytes.fromhex("123C C1C2 123F C1C2 4040 C1C2"))
    proof = reader.prove(reader.make_job([dump], layout=copybook, spoken=Spoken(), options={}, kinds=[]))
    a, b = proof.fields
    assert (a.values, a.same, a.other, a.first_other, a.no_value, a.first_no_value) == (2, 1, 1, 2, 1, 3)
    assert (b.values, b.same, b.other) == (3, 3, 0)
    assert proof.exceptions == (a,)


@pytest.mark.parametrize(
    ("copybook", "framing", "data", "compared", "no_field"),
    [
        ("05 C PIC X(3). 05 D PIC X(3).", Choice("lines"), b"abcde\nabcdef\nab\n", 13, 0),
        ("05 C PIC X(3). 05 D PIC 9(3).", Choice("lines"), b"abc\nabc123\nab\n", 11, 0),
        ("05 C PIC X(3).", Choice("variable"), b"\0\x09\0\0abcde\0\x06\0\0ab", 5, 2),
        ("05 C PIC X. 05 S PIC 9(4) COMP SYNC.", Choice("fixed"), b"a?\0\1", 3, 1),
        ("05 C PIC X(5) JUSTIFIED RIGHT. 05 D PIC N(3) NATIONAL JUST.", Choice("fixed"), b"   AB\0 \0A\0B", 11, 0),
        ("05 N PIC 9. 05 T PIC X OCCURS 0 TO 3 DEPENDING ON N.", Choice("fixed", {"length": "4"}), b"2ab-", 3, 1),
    ],
)
def test_every_byte_is_compared_once_and_none_behind_a_records_end(
    copybook, framing, data, compared, no_field, tmp_path
):
    (tmp_path / "r.cpy").write_text(f"01 R. {copybook}", encoding="utf-8")
    (tmp_path / "r.dat").write_bytes(data)
    spoken = Spoken(framing, Choice("single_byte", {"page": "ascii"}))
    proof = reader.prove(
        reader.make_job([tmp_path / "r.dat"], layout=tmp_path / "r.cpy", spoken=spoken, options={}, kinds=[])
    )
    assert (proof.compared_bytes, proof.no_field_bytes, proof.exceptions) == (compared, no_field, ())


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "framing", "charset"),
    [("a_city_resident", "fixed", "fujitsu"), ("b_town_resident", "blocked", "hitachi"),
     ("c_village_resident", "fixed", "nec"), ("d_city_resident", "fixed", "ibm")],
)  # fmt: skip
def test_the_shared_dumps_are_found_out(name, framing, charset):
    folder = SHARED / "dumps" / name
    found = reader.diagnose_file(folder / f"{name}.dat", layout=folder / f"{name}.cpy")
    assert found.best("framing").choice.name == framing
    if charset:
        assert found.best("charset").choice.name == charset
