"""Every charset reads its codes as its cases say; every code reads as something; every assigned code is written back."""

from __future__ import annotations

import ctypes
import json
import platform
from pathlib import Path

import numpy as np
import pytest
import yaml

from extractors import charsets
from extractors.characters import REPLACEMENT, CharacterClass, encode_table
from extractors.charsets import CHARSETS
from extractors.charsets.tables import derive_ibm300
from migration_reports.findings import SpecError
from tests.reading import SHARED

CASES = Path(__file__).parents[1] / "cases" / "charsets"


def cases():
    for charset in CHARSETS:
        for case in yaml.safe_load((CASES / f"{charset.name}.yaml").read_text("utf-8")):
            yield pytest.param(charset.name, case, id=f"{charset.name}: {case['name']}")


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_codes_read_as_the_case_says(name, case, tmp_path):
    options = dict(case.get("options", {}))
    if "table" in case:
        (tmp_path / "table.csv").write_text(case["table"], encoding="utf-8")
        options = {"table": "table.csv"}
    if "problem" in case:
        with pytest.raises(SpecError) as caught:
            charsets.load(name, options, tmp_path)
        assert {p.code for p in caught.value.problems} == {case["problem"]}
        if "table" in case:
            assert all(p.position.file == "table.csv" and p.position.line >= 1 for p in caught.value.problems)
        return
    charset = charsets.load(name, options, tmp_path)
    table, code = ("double", case["double"]) if "double" in case else ("single", case["single"])
    entry = int(getattr(charset, table)[int(str(code), 16)])
    assert f"{entry & 0xFFFFFF:04X}" == str(case["unicode"]).upper()
    assert CharacterClass(entry >> 24).name == case.get("class", "STANDARD")


@pytest.mark.parametrize("name", [c.name for c in CHARSETS])
def test_every_code_reads_as_a_character_or_as_undefined(name, tmp_path):
    charset = charsets.load(name, {}, tmp_path)
    assert charset.single.shape == (256,)
    assert charset.double.shape == (65536,)
    for table in (charset.single, charset.double):
        undefined = table >> 24 == CharacterClass.UNDEFINED
        assert np.array_equal(undefined, table & 0xFFFFFF == REPLACEMENT)


@pytest.mark.parametrize("name", [c.name for c in CHARSETS])
def test_every_assigned_code_is_written_as_itself_or_as_another_code_of_the_same_character(name, tmp_path):
    charset = charsets.load(name, {}, tmp_path)
    table = encode_table(charset)
    written = (CharacterClass.STANDARD, CharacterClass.USER_DEFINED)
    codes = np.nonzero(np.isin(charset.double >> 24, written))[0]
    points = charset.double[codes] & 0xFFFFFF
    entries = table[points]
    assert (entries >> 24 > 0).all()
    doubles = entries >> 24 == 2
    again = charset.double[entries[doubles] & 0xFFFF] & 0xFFFFFF
    assert np.array_equal(again, points[doubles])
    others = codes[doubles][entries[doubles] & 0xFFFF != codes[doubles]]
    assert {f"{c:04X}" for c in others} == {"fujitsu": {"A1A1"}}.get(name, set())


def test_an_unknown_charset_names_what_is_known(tmp_path):
    with pytest.raises(SpecError, match=r"fujitsu, ibm[\s\S]*did you mean `fujitsu`"):
        charsets.load("fujitu", {}, tmp_path)


def test_an_unknown_option_is_refused(tmp_path):
    with pytest.raises(SpecError, match="unknown option of charset fujitsu"):
        charsets.load("fujitsu", {"tables": "x"}, tmp_path)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the oracle is glibc's iconv")
def test_ibm_agrees_with_iconv_over_all_double_byte_codes(tmp_path):
    charset = charsets.load("ibm", {}, tmp_path)
    library = ctypes.CDLL(None)
    library.iconv_open.restype = ctypes.c_void_p
    library.iconv_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    library.iconv.restype = ctypes.c_ssize_t
    library.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
    descriptor = library.iconv_open(b"UTF-8", b"IBM930")
    if descriptor in (None, ctypes.c_void_p(-1).value):
        pytest.skip("this glibc has no IBM930 (its gconv modules are not installed)")
    differences = [
        f"{code:04X}"
        for code in (high << 8 | low for high in range(0x40, 0x100) for low in range(0x40, 0x100))
        if chr(int(charset.double[code]) & 0xFFFFFF) != derive_ibm300.decode_pair(library, descriptor, code)
    ]
    assert differences == []


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "peers" / "jef4j").is_dir(), reason="the peers' tables are not beside this checkout")
def test_jef_differs_from_the_open_table_only_where_it_says_so(tmp_path):
    charset = charsets.load("fujitsu", {}, tmp_path)
    rows = json.loads((SHARED / "peers" / "jef4j" / "fujitsu_jef_mapping.json").read_text("utf-8"))
    exceptions = json.loads((SHARED / "facts" / "std_area_exceptions.json").read_text("utf-8"))["JEF"]
    windows = {"A1BD", "A1C1", "A1C2", "A1DD", "A1F1", "A1F2", "A2CC"}
    compatibility = {"B4DC", "B7C3", "C2F6", "C4CD", "C8CB", "D6A5", "E5D6"}
    allowed = set(exceptions["jef4j_only"]) | windows | compatibility
    seen = set()
    for row in rows:
        code = int(row["code"], 16)
        if code < 0xA1A1 or "encode_only" in row["options"] or "_" in row["unicode"]:
            continue
        seen.add(code)
        if int(charset.double[code]) & 0xFFFFFF != int(row["unicode"], 16):
            assert row["code"] in allowed, row["code"]
    assigned = {int(c) for c in np.nonzero(charset.double >> 24 == CharacterClass.STANDARD)[0] if c >= 0xA1A1}
    assert assigned == seen
