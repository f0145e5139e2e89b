"""Every charset reads its codes as its cases say; every code reads as something; every assigned code is written back."""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import charsets, framings
from extractors.batches import extract
from extractors.character_counts import CodeCount, added
from extractors.charsets import CHARSETS
from extractors.charsets import _jis as jis
from extractors.charsets import _repertoire as repertoire
from extractors.charsets._character_tables import one_way
from extractors.charsets._code_pages import code_page, jis8_to_ebcdik
from extractors.charsets._policies import MS_SYMBOLS
from extractors.charsets.contract import REPLACEMENT, SECOND_PLANE, SINGLE, THIRD, CharacterClass, Charset, hexadecimal
from extractors.charsets.tables import derive_ibm
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Decoder
from extractors.kernels.memory import SLACK
from extractors.writing.encode import encode
from migration_reports.findings import SpecError
from tests.reading import SHARED, open_bytes

CASES = Path(__file__).parents[1] / "cases" / "charsets"
PROFILES = [
    pytest.param(family.name, dict(options), id=f"{family.name}: {title}")
    for family in CHARSETS
    for title, options in family.profiles.items()
]
GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the oracle is glibc's iconv")
JEF4J = SHARED / "peers" / "jef4j"
WRITTEN = [
    CharacterClass.STANDARD,
    CharacterClass.USER_DEFINED,
    CharacterClass.EXTENDED,
    CharacterClass.VARIANT,
    CharacterClass.DECIDED,
]


def cases():
    for charset in CHARSETS:
        for case in yaml.safe_load((CASES / f"{charset.name}.yaml").read_text("utf-8")):
            yield pytest.param(charset.name, case, id=f"{charset.name}: {case['name']}")


def read_field(charset: Charset, data: bytes, *, picture: str = "X") -> tuple[str, set[str]]:
    """One field of these bytes alone: its text and the codes of what was odd."""
    size = len(data) if picture == "X" else len(data) // 2
    layout = read_copybook(f"01 R. 05 A PIC {picture}({size}).", file="case.cpy")
    buffer = np.frombuffer(bytes(SLACK) + data + bytes(SLACK), np.uint8).copy()
    decoded = Decoder(layout.fields(), charset).decode(buffer, np.array([SLACK]))
    return decoded.columns[0][0].as_py(), {odd.code for odd in decoded.oddities if odd.code}


def write_field(charset: Charset, text: str, width: int, *, picture: str = "X") -> bytes:
    size = width if picture == "X" else width // 2
    layout = read_copybook(f"01 R. 05 A PIC {picture}({size}).", file="case.cpy")
    cells = encode(layout.fields(), {"A": pa.array([text])}, charset=charset, length=width, count=1)
    return cells[0].tobytes()


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_codes_read_as_the_case_says(name, case, tmp_path):
    options = dict(case.get("options", {}))
    for kind in ("table", "gaiji"):
        if kind in case:
            (tmp_path / f"{kind}.csv").write_text(case[kind], encoding="utf-8")
            options[kind] = f"{kind}.csv"
    if "problem" in case:
        with pytest.raises(SpecError) as caught:
            charsets.load(name, options, tmp_path)
        assert {p.code for p in caught.value.problems} == {case["problem"]}
        if "table" in case:
            assert all(p.position.file == "table.csv" and p.position.line >= 1 for p in caught.value.problems)
        return
    charset = charsets.load(name, options, tmp_path)
    if "bytes" in case:
        text, found = read_field(charset, bytes.fromhex(case["bytes"]), picture=case.get("picture", "X"))
        assert text == case["text"]
        assert found == set(case.get("findings", ()))
        if case.get("written"):
            data = write_field(charset, text, len(bytes.fromhex(case["bytes"])), picture=case.get("picture", "X"))
            assert data.hex() == str(case["written"]).replace(" ", "").lower()
        return
    single = "single" in case
    code = int(str(case["single"] if single else case["double"]), 16)
    expected = "".join(chr(int(word, 16)) for word in str(case["unicode"]).split())
    assert charset.text(code, single=single) == expected
    assert charset.kind(code, single=single).name == case.get("class", "STANDARD")


@pytest.mark.parametrize(("name", "options"), PROFILES)
def test_every_code_reads_as_a_character_or_as_undefined(name, options, tmp_path):
    charset = charsets.load(name, options, tmp_path)
    assert charset.single.shape == (256,)
    assert len(charset.double) == 0x110000 if charset.usage else len(charset.double) in (65536, 131072)
    for table in (charset.single, charset.double):
        undefined = table >> 24 == CharacterClass.UNDEFINED
        assert np.array_equal(undefined, table & 0xFFFFFF == REPLACEMENT)


@pytest.mark.parametrize(("name", "options"), PROFILES)
def test_every_assigned_code_is_decoded_and_written_back(name, options, tmp_path):
    """Through the kernels: each code in a field of its own, in double-byte mode, but for the charset's listed exceptions."""
    charset = charsets.load(name, options, tmp_path)
    if charset.usage:
        pytest.skip("a charset of Unicode has no table of codes; see the properties of its usage")
    exceptions = one_way(charset)
    for size, table in ((1, charset.single), (2, charset.double[:65536]), (3, charset.double[65536:])):
        codes = np.flatnonzero(np.isin(table >> 24, WRITTEN))
        if not len(codes):
            continue
        cells = np.stack([codes >> 8, codes & 0xFF], axis=1)[:, -min(size, 2) :].astype(np.uint8)
        if size == 3:
            cells = np.hstack([np.full((len(codes), 1), 0x8F, np.uint8), cells])
        shifts = [np.tile(np.frombuffer(s, np.uint8), (len(codes), 1)) for s in (charset.opening, charset.closing)]
        data = np.hstack([shifts[0], cells, shifts[1]]) if size > 1 and charset.opening else cells
        width = data.shape[1]
        layout = read_copybook(f"01 R. 05 A PIC X({width}).", file="all.cpy")
        around = np.zeros(SLACK, np.uint8)
        column = (
            Decoder(layout.fields(), charset)
            .decode(np.concatenate([around, data.reshape(-1), around]), SLACK + np.arange(len(codes)) * width)
            .columns[0]
        )
        points = [charset.character(int(entry) & 0xFFFFFF) for entry in table[codes]]
        blank = {" ", "\u3000", "  "}
        assert [t for t in column.to_pylist() if t] == [t for t in points if t not in blank]
        kept = pa.array([t if t not in blank else None for t in points], pa.string())
        again = encode(layout.fields(), {"A": kept}, charset=charset, length=width, count=len(codes))
        for row, code in enumerate(codes.tolist()):
            index = code + (SECOND_PLANE if size == 3 else 0)
            if points[row] in blank or (size > 1 and index in exceptions):
                continue
            same = again[row].tobytes() == data[row].tobytes()
            if not same:
                # A character that has a single-byte code, too, is written as that where no text is around it.
                alone = charset.single[again[row][0]]
                assert size > 1, f"{code:02X}"
                assert charset.character(int(alone) & 0xFFFFFF) == points[row], f"{code:04X}"


@pytest.mark.parametrize(("name", "options"), PROFILES)
def test_the_exceptions_are_codes_of_one_character(name, options, tmp_path):
    charset = charsets.load(name, options, tmp_path)
    for code, written in one_way(charset).items():
        assert code != written
        entries = charset.double[[code, written]] & 0xFFFFFF
        assert entries[0] == entries[1]


def test_the_exceptions_of_each_vendor_are_those_that_its_page_lists(tmp_path):
    def listed(name, **options):
        return {f"{code:04X}" for code in one_way(charsets.load(name, options, tmp_path))}

    variants = {line[:4] for line in _table("jef_variants.txt")}
    assert listed("fujitsu") == {"A1A1"} | variants
    assert listed("hitachi") == listed("hitachi", edition="keis90") == {"A1A1"}
    assert listed("hitachi", edition="keis78") == {"A1A1", *(f"{0xAFA3 + 3 * n:04X}" for n in range(12))}
    assert listed("nec") == listed("nec", form="jips_j") == set()
    assert all(listed("ibm", ccsid=ccsid) == set() for ccsid in ("930", "939", "1390", "1399", "5026", "5035"))


def _table(name):
    text = (Path(charsets.__file__).parent / "tables" / name).read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_an_unknown_charset_names_what_is_known(tmp_path):
    with pytest.raises(SpecError, match=r"`fujitsu`, `hitachi`, `ibm`[\s\S]*did you mean `fujitsu`"):
        charsets.load("fujitu", {}, tmp_path)


def test_an_unknown_option_is_refused(tmp_path):
    with pytest.raises(SpecError, match="unknown option of charset fujitsu"):
        charsets.load("fujitsu", {"tables": "x"}, tmp_path)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("ibm", {"ccsid": "932", "single": "x", "user_defined": "0041", "kana": "wide", "tabel": "x"},
         ["tabel", "ccsid", "single", "user_defined", "kana"]),
        ("jis_8080", {"opening": "SO", "edition": "1985", "user_area": "FE..F5", "controls": "no"},
         ["opening", "closing", "single", "edition", "user_area", "controls"]),
        ("single_byte", {"page": "x", "repertoire": "no such file"}, ["page", "repertoire"]),
        ("utf_16", {"order": "middle", "symbols": "x", "wide_spaces": "x"}, ["order", "symbols", "wide_spaces"]),
    ],
)  # fmt: skip
def test_every_problem_of_a_charsets_options_is_told_at_once(name, options, words, tmp_path):
    with pytest.raises(SpecError) as caught:
        charsets.load(name, options, tmp_path)
    said = [problem.message for problem in caught.value.problems]
    assert len(said) == len(words)
    assert all(any(word in message for message in said) for word in words), said


def test_a_file_is_not_judged_against_codes_that_a_refused_option_leaves_open(tmp_path):
    (tmp_path / "g.csv").write_text("code,decision,text,reason,decided_by\nF5A1,private,,same,T\n", "utf-8")
    options = {"gaiji": "g.csv", "opening": "0E", "closing": "0F", "single": "cp290"}
    with pytest.raises(SpecError) as caught:
        charsets.load("jis_8080", {**options, "user_area": "F5-F6"}, tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["L904"]
    with pytest.raises(SpecError) as caught:
        charsets.load("jis_8080", options, tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["L931"]


# Oracles that are not ours.


@GLIBC
@pytest.mark.parametrize(
    ("ccsid", "codec"), [("930", "IBM930"), ("939", "IBM939"), ("1390", "IBM1390"), ("1399", "IBM1399")]
)
def test_ibm_agrees_with_iconv_over_all_codes(ccsid, codec, tmp_path):
    """All 65,536 pairs and 256 bytes, but for what the charset's page explains."""
    decode = derive_ibm.decoder(codec)
    if decode is None:
        pytest.skip(f"this glibc has no {codec} (its gconv modules are not installed)")
    charset = charsets.load("ibm", {"ccsid": ccsid}, tmp_path)
    differences = [
        f"{code:04X}"
        for code in (high << 8 | low for high in range(0x40, 0x100) for low in range(0x40, 0x100))
        if charset.text(code) != decode(bytes((0x0E, code >> 8, code & 0xFF, 0x0F)))
    ]
    assert differences == ["424A", "425F", "434A"]
    assert all(code in charsets.ibm.__doc__ for code in differences)
    plain = charsets.load("ibm", {"ccsid": ccsid, "symbols": "ms"}, tmp_path)
    assert all(plain.text(int(code, 16)) == decode(bytes.fromhex(f"0E{code}0F")) for code in differences)
    assert (charset.double[:0x4040] >> 24 != CharacterClass.STANDARD).all()
    different = {}
    for byte in sorted(set(range(1, 256)) - {0x0E, 0x0F}):
        text = decode(bytes((byte,)))
        if text != charset.text(byte, single=True):
            different[byte] = (text, charset.kind(byte, single=True))
    assert all(pair == ("\x1a", CharacterClass.UNDEFINED) for pair in different.values())
    assert len(different) == (27 if ccsid in ("1390", "1399") else 0)


@GLIBC
@pytest.mark.parametrize(
    ("name", "options", "codec", "explained"),
    [
        ("euc_jp", {}, "EUC-JP", {"A1BD", "8FA2B7"}),
        ("shift_jis", {"variant": "jis_x_0213"}, "SHIFT_JISX0213", {"815F", "81B0", "81D4", "81D5"}),
        ("euc_jp", {"variant": "jis_x_0213"}, "EUC-JISX0213", {"A2B2", "A2D6", "A2D7"}),
    ],
)
def test_the_jis_charsets_agree_with_iconv(name, options, codec, explained, tmp_path):
    """Nothing differs but what the charset's page explains."""
    decode = derive_ibm.decoder(codec)
    if decode is None:
        pytest.skip(f"this glibc has no {codec} (its gconv modules are not installed)")
    charset = charsets.load(name, options, tmp_path)
    differences = set()
    for index in range(len(charset.double)):
        code = index & 0xFFFF
        third = index >= SECOND_PLANE
        lead = charset.leads.get(0x8F if third else code >> 8, 0)
        if lead != (3 if third else 2) or (
            third and not (code >> 8 in range(0xA1, 0xFF) and code & 0xFF in range(0xA1, 0xFF))
        ):
            continue
        data = (b"\x8f" if third else b"") + bytes((code >> 8, code & 0xFF))
        expected = decode(data)
        # A trail byte that iconv reads on its own (81 20) is no pair; ours is undefined there.
        if len(expected) == 2 and expected[1].isascii():
            expected = chr(REPLACEMENT)
        if charset.text(index - SECOND_PLANE + THIRD if third else code) != expected:
            differences.add(("8F" if third else "") + f"{code:04X}")
    assert differences == explained
    assert all(code in sys.modules[f"extractors.charsets.{name}"].__doc__ for code in explained)


@pytest.mark.shared
@pytest.mark.skipif(not JEF4J.is_dir(), reason="the peers' tables are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "options", "file", "vendor"),
    [
        ("fujitsu", {}, "fujitsu_jef", "JEF"),
        ("fujitsu", {"forms": "face"}, "fujitsu_jef", "JEF"),
        ("hitachi", {"edition": "keis78"}, "hitachi_keis78", "KEIS78"),
        # That table has the two characters of 1990, too.
        ("hitachi", {"edition": "keis90"}, "hitachi_keis83", "KEIS83"),
    ],
)
def test_standard_areas_differ_from_the_open_tables_only_where_they_say_so(name, options, file, vendor, tmp_path):
    charset = charsets.load(name, options, tmp_path)
    rows = json.loads((JEF4J / f"{file}_mapping.json").read_text("utf-8"))
    exceptions = json.loads((SHARED / "facts" / "std_area_exceptions.json").read_text("utf-8"))[vendor]
    allowed = {"A1BD", "A1C1", "A1C2", "A1DD", "A1F1", "A1F2", "A2CC"}
    if vendor == "JEF":
        # One code point for a kanji and its compatibility ideograph: the table has the latter.
        allowed |= {"B4DC", "B7C3", "C2F6", "C4CD", "C8CB", "D6A5", "E5D6"}
        allowed |= set() if options else set(exceptions["jef4j_only"])
    seen = set()
    for row in rows:
        code = int(row["code"], 16)
        if code < 0xA1A1 or "encode_only" in row["options"] or "_" in row["unicode"]:
            continue
        seen.add(code)
        if charset.text(code) != chr(int(row["unicode"], 16)):
            assert row["code"] in allowed, row["code"]
    assigned = {int(c) for c in np.nonzero(charset.double >> 24 == CharacterClass.STANDARD)[0] if c >= 0xA1A1}
    assert assigned == seen


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "facts").is_dir(), reason="the facts are not beside this checkout")
@pytest.mark.parametrize(
    ("vendor", "name", "options", "offset", "count"),
    [
        ("JEF", "fujitsu", {}, 0, 53),
        ("KEIS78", "hitachi", {"edition": "keis78"}, 0, 46),
        ("KEIS83", "hitachi", {}, 0, 0),
        ("KEIS83", "hitachi", {"edition": "keis90"}, 0, 0),
        ("JIPSJ", "nec", {"form": "jips_j"}, 0x8080, 47),
    ],
)
def test_the_exceptions_of_the_standard_area_are_those_on_which_two_tables_agree(
    vendor, name, options, offset, count, tmp_path
):
    charset = charsets.load(name, options, tmp_path)
    agreed = json.loads((SHARED / "facts" / "std_area_exceptions.json").read_text("utf-8"))[vendor]["agreed"]
    base = {code + 0x8080 - offset: text for code, text in jis.x0208().items()}
    differs = {
        code: charset.text(code)
        for code, text in base.items()
        if charset.kind(code) == CharacterClass.STANDARD and charset.text(code) != text
    }
    differs.pop(0xA1A1 - offset, None)
    # Later symbols in rows that were NEC's or Hitachi's own are additions, not exceptions.
    differs = {code: text for code, text in differs.items() if not 0x2900 <= code + offset - 0x8080 < 0x3000}
    assert differs == {int(code, 16): pair[1] for code, pair in agreed.items()}
    assert len(differs) == count


def test_jips_e_is_jips_j_byte_by_byte(tmp_path):
    j, e = (charsets.load("nec", {"form": form}, tmp_path) for form in ("jips_j", "jips_e"))
    to_e = np.array(jis8_to_ebcdik())
    assert sorted(to_e.tolist()) == list(range(256))
    codes = np.arange(65536)
    assert np.array_equal(e.double[to_e[codes >> 8] << 8 | to_e[codes & 0xFF]], j.double)
    assert (e.opening, e.closing) == (b"\x3f\x75", b"\x3f\x76")
    assert (j.opening, j.closing) == (b"\x1a\x70", b"\x1a\x71")


def test_kana_stand_at_the_same_bytes_in_all_kana_pages():
    pages = [code_page(name) for name in ("cp290", "fujitsu_ebcdik", "hitachi_ebcdik", "nec_ebcdik")]
    places = [[page.index(chr(point)) for point in range(0xFF61, 0xFFA0)] for page in pages]
    assert all(place == places[0] for place in places)


def test_the_makers_pages_have_no_character_twice():
    for name in ("fujitsu_ebcdic", "fujitsu_ebcdik", "fujitsu_ascii", "hitachi_ebcdic", "hitachi_ebcdik", "nec_ebcdik"):
        text = code_page(name).replace("\ufffd", "")
        assert len(set(text)) == len(text), name


# Codes that are told of.


def told(charset: Charset, data: bytes, width: int, *, picture: str = "X", batch_records: int = 2):
    """The code, area, count, records and places of what was met in records of one field, and the findings' codes."""
    layout = read_copybook(f"01 R. 05 A PIC {picture}({width if picture == 'X' else width // 2}).", file="case.cpy")
    extraction = extract(
        open_bytes(data), name="d", layout=layout, framing=framings.load("fixed", {}, layout), charset=charset,
        batch_records=batch_records,
    )  # fmt: skip
    met: dict[tuple[str, str], CodeCount] = {}
    details: list[str] = []
    for part in extraction:
        details += [text for text in part.findings.column("detail").to_pylist() if text]
        for one in part.characters:
            key = (hexadecimal(one.code), one.area)
            met[key] = added(met[key], one) if key in met else one
    return {key: (one.count, one.records, [[*place] for place in one.places]) for key, one in met.items()}, details


def test_a_pair_below_0100_is_told_from_a_single_byte(tmp_path):
    charset = charsets.load("fujitsu", {}, tmp_path)
    met, details = told(charset, bytes.fromhex("28 b0a1 0041 00fa 29 fa"), 9)
    assert details == ["0041 00FA FA"]
    assert set(met) == {("0041", "undefined"), ("00FA", "undefined"), ("FA", "undefined")}
    assert charset.text(SINGLE + 0x41) == "｡"


def test_a_finding_names_each_code_once_in_their_order_and_no_more_than_four(tmp_path):
    charset = charsets.load("fujitsu", {}, tmp_path)
    codes = ["83A1", "81A1", "83A1", "82A1", "80A1", "86A1", "85A1"]
    _, details = told(charset, bytes.fromhex("".join(codes)), 14, picture="N")
    assert details == ["80A1 81A1 82A1 83A1 and 2 more"]
    _, details = told(charset, bytes.fromhex("".join(codes[:5]) + "a1a1" * 2), 14, picture="N")
    assert details == ["80A1 81A1 82A1 83A1"]


def test_the_first_places_of_a_code_are_distinct_and_in_order(tmp_path):
    charset = charsets.load("fujitsu", {}, tmp_path)
    data = bytes.fromhex("80a1 80a1 b0a1") * 7
    for size in (1, 3, 100):
        met, _ = told(charset, data, 6, picture="N", batch_records=size)
        assert met == {("80A1", "user-defined"): (14, 7, [[n + 1, 6 * n] for n in range(5)])}


@pytest.mark.parametrize(("name", "code"), [("nec", None), ("euc_jp", 0x8EB1)])
def test_half_width_kana_of_pairs_follow_the_policy_too(name, code, tmp_path):
    plain, wide = (charsets.load(name, {"kana": kana}, tmp_path) for kana in ("kept", "widened"))
    code = code or int(np.flatnonzero(plain.double & 0xFFFFFF == ord("ｱ"))[0])
    assert (plain.text(code), wide.text(code)) == ("ｱ", "ア")


def test_the_codes_of_unicode_are_its_scalars_whatever_they_read_as(tmp_path):
    (tmp_path / "g.csv").write_text(
        "code,decision,text,reason,decided_by\nE000,character,高,same,T\n", encoding="utf-8"
    )
    options = {"repertoire": "jis_x_0208", "gaiji": "g.csv"}
    text = "髙\ue000𠮷\ue001\ufffe"
    for name, codec, order, lost in (
        ("utf_8", "utf-8", {}, ["FFFE", "FFFD"]),
        ("utf_16", "utf-16-le", {"order": "little"}, ["FFFE"]),
    ):
        data = text.encode(codec) + (b"\xff" if name == "utf_8" else b"")
        met, details = told(charsets.load(name, {**options, **order}, tmp_path), data, len(data))
        assert dict(met.keys()) == {
            "9AD9": "extended", "20BB7": "extended", "E000": "decided", "E001": "user-defined",
            **dict.fromkeys(lost, "undefined"),
        }  # fmt: skip
        assert sorted(details) == sorted([" ".join(sorted(lost)), "E001", "9AD9 20BB7"])


def test_a_scalar_among_the_codes_of_another_charset_is_told_as_one(tmp_path):
    charset = charsets.load("ibm", {}, tmp_path)
    layout = read_copybook("01 R. 05 A PIC N(3) NATIONAL.", file="case.cpy")
    data = "漢\U000f0000".encode("utf-16-be")
    parts = list(
        extract(open_bytes(data), name="d", layout=layout, framing=framings.load("fixed", {}, layout), charset=charset)
    )
    codes = [met.code for part in parts for met in part.characters]
    assert [hexadecimal(code) for code in codes] == ["U+F0000"]
    assert charset.text(codes[0]) == "\U000f0000"


# Policies.


@pytest.mark.parametrize(("name", "options"), PROFILES)
@pytest.mark.parametrize("profile", ["jis", "ms"])
def test_symbols_are_of_one_profile_in_every_charset(profile, name, options, tmp_path):
    if name == "single_byte":
        pytest.skip("its pages have no pairs")
    charset = charsets.load(name, {**options, "symbols": profile}, tmp_path)
    points = set((charset.double & 0xFFFFFF).tolist())
    for pair in MS_SYMBOLS.items():
        met = points.intersection(pair)
        assert len(met) == 2 or met <= {pair[profile == "ms"]}


def test_a_symbol_counts_in_the_repertoire_under_both_its_names(tmp_path):
    def beyond(**options):
        return charsets.load("fujitsu", {**options, "repertoire": "jis_x_0208"}, tmp_path).notes

    assert beyond() == beyond(symbols="ms")
    windows = charsets.load("shift_jis", {"repertoire": "jis_x_0208"}, tmp_path)
    assert [windows.kind(code).name for code in (0x8191, 0x8192, 0x81CA)] == ["STANDARD"] * 3


def test_a_table_files_symbol_stays_and_does_not_switch_the_profile_off(tmp_path):
    (tmp_path / "t.csv").write_text("41A1,FF5E\n", encoding="utf-8")
    ms = charsets.load("fujitsu", {"symbols": "ms", "table": "t.csv"}, tmp_path)
    usual = charsets.load("fujitsu", {"table": "t.csv"}, tmp_path)
    assert (ms.text(0xA1C1), ms.text(0x41A1)) == ("\uff5e", "\uff5e")
    assert (usual.text(0xA1C1), usual.text(0x41A1)) == ("\u301c", "\uff5e")


def test_symbols_follow_the_profile(tmp_path):
    for name, codes in (("hitachi", (0xA1C1, 0xA1DD, 0xA1C2, 0xA1BD)), ("ibm", (0x43A1, 0x4260, 0x447C, 0x444A))):
        jis_, ms = (charsets.load(name, {"symbols": profile}, tmp_path) for profile in ("jis", "ms"))
        assert "".join(map(jis_.text, codes)) == "\u301c\u2212\u2016\u2014"
        assert "".join(map(ms.text, codes)) == "\uff5e\uff0d\u2225\u2015"
    wide = charsets.load("ibm", {"ccsid": "1390", "symbols": "ms"}, tmp_path)
    assert (wide.text(0x43A1), wide.text(0xE9F4)) == ("\u301c", "\uff5e")


def test_the_jis_profile_shows_every_policy_and_what_a_user_area_may_be(tmp_path):
    given = {
        "opening": "0E",
        "closing": "0F",
        "single": "cp290",
        "edition": "1978",
        "space": "4040",
        "user_area": "F5..FE",
    }
    charset = charsets.load("jis_8080", given, tmp_path)
    assert given.items() <= charset.policies.items()
    with pytest.raises(SpecError, match="rows of 41 to A0, A9 to AF, F5 to FE"):
        charsets.load("jis_8080", given | {"edition": "1983", "user_area": "B0..BF"}, tmp_path)


@pytest.mark.parametrize(("name", "options"), PROFILES)
def test_every_policy_in_force_is_shown(name, options, tmp_path):
    """The report prints `policies`: each option of the charset, but for the files that were not given."""
    family = next(family for family in CHARSETS if family.name == name)
    charset = charsets.load(name, options, tmp_path)
    base = set() if (charset.double >> 24 == CharacterClass.USER_DEFINED).any() else {"user_defined"}
    assert set(family.options) - set(charset.policies) <= {"table", "gaiji", "mj"} | base


def test_the_private_use_base_is_the_sites_own(tmp_path):
    assert charsets.load("fujitsu", {"user_defined": "E92E"}, tmp_path).text(0x80A1) == "\ue92e"
    assert charsets.load("fujitsu", {"user_defined": "F0000"}, tmp_path).text(0xA0FE) == chr(0xF0000 + 33 * 94 - 1)
    with pytest.raises(SpecError, match="not in a private use area"):
        charsets.load("fujitsu", {"user_defined": "F000"}, tmp_path)


@pytest.mark.parametrize(
    ("policy", "text"), [("kept", "ｶﾞｯｺｳ ｱﾞ"), ("widened", "カ゛ッコウ ア゛"), ("composed", "ガッコウ ア゛")]
)
def test_half_width_kana_follow_the_policy(policy, text, tmp_path):
    charset = charsets.load("hitachi", {"kana": policy}, tmp_path)
    data = write_field(charsets.load("hitachi", {}, tmp_path), "ｶﾞｯｺｳ ｱﾞ", 10)
    assert read_field(charset, data) == (text, set())


def test_wide_spaces_are_trimmed_or_kept(tmp_path):
    data = bytes.fromhex("0a42 b4c1 4040 0a41 40")
    assert read_field(charsets.load("hitachi", {}, tmp_path), data)[0] == "漢"
    assert read_field(charsets.load("hitachi", {"wide_spaces": "kept"}, tmp_path), data)[0] == "漢\u3000"


def test_control_characters_are_findings_under_either_policy(tmp_path):
    data = bytes.fromhex("c1 05 c2")
    assert read_field(charsets.load("ibm", {}, tmp_path), data) == ("A\tB", {"D216"})
    assert read_field(charsets.load("ibm", {"controls": "space"}, tmp_path), data) == ("A B", {"D216"})


def test_selectors_are_kept_or_dropped_and_the_merger_is_counted(tmp_path):
    (tmp_path / "t.csv").write_text("code,unicode,ivs\n41A1,8FBB,E0101\n41A2,8FBB,E0102\n", encoding="utf-8")
    kept = charsets.load("fujitsu", {"table": "t.csv"}, tmp_path)
    assert [kept.text(code) for code in (0x41A1, 0x41A2)] == ["\u8fbb\U000e0101", "\u8fbb\U000e0102"]
    assert kept.notes == ()
    dropped = charsets.load("fujitsu", {"table": "t.csv", "selectors": "drop"}, tmp_path)
    assert [dropped.text(code) for code in (0x41A1, 0x41A2)] == ["\u8fbb", "\u8fbb"]
    assert dropped.notes == (
        "2 characters merge with another one, for the variation selectors of table files are dropped",
    )
    (tmp_path / "t.csv").write_text("41A1,8FBB\n41A2,4E08,E0103\n41A3,4E08,E0104\n41A4,9AD9\n", encoding="utf-8")
    both = charsets.load("fujitsu", {"table": "t.csv", "selectors": "drop"}, tmp_path)
    assert [note.split()[0] for note in both.notes] == ["1", "2"]


def test_what_the_target_cannot_hold_is_extended_and_counted(tmp_path):
    """930 has 388 kanji and symbols that JIS X 0208 does not; all of 0208's own stay as they are."""
    plain = charsets.load("ibm", {}, tmp_path)
    limited = charsets.load("ibm", {"repertoire": "jis_x_0208"}, tmp_path)
    code = next(c for c in range(0x4141, 0x6900) if plain.text(c) == "髙")
    assert plain.kind(code) == CharacterClass.STANDARD
    assert limited.kind(code) == CharacterClass.EXTENDED
    assert limited.text(code) == "髙"
    assert read_field(limited, bytes((0x0E, code >> 8, code & 0xFF, 0x0F))) == ("髙", {"D222"})
    assert limited.kind(0x4F58) == CharacterClass.STANDARD
    beyond = {plain.text(int(c)) for c in np.flatnonzero(plain.double != limited.double)}
    assert not beyond & set(jis.x0208().values())
    single = np.flatnonzero(plain.single != limited.single)
    assert limited.notes == (
        f"{len(beyond) + len(single):,} of the codes that are assigned read as a character beyond the repertoire jis_x_0208",
    )
    wide = charsets.load("ibm", {"repertoire": "jis_x_0213"}, tmp_path)
    other = next(c for c in range(0x4141, 0x6900) if plain.text(c) == "﨑")
    assert [made.kind(other) for made in (limited, wide)] == [CharacterClass.EXTENDED, CharacterClass.STANDARD]


def test_a_repertoire_may_be_a_file(tmp_path):
    (tmp_path / "r.txt").write_text("# ours\n漢\n", encoding="utf-8")
    charset = charsets.load("hitachi", {"repertoire": "r.txt"}, tmp_path)
    assert charset.kind(0xB4C1) == CharacterClass.STANDARD
    assert charset.kind(0xBBFA) == CharacterClass.EXTENDED
    with pytest.raises(SpecError, match="no repertoire that is known"):
        charsets.load("hitachi", {"repertoire": "unicode"}, tmp_path)


def test_a_repertoire_file_names_characters_as_themselves_or_by_code_point(tmp_path):
    (tmp_path / "r.txt").write_text("漢\nU+5B57\n4E9C\nU+304B U+309A\n辻\U000e0101\n\ue000\n", encoding="utf-8")
    held = repertoire.read("r.txt", tmp_path, {}) - repertoire.ALWAYS
    assert held == {"漢", "字", "亜", "か゚", "辻\U000e0101", "\ue000"}
    (tmp_path / "r.txt").write_text("漢\nzzz\nU+D800\n漢字\nU+5B57 字\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        charsets.load("hitachi", {"repertoire": "r.txt"}, tmp_path)
    assert [(p.code, p.position.line) for p in caught.value.problems] == [("L902", n) for n in (2, 3, 4, 5)]
    (tmp_path / "r.txt").write_text("# none yet\n", encoding="utf-8")
    with pytest.raises(SpecError, match="holds no character"):
        charsets.load("hitachi", {"repertoire": "r.txt"}, tmp_path)


def test_single_bytes_beyond_the_repertoire_are_findings_too(tmp_path):
    jef = charsets.load("fujitsu", {"repertoire": "jis_x_0208"}, tmp_path)
    assert read_field(jef, bytes.fromhex("c16a c2")) == ("A¦B", {"D222"})
    page = charsets.load("single_byte", {"repertoire": "jis_x_0208"}, tmp_path)
    assert read_field(page, bytes.fromhex("51")) == ("é", {"D222"})
    ibm = charsets.load("ibm", {"repertoire": "jis_x_0208"}, tmp_path)
    assert read_field(ibm, bytes.fromhex("5b f1 a1 81")) == ("¥1‾ｱ", set())


def test_two_spaces_for_4040_are_no_character_beyond_the_repertoire(tmp_path):
    keis = charsets.load("hitachi", {"space_4040": "two_spaces", "repertoire": "jis_x_0208"}, tmp_path)
    assert read_field(keis, bytes.fromhex("b4c1 4040 bbfa"), picture="N") == ("漢  字", set())


def test_a_sequence_is_written_as_its_own_code(tmp_path):
    charset = charsets.load("ibm", {"ccsid": "1390"}, tmp_path)
    data = bytes.fromhex("0e ecb5 4481 0f")
    text, found = read_field(charset, data)
    assert (text, found) == ("か゚あ", set())
    assert write_field(charset, text, 6) == data
    assert write_field(charset, "か", 4) == bytes.fromhex("0e 4486 0f")


# Properties.


@settings(deadline=None, max_examples=150)
@given(data=st.binary(min_size=2, max_size=24), name=st.sampled_from([c.name for c in CHARSETS]), wide=st.booleans())
def test_any_bytes_decode_to_a_text_that_says_what_is_odd(data, name, wide):
    options = {"opening": "0E", "closing": "0F", "single": "cp290"} if name == "jis_8080" else {}
    charset = _cached(name, tuple(options.items()))
    text, found = read_field(charset, data[: len(data) // 2 * 2], picture="N" if wide else "X")
    if "\ufffd" in text:
        assert found & {"D211", "D213"}


@settings(deadline=None, max_examples=100)
@given(
    data=st.data(),
    name=st.sampled_from(["fujitsu", "hitachi", "ibm", "nec", "unisys", "iso_2022_jp", "shift_jis", "euc_jp"]),
)
def test_any_text_of_the_charset_survives_being_written_and_read(data, name):
    charset = _cached(name, ())
    singles = [charset.text(int(b), single=True) for b in np.flatnonzero(charset.single >> 24 == 0)]
    codes = np.flatnonzero(np.isin(charset.double >> 24, [CharacterClass.STANDARD, CharacterClass.USER_DEFINED]))
    doubles = [charset.character(int(charset.double[c]) & 0xFFFFFF) for c in codes]
    characters = st.one_of(st.sampled_from(singles), st.sampled_from(doubles))
    text = data.draw(st.text(alphabet=characters, max_size=12)).rstrip(" \u3000")
    read, found = read_field(charset, write_field(charset, text, 120))
    assert read == text
    assert found <= {"D221"}


_LOADED: dict[tuple, Charset] = {}


def _cached(name, options):
    return _LOADED.setdefault((name, options), charsets.load(name, dict(options), Path()))


def test_a_charset_is_one_object_and_frozen(tmp_path):
    charset = charsets.load("ibm", {}, tmp_path)
    with pytest.raises(dataclasses.FrozenInstanceError):
        charset.name = "other"  # type: ignore[misc]
