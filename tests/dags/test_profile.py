"""The profile of a dump: what it counts, that it depends on the dump alone, and that it gives no value away."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import io
import itertools
import json
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dags.cli import app
from dags.inspection import profile, reader, sketches, windows
from dags.inspection.column_profile import ColumnProfile, profile_values
from dags.inspection.detectors import DETECTORS
from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from extractors import charsets
from extractors.batches import Kind
from extractors.copybooks.copybook import read_copybook
from extractors.reading import Choice, Spoken, make_reading
from extractors.writing.encode import encode
from migration_reports.findings import RunError
from migration_reports.masking import mask
from migration_reports.pages.render import render_profile
from migration_reports.records.profile_record import Profile
from tests.reading import SHARED

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
NUMBER = r"-?[0-9.]*"
MIHON = TOWNS / "990027_mihon"


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    """An inbox with a synthesized dump of 見本市, faults and all."""
    folder = tmp_path_factory.mktemp("inbox")
    synthesize(MIHON, residents=3000, seed=11, faults=0.03, out=folder)
    return folder


@pytest.fixture(scope="module")
def source(inbox):
    return profile.of_municipality(load(MIHON), "juki_master", inbox)


@pytest.fixture(scope="module")
def made(source):
    return profile.profile(source)


def fields_of(made, kind):
    return {f.field: f for f in made.fields if f.kind == kind}


def values_of(source, tmp_path):
    """The values of a dump: its texts, and its numbers of seven digits and more."""
    job = reader.Job(source.files, source.reading, source.kinds)
    every = tuple(dataclasses.replace(kind, wanted=None) for kind in job.kinds)
    reader.decode(dataclasses.replace(job, kinds=every), out=tmp_path / "all.jsonl", form="jsonl", findings=None)
    texts: set[str] = set()

    def gather(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in ("record", "parent"):
                    gather(inner)
        elif isinstance(value, list):
            for inner in value:
                gather(inner)
        elif isinstance(value, str):
            texts.add(value.strip(" 　"))

    for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines():
        gather(json.loads(line))
    return {t for t in texts if (len(t) >= 7 if re.fullmatch(NUMBER, t) else len(t) >= 3)}


def test_the_counts_of_every_field_add_up_and_say_what_was_found(made, inbox):
    assert made.records == 3002
    assert {k.name: (k.role, k.records) for k in made.kinds} == {
        "header": ("header", 1),
        "resident": ("data", 3000),
        "trailer": ("trailer", 1),
    }
    for field in made.fields:
        assert field.values == field.valid + field.blank + field.invalid
        assert field.valid >= field.filled >= 0
        assert sum(p.count for p in field.patterns) == field.valid or field.patterns_left_out
    resident = fields_of(made, "resident")
    seeded = pl.read_csv(inbox / "juki_master.dat.faults.csv", infer_schema=False)

    def faults(field, *codes):
        return seeded.filter((pl.col("field") == field) & pl.col("code").is_in(codes)).height

    assert resident["JJ-SEINENGAPPI"].invalid == faults("JJ-SEINENGAPPI", "D201") > 0
    assert resident["JJ-KAZEI"].invalid == faults("JJ-KAZEI", "D201") > 0
    assert resident["JJ-YUBIN"].blank == faults("JJ-YUBIN", "D203") > 0
    assert resident["JJ-KANA"].blank == faults("JJ-KANA", "D214") > 0
    assert resident["JJ-SHIMEI"].invalid == faults("JJ-SHIMEI", "D211") > 0
    assert resident["JJ-JUMIN-NO"].once < 1
    gaiji = {g.area: g.count for g in resident["JJ-SHIMEI"].gaiji}
    assert gaiji["user-defined"] >= faults("JJ-SHIMEI", "D221") > 0
    assert resident["FILLER@292"].filled == 0


def test_contents_are_recognised(made):
    resident = fields_of(made, "resident")
    best = {name: f.detections[0].detector for name, f in resident.items() if f.detections}
    # An invented town's postal codes seldom repeat, so a key is as likely; few residents are protected.
    assert best.pop("JJ-YUBIN") in ("postal_code", "unique_key")
    best.pop("JJ-SHIEN", None)
    assert best == {
        "JM-KUBUN": "code",
        "JJ-JUMIN-NO": "unique_key",
        "JJ-SETAI-NO": "group_key",
        "JJ-KANA": "kana_name",
        "JJ-SHIMEI": "kanji_name",
        "JJ-SEIBETSU": "code",
        "JJ-SEINENGAPPI": "era_date",
        "JJ-ZOKUGARA(1)": "code",
        "JJ-JUMIN-YMD": "era_date",
        "JJ-IDO-JIYU": "code",
        "JJ-IDO-YMD": "era_date",
        "JJ-SHORI-YMD": "era_date",
        "JJ-JUSHO": "address",
        "JJ-KAZEI": "amount",
    }
    assert "postal_code" in {d.detector for d in resident["JJ-YUBIN"].detections}
    date = resident["JJ-SEINENGAPPI"].dates[0]
    assert (date.reading, date.eras) == ("wareki 1-5 GYYMMDD", "1-5")
    assert 1900 < date.first_year < date.last_year < 2030
    header = fields_of(made, "header")
    assert header["JH-DANTAI-CD"].detections[0].detector == "municipality_code"
    assert header["JH-SAKUSEI-YMD"].dates[0].reading == "YYYYMMDD"


def test_a_profile_is_the_same_whatever_the_batch_size(source, monkeypatch):
    monkeypatch.setattr(profile, "WINDOW", 700)
    whole = profile.profile(source)
    for size in (37, 999):
        assert profile.profile(source, batch_records=size) == whole


def test_windows_change_no_count(source, made, monkeypatch):
    monkeypatch.setattr(profile, "WINDOW", 500)
    assert profile.profile(source) == made


def test_a_filled_field_that_goes_nowhere_stands_first_and_is_marked(source, made):
    assert not made.unmapped
    assert "JM-KUBUN" not in {f.field for f in made.fields if f.unmapped_but_filled}
    resident = dict(source.fates["resident"]) | {"JJ-BIKO": ((), "不要と聞いた")}
    lost = profile.profile(dataclasses.replace(source, fates={**source.fates, "resident": resident}))
    assert [f.field for f in lost.unmapped] == ["JJ-BIKO"]
    assert lost.fields[0].field == "JJ-BIKO"
    assert lost.fields[0].ignored_because == "不要と聞いた"
    page = render_profile(lost)
    assert page.index("JJ-BIKO") < page.index("JJ-JUMIN-NO")
    assert "不要と聞いた" in page


def outputs(made):
    """Everything that is written of a profile."""
    from dags.commands import profile as command

    shown = io.StringIO()
    command._show(made, command.Terminal(width=400, file=shown))
    return {
        "json": made.model_dump_json(indent=1),
        "html": html.unescape(render_profile(made)),
        "table": shown.getvalue(),
    }


def leaks(values, text):
    """The values that stand in a text; a number counts where it stands by itself."""
    alone = {number.replace(",", "").strip(".") for number in re.findall("[0-9][0-9,.]*", text)}
    return sorted(v for v in values if (v.lstrip("-") in alone if re.fullmatch(NUMBER, v) else v in text))


def test_no_value_of_a_resident_is_in_any_output(source, made, tmp_path):
    values = values_of(source, tmp_path) - {"0", "JUKIMST"}
    assert len(values) > 5000
    assert len(leaks(values, "、".join(sorted(values)[:50]))) >= 50
    for form, text in outputs(made).items():
        assert leaks(values, text) == [], form


def test_the_json_is_read_back_equal(made):
    assert Profile.model_validate_json(made.model_dump_json()) == made


def test_a_page_needs_nothing_else_and_escapes_what_it_shows(made):
    odd = made.fields[0].model_copy(update={"field": "<script>alert(1)</script>"})
    page = render_profile(made.model_copy(update={"dump": "<b>x</b>", "fields": (odd, *made.fields[1:])}))
    assert "<script" not in page
    assert "<b>x</b>" not in page
    assert not re.findall(r"(?:src|href)\s*=|url\(|@import", page)
    assert "項目プロファイル" in page
    assert "Field profile" in page


CASES = {
    "a_city_resident": (
        "fujitsu", "fixed", "fujitsu", ["person=JK-REC-KBN:1:JK-KOJIN", "trailer=JK-REC-KBN:9:JK-TRAILER"],
    ),
    "b_town_resident": ("hitachi", "blocked", "hitachi", []),
    "c_village_resident": ("nec", "fixed", "nec", []),
    "d_city_resident": ("ibm", "fixed", "ibm", ["household=DR-KBN:S:DR-SETAI", "person=DR-KBN:K:DR-KOJIN"]),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize("name", sorted(CASES))
def test_dumps_that_this_project_did_not_write(name, tmp_path):
    charset, framing, dialect, kinds = CASES[name]
    dump = SHARED / "dumps" / name / f"{name}.dat"
    spoken = Spoken(Choice(framing), Choice(charset), Choice(dialect))
    job = reader.make_job([dump], layout=dump.with_suffix(".cpy"), spoken=spoken, options={}, kinds=kinds)
    made = profile.profile(profile.of_job(job))
    assert all(f.targets is None and not f.unmapped_but_filled for f in made.fields)
    lines = (dump.parent / "expected.jsonl").read_text("utf-8").splitlines()
    rows = list(map(json.loads, lines[: made.records]))
    seen = {f.field: f for f in made.fields if not f.table}
    for field, wanted in (("BJ-BIRTH", "1-5"), ("JK-SEINEN-YMD", "1-5"), ("CJ-SEINEN", "1-5"), ("DK-SEINEN", "1-5")):
        if field in seen:
            expected = [int(r[field]) for r in rows if r.get(field)]
            filled = [v for v in expected if v]
            found = seen[field]
            assert (found.filled, found.dates[0].eras) == (len(filled), wanted)
            assert found.distinct == len(set(expected))
    if name == "b_town_resident":
        days = [o["BR-YMD"] for r in rows for o in r["BJ-RIREKI"] or ()]
        table = {f.field: f for f in made.fields if f.table == "BJ-RIREKI"}
        assert table["BR-YMD"].values == len(days)
        assert table["BR-YMD"].dates[0].count == len(days)
        assert table["BR-JIYU"].distinct == len({o["BR-JIYU"] for r in rows for o in r["BJ-RIREKI"] or ()})
    if name == "c_village_resident":
        assert made.bytes_left_over > 0
        assert "F105" in {f.code for f in made.findings}
    values = values_of(profile.of_job(job), tmp_path)
    for form, text in outputs(made).items():
        assert leaks(values, text) == [], form


def numbers(*values, repeat=1):
    return pa.array(list(values) * repeat, pa.int64())


def text(*values, repeat=1):
    return pa.array(list(values) * repeat, pa.string())


ERA_DAYS = [3_000_000 + 10_000 * (1 + n % 60) + 100 * (1 + n % 12) + 1 + n % 28 for n in range(90)]
CONTENTS = {
    "postal code as text": (text(*(f"{9_000_000 + n % 40}" for n in range(200))), 7, "postal_code", ()),
    "postal code with a hyphen": (text(*(f"060-{n:04}" for n in range(200))), 8, "postal_code", ()),
    "postal code as a number": (numbers(*(600_000 + n % 40 for n in range(200))), 7, "postal_code", ()),
    "era date 1-5": (numbers(*ERA_DAYS, 4_310_430, 5_010_501, 2_150_101), 7, "era_date", ("1-5",)),
    "era date 1-9": (
        numbers(*(5_000_000 + 10_000 * (40 + n % 24) + 101 for n in range(60)), 7_310_430, 9_010_501),
        7, "era_date", ("1-9",),
    ),
    "era date of either family": (numbers(*(5_010_101 + 10_000 * (n % 7) for n in range(60))), 7, "era_date", ("1-5", "1-9")),
    "era date as text": (text(*map(str, ERA_DAYS), "0000000", "9999999", "4310430"), 7, "era_date", ("1-5",)),
    "era date with a letter": (text(*(f"S{n:02}0401" for n in range(1, 64))), 7, "era_date", ()),
    "era date in words": (text(*(f"昭和{n}年４月１日" for n in range(1, 60)), "平成元年一月八日"), 40, "era_date", ()),
    "Gregorian date": (numbers(*(19_500_101 + 10_000 * (n % 70) for n in range(90)), 99_999_999), 8, "gregorian_date", ("YYYYMMDD",)),
    "Gregorian date with hyphens": (text(*(f"{1950 + n}-04-01" for n in range(60))), 10, "gregorian_date", ("YYYY-MM-DD",)),
    "year and month": (numbers(*(200_001 + 100 * (n % 20) + n % 12 for n in range(60))), 6, "gregorian_date", ("YYYYMM",)),
    "date without an era": (numbers(*(10_101 + 10_000 * (n % 60) + n % 28 for n in range(90))), 6, "short_date", ("YYMMDD",)),
    "half-width kana name": (text("ｻﾄｳ ﾊﾅｺ", "ﾔﾏﾀﾞ ﾀﾛｳ", "ｽｽﾞｷ ｼﾞﾛｳ", repeat=20), 30, "kana_name", ()),
    "kana name": (text("サトウ　ハナコ", "ヤマダ　タロウ", repeat=30), 30, "kana_name", ()),
    "kanji name": (text("佐藤　花子", "山田　太郎", "髙橋　ひろし", "\U00020bb7田　\ue000一", repeat=20), 42, "kanji_name", ()),
    "address": (text("中央二丁目３番４号", "大字上田字前畑１２番地", "南町5-6", repeat=20), 60, "address", ()),
    "code": (text("01", "02", "11", "99", repeat=20), 2, "code", ()),
    "code as a number": (numbers(1, 2, 0, repeat=20), 1, "code", ()),
    "phone number": (text("0123-45-6789", "090-1234-5678", "(011)222-3333", "09012345678", repeat=15), 14, "phone_number", ()),
    "amount": (numbers(0, -500, *(137 * n * n for n in range(1, 90))), 9, "amount", ()),
    "amount with decimals": (pa.array([Decimal(n * n * 7) / 100 for n in range(90)], pa.decimal128(11, 2)), 11, "amount", ()),
    "sequence": (numbers(*range(1, 200)), 9, "unique_key", ()),
    "number without an order": (numbers(*(10_000_000_000 + n * 7919 % 9973 for n in range(200))), 11, "unique_key", ()),
    "household number": (numbers(*(1 + n // 3 for n in range(300))), 9, "group_key", ()),
    "digests": (text(*(hashlib.md5(bytes([n])).hexdigest() for n in range(100))), 32, "secret", ()),
    "municipality code": (text("011002", "131016", "990027", repeat=10), 6, "municipality_code", ()),
    "municipality code as a number": (numbers(11_002, 131_016, 990_027, repeat=10), 6, "municipality_code", ()),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTENTS)
def test_each_detector_says_what_it_sees_and_why(case):
    values, size, wanted, choices = CONTENTS[case]
    found = profile_values(values, size=size).detections
    assert found
    assert (found[0].detector, found[0].choices) == (wanted, choices)
    assert 0.5 < found[0].confidence < 1
    assert found[0].reason
    assert re.search("[ぁ-ん]", found[0].reason_ja)
    if len(choices) > 1:
        assert "either" in found[0].reason


def test_every_detector_has_a_case():
    assert {wanted for _, _, wanted, _ in CONTENTS.values()} == {d.name for d in DETECTORS}


NOTHING = {
    "empty": text("", "　", None),
    "free text": text("照会中", "転出予定の確認、済", "確認 ABC", "？", repeat=20),
    "numbers that are no dates": numbers(*(9_999_000 - n * 3_571 % 90_000 for n in range(300))),
    "random five digits": numbers(*(10_000 + n * 7_919 % 89_999 for n in range(300))),
}


@pytest.mark.parametrize("case", NOTHING)
def test_dates_names_and_addresses_are_not_seen_where_there_are_none(case):
    found = profile_values(NOTHING[case], size=20)
    assert not found.dates
    assert not {d.detector for d in found.detections} & {
        "era_date", "gregorian_date", "short_date", "kana_name", "kanji_name", "address", "phone_number",
    }  # fmt: skip


def test_few_records_are_believed_less():
    many, few = (profile_values(text("01", "02", repeat=n), size=2).detections[0].confidence for n in (50, 5))
    assert few < many


def test_no_dates_are_told_apart_from_dates():
    found = profile_values(numbers(*ERA_DAYS, *[9_999_999] * 500, *[0] * 700), size=7)
    assert (found.dates[0].count, found.no_dates, found.valid - found.filled) == (len(ERA_DAYS), 500, 700)


def test_a_shape_is_what_mask_makes_of_a_value_and_no_letter_comes_through():
    points = [*range(0x20, 0x7F), *range(0xA1, 0xD800), *range(0xE000, 0xFFFE), *range(0x20000, 0x20100)]
    alone = pl.Series([chr(point) for point in points])
    shapes = windows.window_of(alone, collapse=False).get_column("shape").to_list()
    shown = [shape.translate(windows.SHOWN) for shape in shapes]
    standing = set(windows._CLASSES)
    for character, shape in zip(alone, shown, strict=True):
        assert len(shape) == 1
        masked = mask(character)
        if masked != character:
            assert shape == masked, hex(ord(character))
        elif shape == character:
            assert shape in standing or not character.isalnum(), hex(ord(character))
    assert "ß" not in shown
    assert "Я" not in shown


def test_runs_are_shown_as_one_in_long_texts_only():
    assert profile_values(text("山田　太郎"), size=8).patterns[0].shape == "漢漢　漢漢"
    assert profile_values(text("山田　太郎"), size=42).patterns[0].shape == "漢…　漢…"
    assert profile_values(text("一丁目12-3", ""), size=42).patterns[0].shape == "漢…9…-9"
    assert profile_values(numbers(-1234), size=9).patterns[0].shape == "-9999"


def test_distinct_is_exact_to_a_bound_and_then_near_and_told_so():
    few = profile_values(numbers(*range(16_384)), size=9)
    assert (few.distinct, few.distinct_exact, few.once) == (16_384, True, 1)
    for values in (np.arange(300_000), np.arange(0, 300_000_000, 1000), np.arange(300_000) * 2**40):
        for column in (pa.array(values), pa.array(values).cast(pa.string())):
            many = profile_values(pa.concat_arrays([column, column.slice(0, 60_000)]), size=18)
            assert not many.distinct_exact
            assert abs(many.distinct - 300_000) < 0.03 * 300_000
            assert abs(many.once - 0.8) < 0.02


def test_shapes_are_bounded_and_what_may_be_missing_is_told(monkeypatch):
    monkeypatch.setattr(sketches, "SHAPES", 20)
    rng = np.random.default_rng(5)
    kept = sketches.Shapes()
    truth: dict[str, int] = {}
    for _ in range(60):
        drawn = rng.zipf(1.3, 400) % 3000
        names, counts = np.unique(drawn, return_counts=True)
        frame = pl.DataFrame({"shape": [chr(100 + n) for n in names], "count": counts})
        for shape, count in frame.iter_rows():
            truth[shape] = truth.get(shape, 0) + count
        kept.add(frame)
    top, left_out = kept.top(20)
    assert left_out
    assert len(kept._counts) <= 20
    assert top[0].more == 0
    for pattern in top:
        assert pattern.count <= truth[pattern.shape] <= pattern.count + pattern.more


CELLS = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**12), st.sampled_from(ERA_DAYS)), max_size=60).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(
        st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["", " ", "　", "山田　太郎", "3510101", "\ufffd"])),
        max_size=60,
    ).map(lambda v: pa.array(v, pa.string())),
    st.lists(st.one_of(st.none(), st.decimals(-9999, 9999, places=2)), max_size=40).map(
        lambda v: pa.array(v, pa.decimal128(9, 2))
    ),
    st.lists(st.binary(min_size=4, max_size=4), max_size=40).map(lambda v: pa.array(v, pa.binary(4))),
)


@settings(deadline=None, max_examples=120)
@given(CELLS, st.lists(st.integers(0, 60), max_size=5), st.sampled_from([7, 40]))
def test_a_column_is_profiled_alike_however_it_is_cut(values, cuts, size):
    facts = {"kind": "record", "field": "values", "size": size}
    whole, cut = ColumnProfile(size), ColumnProfile(size)
    whole.add(values)
    places = sorted({0, len(values), *(min(c, len(values)) for c in cuts)})
    for first, last in itertools.pairwise(places):
        cut.add(values.slice(first, last - first))
    found = whole.result(facts, {}, {})
    if len(places) > 1:
        assert cut.result(facts, {}, {}) == found
    assert found.values == found.valid + found.blank + found.invalid == len(values)


def test_what_the_layout_has_that_others_seldom_do(tmp_path):
    """Numbers beyond 38 digits, floating point, bytes, FILLERs that are filled, other names for the same bytes."""
    layout = read_copybook(
        """01 R.
    05 W PIC 9(45). 05 F COMP-2. 05 P POINTER. 05 N PIC 9(3)V99. 05 FILLER PIC X(6). 05 K PIC X(2) OCCURS 2.
    """,
        file="odd.cpy",
    )
    charset = charsets.load("ibm", {}, tmp_path)
    filler = next(f.name for f in layout.fields() if f.filler)
    columns = {"N": np.array([150, 0, 99_999]), filler: pa.array(["AB", "C", ""]), "K(2)": pa.array(["a", "b", "a"])}
    cells = encode(layout.fields(), columns, charset=charset, length=layout.length, count=3)
    (tmp_path / "odd.dat").write_bytes(cells.tobytes())
    job = reader.Job((tmp_path / "odd.dat",), make_reading(Spoken(), layout, tmp_path), (Kind("record"),))
    found = {f.field: f for f in profile.profile(profile.of_job(job)).fields}
    assert found[filler].filled == 2
    assert (found["N"].type, found["N"].filled, found["N"].fractions, found["N"].most_digits) == ("decimal", 2, 2, 3)
    assert (found["K(1)"].filled, found["K(2)"].filled, found["K(2)"].distinct) == (0, 3, 2)
    assert found["P"].type == "bytes"
    assert found["F"].type == "float"


def test_a_dump_that_was_not_received_or_is_unknown_is_told(tmp_path):
    town = load(MIHON)
    with pytest.raises(RunError, match="has not been received"):
        profile.of_municipality(town, "juki_master", tmp_path)
    with pytest.raises(RunError, match="no dump `other`"):
        profile.of_municipality(town, "other", tmp_path)


def run(*words):
    return CliRunner().invoke(app, ["profile", *map(str, words)])


def test_the_command_writes_tables_pages_and_json(inbox, tmp_path):
    shown = run("--municipality", "mihon", "--inbox", inbox)
    assert shown.exit_code == 0, shown.output
    assert "JJ-SEINENGAPPI" in shown.stdout
    assert "wareki 1-5 GYYMMDD" in shown.stdout
    page = tmp_path / "profile.html"
    assert (
        run("--municipality", "mihon", "juki_master", "--inbox", inbox, "--format", "html", "--out", page).exit_code
        == 0
    )
    assert "見本市" in page.read_text("utf-8")
    assert page.stat().st_mode & 0o077 == 0
    by_hand = run(
        inbox / "juki_master.dat", "--layout", MIHON / "resident_records" / "layouts" / "juki_master.cpy", "--charset", "fujitsu",
        "--kind", "resident=JM-KUBUN:D:JM-JUMIN", "--format", "json",
    )  # fmt: skip
    assert by_hand.exit_code == 0, by_hand.output
    assert Profile.model_validate_json(by_hand.stdout).of_no_kind == 2
    assert run("--municipality", "mihon", "--inbox", inbox, "--out", tmp_path / "p.txt").exit_code == 0
    assert "juki_master" in (tmp_path / "p.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--municipality"),
        (("nowhere.dat", "--charset", "ibm"), "no file nowhere.dat"),
        ((__file__, "--charset", "ibm"), "--layout"),
        (("--municipality", "mihon", "--format", "xml"), "table, html, json"),
        (("--municipality", "mihon", "a", "b"), "name one dump"),
    ],
)
def test_a_wrong_call_is_explained(words, says):
    done = run(*words)
    assert done.exit_code == 2
    assert says in re.sub(r"[\s│]+", " ", done.output)
