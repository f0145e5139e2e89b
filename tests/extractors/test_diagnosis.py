"""A dump of unknown making is found out, and the proof of a round trip names what does not come back."""

from __future__ import annotations

import gzip
import itertools
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dags import cli
from dags.inspection import reader
from dags.inspection.synthesis import synthesize
from extractors.diagnosis.diagnosis import diagnose
from extractors.reading import Choice, Spoken
from extractors.records import Account, frames
from tests.reading import SHARED

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
SHIPPED = {
    "990027_mihon": ("juki_master", "fujitsu", 400, ["resident=JM-KUBUN:D:JM-JUMIN"]),
    "990035_reiji": ("setai_kojin", "ibm", 240, ["person=SK-KBN:K:SK-KOJIN"]),
}


@pytest.fixture(scope="module", params=sorted(SHIPPED))
def town(request, tmp_path_factory):
    (made,) = synthesize(TOWNS / request.param, residents=300, seed=3, faults=0, out=tmp_path_factory.mktemp("town"))
    name, charset, length, kinds = SHIPPED[request.param]
    roots = (TOWNS / request.param / "resident_records", TOWNS.parent / "packages" / "ibm_setai")
    layout = next(root / "layouts" / f"{name}.cpy" for root in roots if (root / "layouts" / f"{name}.cpy").exists())
    return made.dump, layout, charset, length, kinds


@pytest.mark.parametrize("with_layout", [True, False])
def test_a_fixed_dump_is_found_out(town, with_layout):
    dump, layout, charset, length, _ = town
    found = reader.diagnose_file(dump, layout=layout if with_layout else None)
    assert found.best("framing").choice == Choice("fixed", {"length": str(length)})
    assert found.best("charset").choice.name == charset
    assert not any("left over" in remark or "the layout has" in remark for remark in found.remarks)
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
    if length < 256:
        # A length of one byte reads the same from either side of a zero.
        length *= 2
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


COPYBOOK = """
       01  A.
           05  ID   PIC 9(8).
           05  NAME PIC X(20).
           05  AMT  PIC S9(7) COMP-3.
           05  CNT  PIC S9(4) COMP.
           05  TXT  PIC X(30).
"""
RECORD = 64


def made_records(count, *, fixed=False, seed=3):
    rng = random.Random(seed)
    records = []
    for number in range(count):
        name = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(3, 18)))
        amount = bytes.fromhex(f"{rng.randint(0, 9_999_999):07d}C") + struct.pack(">h", rng.randint(0, 9999))
        text = "".join(rng.choice("ABCDEF ") for _ in range(30))
        record = f"{number:08d}{name:20}".encode("cp037") + amount + text.encode("cp037")
        records.append(record if fixed else record[: RECORD - rng.randint(0, 25)])
    return records


def word(size=4, at=0, width=2, order="big", inclusive=True, adjust=0):
    def write(record):
        length = len(record) + (size if inclusive else 0) - adjust
        return bytes(at) + length.to_bytes(width, order) + bytes(size - at - width)

    return write


def each(write, trailing=lambda record: b""):
    return lambda records: b"".join(write(r) + r + trailing(r) for r in records)


def blocks(block, write, per=10, form=each):
    def build(records):
        inner = form(write) if write is not None else b"".join
        parts = [inner(records[at : at + per]) for at in range(0, len(records), per)]
        return b"".join(block(part) + part for part in parts)

    return build


def uneven(block, write):
    """Blocks of different numbers of records, as they are where records differ in length."""

    def build(records):
        made, at, rng = b"", 0, random.Random(1)
        while at < len(records):
            count = rng.randint(3, 12)
            part = b"".join((write(r) if write is not None else b"") + r for r in records[at : at + count])
            made, at = made + block(part) + part, at + count
        return made

    return build


def spans(write):
    """Every record in one, two or three segments."""

    def build(records):
        made = []
        for number, record in enumerate(records):
            cuts = (
                [0, 20, 30, len(record)]
                if number % 3 == 2
                else [0, 20, len(record)]
                if number % 3
                else [0, len(record)]
            )
            pieces = [record[a:b] for a, b in itertools.pairwise(cuts)]
            codes = [0] if len(pieces) == 1 else [1, *[3] * (len(pieces) - 2), 2]
            made += [struct.pack(">HBB", len(p) + 4, c, 0) + p for p, c in zip(pieces, codes, strict=True)]
        return b"".join(made)

    return build


def long_block(part):
    return (0x80000000 | len(part) + 4).to_bytes(4, "big")


RDW = word()
HEADER = "UNLOAD OF JUKI MASTER".ljust(100).encode("cp037")

VARIANTS = {
    "RDW": (each(RDW), "variable"),
    "RDW, little": (each(word(order="little")), "variable"),
    "RDW, exclusive": (each(word(inclusive=False)), "variable"),
    "RDW, little, exclusive": (each(word(order="little", inclusive=False)), "variable"),
    "RDW, one byte more": (each(word(adjust=-1)), "variable"),
    "RDW, two bytes less": (each(word(adjust=2)), "variable"),
    "RDW, little, eight more": (each(word(order="little", adjust=-8)), "variable"),
    "two bytes": (each(word(size=2)), "variable"),
    "two bytes, exclusive": (each(word(size=2, inclusive=False)), "variable"),
    "two bytes, little": (each(word(size=2, order="little")), "variable"),
    "two bytes, little, exclusive": (each(word(size=2, order="little", inclusive=False)), "variable"),
    "two bytes, one more": (each(word(size=2, adjust=-1)), "variable"),
    "last two bytes": (each(word(at=2)), "variable"),
    "last two bytes, exclusive": (each(word(at=2, inclusive=False)), "variable"),
    "last two bytes, little": (each(word(at=2, order="little")), "variable"),
    "last two bytes, little, exclusive": (each(word(at=2, order="little", inclusive=False)), "variable"),
    "four bytes": (each(word(width=4)), "variable"),
    "four bytes, exclusive": (each(word(width=4, inclusive=False)), "variable"),
    "four bytes, little": (each(word(width=4, order="little")), "variable"),
    "four bytes, little, exclusive": (each(word(width=4, order="little", inclusive=False)), "variable"),
    "one byte": (each(word(size=1, width=1)), "variable"),
    "three bytes": (each(word(size=3, width=3)), "variable"),
    "eight bytes": (each(word(size=8, width=8, inclusive=False)), "variable"),
    "eight bytes, four of them": (each(word(size=8, width=4)), "variable"),
    "repeated behind": (each(word(width=4, inclusive=False), word(width=4, inclusive=False)), "variable"),
    "repeated behind, little": (
        each(word(width=4, order="little", inclusive=False), word(width=4, order="little", inclusive=False)), "variable",
    ),
    "header": (lambda records: HEADER + each(RDW)(records), "variable"),
    "header, little": (lambda records: HEADER + each(word(order="little", inclusive=False))(records), "variable"),
    "header of zeros": (lambda records: bytes(77) + each(RDW)(records), "variable"),
    "long header": (lambda records: HEADER * 50 + each(RDW)(records), "variable"),
    "VB": (blocks(RDW, RDW), "blocked"),
    "VB, uneven": (uneven(RDW, RDW), "blocked"),
    "VB, little": (blocks(word(order="little"), word(order="little")), "blocked"),
    "VB, little, exclusive": (
        blocks(word(order="little", inclusive=False), word(order="little", inclusive=False)), "blocked",
    ),
    "VB, little words in big blocks": (blocks(RDW, word(order="little")), "blocked"),
    "VB, exclusive words in blocks": (blocks(RDW, word(inclusive=False)), "blocked"),
    "VB, two bytes": (blocks(RDW, word(size=2)), "blocked"),
    "VB, block word exclusive": (blocks(word(inclusive=False), RDW), "blocked"),
    "VB, adjusted records": (blocks(RDW, word(adjust=-1)), "blocked"),
    "VB, adjusted blocks": (blocks(word(adjust=-3), RDW), "blocked"),
    "VB behind a header": (lambda records: HEADER + blocks(RDW, RDW)(records), "blocked"),
    "VB, 31 bits": (lambda records: blocks(long_block, RDW, per=1000)(records * 3), "blocked"),
    "VB, 31 and 16 bits": (
        lambda records: blocks(long_block, RDW, per=1000)(records * 2) + blocks(RDW, RDW)(records), "blocked",
    ),
    "VS": (spans(RDW), "spanned"),
    "VBS": (blocks(RDW, RDW, form=spans), "spanned"),
    "VBS, 31 bits": (lambda records: blocks(long_block, RDW, per=2000, form=spans)(records * 3), "spanned"),
    "VBS behind a header": (lambda records: HEADER + blocks(RDW, RDW, form=spans)(records), "spanned"),
}  # fmt: skip

FIXED = {
    "F": (b"".join, "fixed"),
    "F, longer than the layout": (lambda records: b"".join(r + b"\0\0\x40\x40" for r in records), "fixed"),
    "F behind a header": (lambda records: HEADER + b"".join(records), "fixed"),
    "F behind a long header": (lambda records: HEADER * 9 + b"".join(records), "fixed"),
    "RDW": (each(RDW), "variable"),
    "two bytes": (each(word(size=2)), "variable"),
    "VB": (blocks(RDW, RDW), "blocked"),
    "blocks of fixed records": (blocks(RDW, None, per=12), "blocked"),
    "uneven blocks of fixed records": (uneven(RDW, None), "blocked"),
    "lines": (lambda records: b"".join(r.replace(b"\x15", b"\x40") + b"\x15" for r in records), "lines"),
}


def layout_file(folder, text=COPYBOOK):
    path = folder / "a.cpy"
    path.write_text(text, encoding="utf-8")
    return path


def read_back(dump, layout, found):
    """Every record's own bytes, by what was proposed."""
    job = reader.make_job([dump], layout=layout, spoken=found.spoken, options={}, kinds=[])
    account = Account()
    records = []
    with job.reading.open(job.dumps) as stream:
        for part in frames(stream, job.reading.framing, job.reading.layout, account):
            records += [part.data[a:b].tobytes() for a, b in zip(part.pos, part.limits, strict=True)]
    return records, account


@pytest.mark.parametrize("name", VARIANTS)
def test_the_first_proposal_reads_every_record_back(name, tmp_path):
    build, framing = VARIANTS[name]
    records = made_records(300)
    dump, layout = tmp_path / "d.dat", layout_file(tmp_path)
    dump.write_bytes(build(records))
    found = reader.diagnose_file(dump, layout=layout)
    assert found.best("framing").choice.name == framing
    read, account = read_back(dump, layout, found)
    assert read == records * (len(read) // len(records))
    assert read
    assert account.left_over == 0


@pytest.mark.parametrize("name", FIXED)
def test_the_first_proposal_reads_records_of_one_length_back(name, tmp_path):
    build, framing = FIXED[name]
    records = made_records(300, fixed=True)
    dump, layout = tmp_path / "d.dat", layout_file(tmp_path)
    dump.write_bytes(build(records))
    found = reader.diagnose_file(dump, layout=layout)
    assert found.best("framing").choice.name == framing
    read, account = read_back(dump, layout, found)
    assert [r[:RECORD].replace(b"\x15", b"\x40") for r in read] == [r.replace(b"\x15", b"\x40") for r in records]
    assert account.left_over == 0


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("build", [b"".join, each(RDW), each(word(size=2))], ids=["F", "RDW", "two bytes"])
def test_few_records_are_answered(count, build, tmp_path):
    records = made_records(count, fixed=True)
    dump, layout = tmp_path / "d.dat", layout_file(tmp_path)
    dump.write_bytes(build(records))
    assert read_back(dump, layout, reader.diagnose_file(dump, layout=layout))[0] == records


@pytest.mark.parametrize("summand", [0, 2, -4])
def test_a_length_in_the_record_is_found(summand, tmp_path):
    records = []
    for record in made_records(200):
        length = len(record) + 2 - summand
        records.append(struct.pack(">h", length) + record)
    layout = layout_file(tmp_path, COPYBOOK.replace("05  ID ", "05  LEN PIC S9(4) COMP.\n           05  ID "))
    dump = tmp_path / "d.dat"
    dump.write_bytes(b"".join(records))
    found = reader.diagnose_file(dump, layout=layout)
    assert found.best("framing").choice.name in ("length_field", "variable")
    proposed = [p.choice for p in found.proposals if p.choice.name == "length_field"]
    assert proposed
    assert proposed[0].options["field"] == "LEN"
    if found.best("framing").choice.name == "length_field":
        assert read_back(dump, layout, found)[0] == records


def test_a_count_in_the_record_says_its_length(tmp_path):
    text = """
       01  R.
           05  K PIC X(5).
           05  N PIC 9(2).
           05  T OCCURS 0 TO 20 TIMES DEPENDING ON N.
               10  A PIC 9(5).
"""
    rng = random.Random(5)
    records = []
    for _ in range(100):
        count = rng.randint(0, 20)
        records.append(
            ("KABCD" + f"{count:02d}" + "".join(f"{rng.randint(0, 99999):05d}" for _ in range(count))).encode("cp037")
        )
    dump, layout = tmp_path / "d.dat", layout_file(tmp_path, text)
    dump.write_bytes(b"".join(records))
    found = reader.diagnose_file(dump, layout=layout)
    assert found.best("framing").choice == Choice("length_field", {"field": "N", "expression": "7 + 5 * N"})
    assert read_back(dump, layout, found)[0] == records


KANA = ["ﾔﾏﾀﾞ", "ﾀﾛｳ", "ｻﾄｳ", "ﾊﾅｺ", "ｽｽﾞｷ", "ｲﾁﾛｳ", "ﾅｶﾑﾗ", "ﾖｼｺ", "ｺﾊﾞﾔｼ", "ｹﾝｼﾞ", "ｲﾉｳｴ", "ｱｹﾐ", "ﾜﾀﾅﾍﾞ", "ﾋﾛｼ"]
LATIN = [
    "yamada",
    "taro",
    "sato",
    "hanako",
    "suzuki",
    "ichiro",
    "nakamura",
    "yoshiko",
    "kobayashi",
    "kenji",
    "inoue",
    "akemi",
    "watanabe",
    "hiroshi",
]


@pytest.mark.parametrize("with_layout", [True, False])
@pytest.mark.parametrize(("ccsid", "words"), [("930", KANA), ("939", KANA), ("930", LATIN), ("939", LATIN)])
def test_kana_and_small_letters_tell_930_from_939(ccsid, words, with_layout, tmp_path):
    page = {"930": "cp290", "939": "cp1027"}[ccsid]
    from extractors.charsets._code_pages import code_page

    table = code_page(page)
    rng = random.Random(2)
    data = b""
    for number in range(200):
        name = " ".join(rng.sample(words, 2))[:20].ljust(20)
        data += bytes(table.index(c) for c in f"{number:08d}" + name) + b"\x0e\x45\x66\x45\x86\x0f" + b"\x40" * 6
    layout = layout_file(tmp_path, " 01 R. 05 ID PIC 9(8). 05 NM PIC X(20). 05 KJ PIC X(12).")
    dump = tmp_path / "d.dat"
    dump.write_bytes(data)
    found = reader.diagnose_file(dump, layout=layout if with_layout else None)
    assert found.best("charset").choice == Choice("ibm", {} if ccsid == "930" else {"ccsid": "939"})
    assert "939" not in found.best("charset").doubt


def test_what_cannot_be_told_is_said(tmp_path):
    records = [f"{n:08d}".encode("cp037") + b"\x0e\x45\x66\x45\x86\x0f" + b"\x40" * 6 for n in range(100)]
    layout = layout_file(tmp_path, " 01 R. 05 ID PIC 9(8). 05 KJ PIC X(12).")
    dump = tmp_path / "d.dat"
    dump.write_bytes(b"".join(records))
    found = reader.diagnose_file(dump, layout=layout)
    assert 'ccsid: "939"' in found.best("charset").doubt
    assert any("cannot be told from" in r and '"939"' in r for r in found.remarks)
    assert any(line.startswith('charset: "?"  # ibm or ') for line in found.lines)
    # The usual dialect needs no line; that the others read the layout alike is a remark.
    assert not any(line.startswith("dialect:") for line in found.lines)
    assert any("read this layout alike" in remark for remark in found.remarks)
    result = CliRunner().invoke(cli.app, ["diagnose", str(dump), "--layout", str(layout)])
    assert result.exit_code == 0
    assert 'charset: "?"  # ibm or ' in result.stdout


def test_the_byte_order_of_a_dialect_is_found(tmp_path):
    rng = random.Random(4)
    data = b"".join(f"{n:08d}".encode("cp037") + struct.pack("<h", rng.randint(0, 300)) * 2 for n in range(300))
    layout = layout_file(tmp_path, " 01 R. 05 ID PIC 9(8). 05 A PIC S9(4) COMP-5. 05 B PIC 9(4) COMP-5.")
    dump = tmp_path / "d.dat"
    dump.write_bytes(data)
    found = reader.diagnose_file(dump, layout=layout)
    assert found.best("framing").choice == Choice("fixed", {"length": "12"})
    assert found.best("dialect") is not None


def test_the_usual_dialect_is_that_of_the_charset_and_needs_no_line(tmp_path):
    # Fujitsu's COMP-5 is little-endian: the layout is read otherwise than IBM's, and neither is wrong here.
    data = b"".join(f"{n:08d}".encode("cp037") + bytes.fromhex("0E4566458640") + b"\1\1" for n in range(300))
    data = data.replace(b"\x0e", b"\x28").replace(b"\x45\x66\x45\x86\x40", b"\xb0\xa1\xb0\xa2\x29")
    layout = layout_file(tmp_path, " 01 R. 05 ID PIC 9(8). 05 KJ PIC X(6). 05 A PIC S9(4) COMP-5.")
    dump = tmp_path / "d.dat"
    dump.write_bytes(data)
    found = reader.diagnose_file(dump, layout=layout)
    assert found.best("charset").choice.name == "fujitsu"
    best = found.best("dialect")
    assert best.choice.name == "fujitsu"
    assert "ibm" in best.equals
    assert not any(line.startswith("dialect:") for line in found.lines)


@pytest.mark.parametrize("with_layout", [True, False])
@pytest.mark.parametrize("ending", ["crlf", "lf"])
@pytest.mark.parametrize("count", [1, 2, 5, 100])
def test_a_text_file_of_dos_is_lines_however_small_and_its_end_mark_a_trailer(count, ending, with_layout, tmp_path):
    end = b"\r\n" if ending == "crlf" else b"\n"
    dump = tmp_path / "d.dat"
    dump.write_bytes(b"".join(f"{n:05d}{'NAME':10}A".encode() + end for n in range(count)) + b"\x1a")
    layout = layout_file(tmp_path, " 01 R. 05 ID PIC 9(5). 05 NM PIC X(10). 05 KB PIC X.")
    found = reader.diagnose_file(dump, layout=layout if with_layout else None)
    assert found.best("framing").choice == Choice("lines", {"ending": ending})
    assert found.spoken.options == {"trailer": "1"}
    assert 'options: {trailer: "1"}' in found.lines
    assert any("X'1A'" in remark for remark in found.remarks)
    job = reader.make_job([dump], layout=layout, spoken=found.spoken, options={}, kinds=[])
    account, findings, _ = reader.decode(job, out=tmp_path / "out.jsonl", form="jsonl", findings=None)
    assert (account.records, account.left_over, findings) == (count, 0, 0)


def test_nothing_fits_says_what_was_tried(tmp_path):
    path = tmp_path / "noise"
    path.write_bytes(np.random.default_rng(1).integers(0, 256, 50_000, dtype=np.uint8).tobytes())
    found = reader.diagnose_file(path, layout=layout_file(tmp_path))
    assert found.best("framing") is None
    assert any(r.startswith("no framing fits; tried: ") and "a length by each whole number" in r for r in found.remarks)


@pytest.mark.parametrize(
    ("more", "said"),
    [(lambda r: r[0][:40], "cut short?"), (lambda r: b"\0" * 40, 'a trailer (options: {trailer: "40"})?')],
)
def test_bytes_left_over_are_told_apart(more, said, tmp_path):
    records = made_records(300, fixed=True)
    dump = tmp_path / "d.dat"
    dump.write_bytes(b"".join(records) + more(records))
    found = reader.diagnose_file(dump, layout=layout_file(tmp_path))
    assert found.best("framing").choice == Choice("fixed", {"length": "64"})
    assert any("40 bytes are left over" in r and r.endswith(said) for r in found.remarks)


def test_decode_answers_a_length_that_does_not_divide(tmp_path):
    dump, layout = tmp_path / "d.dat", layout_file(tmp_path)
    dump.write_bytes(each(RDW)(made_records(300)))
    arguments = ["decode", str(dump), "--layout", str(layout), "--charset", "ibm", "--out", str(tmp_path / "out.jsonl")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 1
    assert "bytes are left over after the last whole record" in result.stderr
    assert "diagnosis proposes, at" in result.stderr
    assert "framing: variable" in result.stderr


def test_a_large_dump_is_sampled(tmp_path):
    dump, layout = tmp_path / "d.dat", layout_file(tmp_path)
    block = b"".join(made_records(16_384, fixed=True))
    with dump.open("wb") as out:
        for _ in range(64):
            out.write(block)
        out.truncate(1 << 30)
    reader.diagnose_file(dump, layout=layout)
    found = reader.diagnose_file(dump, layout=layout)
    assert found.best("framing").choice == Choice("fixed", {"length": "64"})
    assert found.sampled < 8 << 20


BYTES = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from([b"\0", b"\x40", b"\xf0", b"\0\x08\0\0", b"\0\x0c\x01\0", b"\x0e\x45\x66\x0f", b"\x80\0\0\x14", b"\x15"]), max_size=200).map(b"".join),
    st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 300)).map(lambda pair: pair[0] * pair[1]),
)  # fmt: skip


@given(data=BYTES, with_layout=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_too_odd(data, with_layout, tmp_path):
    dump = tmp_path / "d.dat"
    dump.write_bytes(data)
    found = reader.diagnose_file(dump, layout=layout_file(tmp_path) if with_layout else None)
    assert all(0 <= p.strength <= 1 and p.evidence for p in found.proposals)
    assert [p.strength for p in found.proposals if p.family == "framing"] == sorted(
        (p.strength for p in found.proposals if p.family == "framing"), reverse=True
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda dump: dump, ""),
        (lambda dump: dump.decode("latin-1").encode("utf-8"), "saved as UTF-8"),
        (lambda dump: dump.decode("ascii", "replace").encode("utf-8"), "EF BF BD"),
        (lambda dump: dump.decode("cp037").encode("latin-1"), "translated as a whole (FTP in ASCII mode)"),
    ],
)
def test_a_transfer_that_took_the_dump_for_text_is_named(spoil, says, tmp_path):
    layout = tmp_path / "r.cpy"
    layout.write_text("01 R. 05 K PIC 9(4). 05 A PIC X(4). 05 P PIC S9(5) COMP-3.\n", encoding="utf-8")
    dump = b"".join(
        f"{37 * n:04}ABCD".encode("cp037") + bytes.fromhex(f"{7919 * n % 100000:05}{'CD'[n % 2]}") for n in range(80)
    )
    path = tmp_path / "r.dat"
    path.write_bytes(spoil(dump))
    remarks = [r for r in reader.diagnose_file(path, layout=layout).remarks if "ask for it again" in r]
    assert [r for r in remarks if not says or says not in r] == []
    assert len(remarks) == bool(says)


@pytest.mark.parametrize(
    "text", ["été à la plage, où l'élève préféré dîne " * 9, "住民の氏名と住所 " * 9, "plain " * 9]
)
def test_text_of_utf_8_is_no_damage(text, tmp_path):
    path = tmp_path / "r.dat"
    path.write_bytes(text.encode("utf-8"))
    assert not [r for r in reader.diagnose_file(path, layout=None).remarks if "ask for it again" in r]


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize("with_layout", [True, False])
@pytest.mark.parametrize(
    ("name", "framing", "charset"),
    [
        ("a_city_resident", Choice("fixed", {"length": "320"}), "fujitsu"),
        ("b_town_resident", Choice("blocked"), "hitachi"),
        ("c_village_resident", Choice("fixed", {"length": "256"}), "nec"),
        ("d_city_resident", Choice("fixed", {"length": "240"}), "ibm"),
    ],
)
def test_the_shared_dumps_are_found_out(name, framing, charset, with_layout):
    folder = SHARED / "dumps" / name
    found = reader.diagnose_file(folder / f"{name}.dat", layout=folder / f"{name}.cpy" if with_layout else None)
    assert found.best("framing").choice == framing
    assert found.best("charset").choice == Choice(charset)
    if with_layout:
        assert found.best("dialect").choice.name == charset
