"""Copybooks become layouts, or problems with their places."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from extractors import dialects
from extractors.copybooks.copybook import PROBLEMS, read_copybook
from extractors.copybooks.copybook_text import NoTextError, decode_text
from migration_reports.findings import SpecError
from tests.reading import SHARED

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "copybook.yaml").read_text("utf-8"))
TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


def outline(segment):
    """A segment as the cases write it: sections, each a list of fields and tables."""
    lines = []
    for section in segment.sections:
        parts = [f"{f.name} {f.offset} {f.width}" for f in section.fields]
        parts += [
            {f"{t.column} {t.offset} {t.least}..{t.most} {t.depending or ''}".strip(): outline(t.element)}
            for t in section.tables
        ]
        lines.append(parts)
    return lines


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_a_copybook_reads_as_the_case_says(case):
    texts = case.get("library", {})
    if "problems" in case:
        with pytest.raises(SpecError) as caught:
            read_copybook(case["text"], file="c.cpy", library=lambda n: (texts[n], n) if n in texts else None)
        found = [f"{p.position.line}:{p.position.column} {p.code}" for p in caught.value.problems]
        assert found == case["problems"], str(caught.value)
        assert all(p.code in PROBLEMS for p in caught.value.problems)
        return
    dialect = dialects.load(case.get("dialect", "ibm"), case.get("options", {}))
    layout = read_copybook(
        case["text"],
        file="c.cpy",
        dialect=dialect,
        library=lambda name: (texts[name], name) if name in texts else None,
        source_format=case.get("source_format", "auto"),
        **case.get("said", {}),
    )
    assert [f"{n.position.line}:{n.position.column} {n.code}" for n in layout.notes] == case.get("notes", [])
    if "lists" in case:
        assert outline(layout.segment(case.get("group"), lists=case["lists"] == "all")) == case["segment"]
    fields = [f"{f.name} {f.offset} {f.width} {f.usage}" for f in layout.fields(case.get("group"))]
    assert fields == case["fields"]
    assert layout.length == case["length"]
    if "conditions" in case:
        said = {
            c.name: [list(v) if isinstance(v, tuple) else v for v in c.values]
            for f in layout.fields()
            for c in f.conditions
        }
        assert said == case["conditions"]


def test_every_rule_of_a_dialect_has_a_source():
    for dialect in dialects.DIALECTS:
        assert set(dialect.sources) == set(dialect.rules)
    said = dialects.load("ibm", {"plain_n": "national"})
    assert said.sources["plain_n"] == "said of this dump"
    assert said.sources["sync_long"] == dialects.DEFAULT.sources["sync_long"]


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("990027_mihon/resident_records/layouts/juki_master.cpy", 400),
        ("../packages/ibm_setai/layouts/setai_kojin.cpy", 240),
    ],
)
def test_the_shipped_copybooks_have_their_record_length(path, length):
    assert read_copybook((TOWNS / path).read_text("utf-8"), file=path).length == length


def test_conditions_are_kept():
    layout = read_copybook("01 R.\n 05 K PIC X.\n  88 YES VALUE 'Y' 'J'.\n  88 RANGE VALUES '1' THRU '5'.\n", file="c")
    (field,) = layout.fields()
    assert [(c.name, c.values) for c in field.conditions] == [("YES", ("Y", "J")), ("RANGE", (("1", "5"),))]


def branching(name):
    """Ten copies of the next text, and so on: many texts without a word."""
    depth = int(name[1:])
    return f"COPY B{depth + 1}.\n" * 10 if depth < 12 else "", name


HOSTILE = {
    "copies of copies": "COPY B0. 01 A PIC X.",
    "words replaced": "REPLACE "
    + " ".join(f"==Y{n}== BY ==Z==" for n in range(4000))
    + ".\n01 R.\n"
    + "05 A PIC X.\n" * 4000,
    "wrong redefinitions": "01 R.\n" + "".join(f"05 FIELD-A{n} REDEFINES FIELD-O{n} PIC X.\n" for n in range(4000)),
    "wrong counters": "01 R.\n05 N PIC 9.\n"
    + "".join(f"05 T{n} PIC X OCCURS 1 TO 2 DEPENDING ON M{n}.\n" for n in range(4000)),
    "counters of other groups": "01 R.\n"
    + "05 G. 10 C PIC 9.\n" * 2000
    + "05 T OCCURS 1 TO 2 DEPENDING ON C OF H PIC X.\n" * 2000,
    "wrong names": "01 R.\n05 N PIC 9.\n" + "".join(f"66 R{n} RENAMES M{n}.\n" for n in range(4000)),
    "one name over and over": "01 R.\n05 A PIC X.\n" + "05 FILLER REDEFINES A. 10 B PIC X.\n" * 4000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_copybook_is_read_or_refused_and_ends(text):
    try:
        read_copybook(text, file="c.cpy", library=branching).fields()
    except SpecError as error:
        assert len(str(error)) < 100_000


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "length"),
    [("a_city_resident", 320), ("b_town_resident", 236), ("c_village_resident", 256), ("d_city_resident", 240)],
)
def test_the_shared_copybooks_are_used_as_they_stand(name, length):
    path = SHARED / "dumps" / name / f"{name}.cpy"
    assert read_copybook(path.read_text("utf-8"), file=path.name).length == length


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp"])
@pytest.mark.parametrize(
    "text",
    [
        "       01  R.\n           05  氏名 PIC X(4).\n           05  データ PIC X.\n",
        "       01  R.\n      *    住民 ｼﾞｭｳﾐﾝ\n           05  A PIC X(4).\n",
        "       01  R.\n           05  宛名 PIC X.\n           05  個人 PIC X.\n",
        "       01  R.\n           05  ｶﾅｼﾒｲ PIC X(4).\n",
    ],
)
def test_a_copybook_is_text_in_every_encoding_of_the_field(text, encoding):
    assert decode_text(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("01 個人 PIC X.".encode("euc_jp"), "as Shift_JIS .half-width kana. and as EUC-JP"),
        ("01 ｶﾅ PIC X.".encode("cp932"), "as Shift_JIS .half-width kana. and as EUC-JP"),
        ("01 A PIC X.".encode("utf-16-le"), "X'00'"),
        (b"\xff\xfe0", "damaged"),
        ("01 é PIC X.".encode("latin-1"), "neither UTF-8, UTF-16, Shift_JIS nor EUC-JP"),
    ],
)
def test_a_copybook_that_could_be_read_otherwise_is_refused(data, says):
    with pytest.raises(NoTextError, match=says):
        decode_text(data)


def test_kana_in_remarks_of_shift_jis_decide_nothing():
    text = (
        "       01  R.\n      *    ｶﾅ\n           05  A PIC X(4).                                                  ｶﾅ\n"
    )
    assert decode_text(text.encode("cp932")) == text
