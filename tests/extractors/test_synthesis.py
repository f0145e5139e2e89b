"""Dumps from the town: the same seed the same bytes, records where they belong, faults where they are listed."""

from __future__ import annotations

import collections
import csv
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from extractors import charsets, framings
from extractors.batches import Kind, extract
from extractors.copybooks.copybook import read_copybook
from extractors.synthesis import write
from extractors.synthesis.faults import FAULTS
from extractors.synthesis.formats import FORMATS, era, ymd
from extractors.synthesis.town import ENTITIES, contract
from extractors.synthesis.town.contract import parts
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import SpecError

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"

LAYOUT = """\
       01  R.
           03  R-KIND PIC X.
           03  R-HEAD.
               05  H-COUNT PIC 9(7).
               05  H-NET PIC S9(11)V99 COMP-3.
               05  FILLER PIC X(160).
           03  R-HOUSE REDEFINES R-HEAD.
               05  S-NO PIC 9(9) COMP-3.
               05  S-MEAN PIC S9(9)V99 COMP-3.
               05  S-SINCE PIC X(8).
           03  R-PERSON REDEFINES R-HEAD.
               05  K-HOUSE PIC 9(9) COMP-3.
               05  K-NO PIC 9(10).
               05  K-COUPLE PIC X.
               05  K-COUNT PIC 9.
               05  K-CHANGE OCCURS 3.
                   07  C-NO PIC 9.
                   07  C-DAY PIC 9(7) COMP-3.
                   07  C-WHY PIC X(3).
                   07  C-MARK PIC X.
           03  R-PARTY REDEFINES R-HEAD.
               05  P-NO PIC 9(10).
               05  P-CORPORATE PIC 9(13).
           03  R-ACCOUNT REDEFINES R-HEAD.
               05  A-PARTY PIC 9(10).
               05  A-HOLDER PIC X(40).
           03  R-UNIT REDEFINES R-HEAD.
               05  U-CODE PIC X(6).
               05  U-UNTIL PIC 9(8).
"""

RECIPE = """\
dump: d
file: d.dat
layout: d.cpy
charset: {name: ibm}
kinds:
  head:
    role: header
    group: R-HEAD
    fields: {R-KIND: {constant: H}, H-COUNT: {count: person}, H-NET: {sum: house.S-MEAN}}
  house:
    of: households
    group: R-HOUSE
    fields:
      R-KIND: {constant: S}
      S-NO: {attribute: household_no}
      S-MEAN: {attribute: household_amounts.average}
      S-SINCE: {attribute: established, format: ymd}
    faults: [{field: S-MEAN, kind: packed_digits, rate: 5%}]
  person:
    of: residents
    per: households
    group: R-PERSON
    fields:
      R-KIND: {constant: K}
      K-HOUSE: {attribute: households.household_no}
      K-NO: {attribute: resident_no}
      K-COUPLE: {attribute: households.couple, codes: {"true": Y, "false": N}}
      K-COUNT: {count: K-CHANGE}
    tables:
      K-CHANGE:
        of: changes
        per: residents
        fields:
          C-NO: {attribute: change_no}
          C-DAY: {attribute: changed, format: era}
          C-WHY: {attribute: change_reason}
          C-MARK: {constant: "*"}
  unit:
    of: org_units
    group: R-UNIT
    fields: {R-KIND: {constant: U}, U-CODE: {attribute: section_code}, U-UNTIL: {attribute: valid_until, format: ymd}}
  corporation:
    of: parties
    where: {entity_kind: ["3"]}
    group: R-PARTY
    fields: {R-KIND: {constant: P}, P-NO: {attribute: party_no}, P-CORPORATE: {attribute: corporate_no}}
    faults:
      - {field: P-CORPORATE, kind: wrong_digit, rate: 10%}
      - {field: P-NO, kind: one_more, rate: 10%, code: V405, rule: "someone's"}
  account:
    of: bank_accounts
    per: parties
    group: R-ACCOUNT
    fields: {R-KIND: {constant: A}, A-PARTY: {attribute: parties.party_no}, A-HOLDER: {attribute: holder}}
"""


def make(town, out, **options):
    return synthesize(TOWNS / town, **{"residents": 500, "seed": 1, "faults": 0.0, "out": out, **options})[0]


def invented(tmp_path, recipe=RECIPE, layout=LAYOUT, **options):
    folder = tmp_path / "town"
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "d.cpy").write_text(layout, encoding="utf-8")
    (folder / "synthesis.yaml").write_text(recipe, encoding="utf-8")
    return write.synthesize(folder, **{"residents": 400, "seed": 1, "faults": 0.0, "out": tmp_path, **options})[0]


def records(made):
    """What the dump says, by kind; and the kind of each record, in order."""
    layout = read_copybook(LAYOUT, file="d.cpy")
    groups = {"H": "R-HEAD", "S": "R-HOUSE", "K": "R-PERSON", "U": "R-UNIT", "P": "R-PARTY", "A": "R-ACCOUNT"}
    kinds = [Kind(letter, "R-KIND", (letter,), group) for letter, group in groups.items()]
    charset = charsets.load("ibm", {}, Path())
    with made.dump.open("rb") as stream:
        read = extract(
            stream, name="d", layout=layout, framing=framings.load("fixed", {}, layout), charset=charset, kinds=kinds
        )
        out = {e.kind: pl.DataFrame(pl.from_arrow(e.batch)) for e in read if e.kind is not None}
    order = np.frombuffer(made.dump.read_bytes(), np.uint8).reshape(-1, layout.length)[:, 0]
    return out, bytes(order).decode("cp037")


VARYING = LAYOUT.replace("OCCURS 3.", "OCCURS 0 TO 3 DEPENDING ON K-COUNT.")
FRAMED = ("variable", "blocked", "spanned", "undefined")


@pytest.mark.parametrize("framing", FRAMED)
def test_records_of_any_length_and_framing_say_the_same(framing, tmp_path):
    plain, _ = records(invented(tmp_path / "plain", faults=0.02))
    made = invented(tmp_path / "framed", f"{RECIPE}framing: {{name: {framing}}}\n", VARYING, faults=0.02)
    book = read_copybook(VARYING, file="d.cpy")
    groups = {"H": "R-HEAD", "S": "R-HOUSE", "K": "R-PERSON", "U": "R-UNIT", "P": "R-PARTY", "A": "R-ACCOUNT"}
    kinds = [Kind(letter, "R-KIND", (letter,), group) for letter, group in groups.items()]
    with made.dump.open("rb") as stream:
        read = extract(
            stream, name="d", layout=book, framing=framings.load(framing, {}, book),
            charset=charsets.load("ibm", {}, Path()), kinds=kinds,
        )  # fmt: skip
        parts = list(read)
    assert read.account.closes
    assert {f for part in parts for f in part.findings.column("code").to_pylist()} <= {"D201", "D232"}
    framed = {part.kind: pl.DataFrame(pl.from_arrow(part.batch)).drop("_offset") for part in parts if part.kind}
    for kind, written in plain.items():
        frame = written.drop("_offset")
        if kind == "K":
            assert framed[kind].drop("K-CHANGE").equals(frame.select(framed[kind].drop("K-CHANGE").columns))
            for row, changes in zip(frame.iter_rows(named=True), framed[kind]["K-CHANGE"].to_list(), strict=True):
                assert changes == [
                    {name: row[f"{name}({n})"] for name in ("C-NO", "C-DAY", "C-WHY", "C-MARK")}
                    for n in range(1, row["K-COUNT"] + 1)
                ]
        else:
            assert framed[kind].equals(frame)


def test_a_system_of_several_dumps_has_a_folder_of_recipes(tmp_path):
    folder = tmp_path / "town"
    (folder / "synthesis").mkdir(parents=True)
    (folder / "d.cpy").write_text(LAYOUT, encoding="utf-8")
    for name in ("a", "b"):
        recipe = RECIPE.replace("dump: d", f"dump: {name}").replace("file: d.dat", f"file: {name}.dat")
        (folder / "synthesis" / f"{name}.yaml").write_text(recipe, encoding="utf-8")
    made = write.synthesize(folder, residents=50, seed=1, faults=0, out=tmp_path / "out")
    assert [one.dump.name for one in made] == ["a.dat", "b.dat"]
    assert made[0].dump.read_bytes() == made[1].dump.read_bytes()


def seeded(made):
    return list(csv.DictReader(made.faults.open(encoding="utf-8")))


@pytest.mark.parametrize("town", ["990027_mihon", "990035_reiji"])
def test_the_same_seed_gives_the_same_bytes(town, tmp_path):
    first = make(town, tmp_path / "a", faults=0.1).dump.read_bytes()
    assert first == make(town, tmp_path / "b", faults=0.1).dump.read_bytes()
    assert first != make(town, tmp_path / "c", faults=0.1, seed=2).dump.read_bytes()
    assert first != make(town, tmp_path / "d", faults=0.1, seed=-1).dump.read_bytes()


def test_days_are_written_in_each_format():
    eras = {
        "1912-07-29": 1450729,
        "1912-07-30": 2010730,
        "1926-12-24": 2151224,
        "1926-12-25": 3011225,
        "1989-01-07": 3640107,
        "1989-01-08": 4010108,
        "2019-04-30": 4310430,
        "2019-05-01": 5010501,
    }
    days = np.array(list(eras), "datetime64[D]")
    assert era(days).tolist() == list(eras.values())
    assert ymd(days).tolist() == [int(day.replace("-", "")) for day in eras]


@pytest.mark.parametrize(("town", "dump"), [("990027_mihon", "juki_master"), ("990035_reiji", "setai_kojin")])
def test_faults_are_where_they_are_listed_and_nowhere_else(town, dump, tmp_path):
    clean = make(town, tmp_path / "clean").dump.read_bytes()
    made = make(town, tmp_path / "faulty", faults=0.2)
    faulty = made.dump.read_bytes()
    reader = load(TOWNS / town).dumps[dump]
    length = reader.layout.length
    places = {f.name: (f.offset, f.width) for kind in reader.kinds for f in reader.layout.fields(kind.group)}
    listed = {(int(row["record"]), row["field"]) for row in seeded(made)}
    assert len(listed) == made.faulty > 50
    a, b = (np.frombuffer(data, np.uint8).reshape(-1, length) for data in (clean, faulty))
    different = a != b
    different[-1] = False  # the trailer states the total of the valid amounts
    for record, field in listed:
        offset, width = places[field]
        assert different[record - 1, offset : offset + width].any()
        different[record - 1, offset : offset + width] = False
    assert not different.any()


def test_a_household_has_one_fault_at_most_so_that_none_hides_another(tmp_path):
    made = make("990035_reiji", tmp_path, faults=0.5)
    kinds = np.frombuffer(made.dump.read_bytes(), np.uint8).reshape(-1, 240)[:, 0]
    household = np.cumsum(kinds == 0xE2)
    hit = [household[int(row["record"]) - 1] for row in seeded(made)]
    assert len(hit) > 100
    assert max(collections.Counter(hit).values()) == 1


def test_who_is_protected_is_spared(tmp_path):
    made = make("990027_mihon", tmp_path, residents=20_000, faults=1)
    protected = next(parts(ENTITIES, residents=20_000, seed=1))["protective_measures"]["residents"] + 2
    assert protected.len() > 20
    assert not set(protected) & {int(row["record"]) for row in seeded(made)}


def test_faults_come_at_the_rate_that_is_stated_or_share_what_is_left(tmp_path):
    made = invented(tmp_path, RECIPE.replace("rate: 5%", "rate: 2.5%"), residents=20_000, faults=0.004)
    households = next(parts(ENTITIES, residents=20_000, seed=1))["households"].height
    counted = collections.Counter(row["kind"] for row in seeded(made))
    assert counted["packed_digits"] == pytest.approx(households * 0.025, rel=0.15)
    assert {row["rule"] for row in seeded(made) if row["kind"] == "one_more"} == {"someone's"}
    assert not seeded(invented(tmp_path, residents=20_000)), "none at all is none, whatever the rates"
    shared = collections.Counter(
        row["kind"] for row in seeded(make("990027_mihon", tmp_path, residents=20_000, faults=0.017))
    )
    assert sum(shared.values()) == pytest.approx(20_000 * 0.017, rel=0.15)
    assert max(shared.values()) < 2 * 20_000 * 0.017 / 13


def test_what_is_synthesized_decodes_without_a_finding(tmp_path):
    for town, dump in (
        ("990027_mihon", "juki_master"),
        ("990035_reiji", "setai_kojin"),
        ("990051_tehon", "setai_kojin"),
    ):
        made = make(town, tmp_path / town)
        reader = load(TOWNS / town).dumps[dump]
        kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
        with made.dump.open("rb") as stream:
            extraction = extract(
                stream,
                name=dump,
                layout=reader.layout,
                framing=reader.reading.framing,
                charset=reader.reading.charset,
                kinds=kinds,
            )
            assert sum(e.findings.num_rows for e in extraction) == 0
        assert extraction.account.records == made.records
        assert extraction.account.of_no_kind == extraction.account.left_over == 0


def test_entities_become_records_nested_as_the_recipe_says(tmp_path):
    made = invented(tmp_path)
    said, order = records(made)
    town = next(parts(ENTITIES, residents=400, seed=1))
    assert re.fullmatch(r"H(SK+)+U+(PA*)+", order)
    assert [len(run) for run in re.findall("K+", order)] == town["households"]["members"].to_list()
    assert said["S"]["S-MEAN"].to_list() == town["household_amounts"]["average"].to_list()
    assert said["S"]["S-SINCE"].to_list() == town["households"]["established"].dt.strftime("%Y%m%d").to_list()
    assert said["K"]["K-HOUSE"].to_list() == (town["residents"]["households"] + 1).to_list()
    assert said["K"]["K-COUPLE"].to_list() == [
        "Y" if couple else "N" for couple in town["households"]["couple"].gather(town["residents"]["households"])
    ]
    assert said["U"]["U-CODE"].to_list() == town["org_units"]["section_code"].to_list()
    until = town["org_units"]["valid_until"]
    assert [n == 0 for n in said["U"]["U-UNTIL"]] == until.is_null().to_list()
    corporations = town["parties"].with_row_index().filter(entity_kind="3")
    assert said["P"]["P-CORPORATE"].to_list() == corporations["corporate_no"].to_list()
    theirs = town["bank_accounts"].filter(pl.col("parties").is_in(corporations["index"].to_list()))
    assert said["A"]["A-HOLDER"].to_list() == theirs["holder"].to_list()
    assert set(said["A"]["A-PARTY"]) <= set(said["P"]["P-NO"])


def test_a_table_holds_the_last_of_what_belongs_to_a_record(tmp_path):
    said, _ = records(invented(tmp_path))
    town = next(parts(ENTITIES, residents=400, seed=1))
    last = town["changes"].group_by("residents", maintain_order=True).tail(3)
    history = last.group_by("residents", maintain_order=True).agg("change_no", "change_reason", "changed")
    assert history["change_no"].list.first().max() == 2, "the first of four changes has no room"
    for number in range(3):
        for field, attribute in (("C-NO", "change_no"), ("C-WHY", "change_reason"), ("C-DAY", "changed")):
            wanted = history[attribute].list.get(number, null_on_oob=True)
            if attribute == "changed":
                wanted = pl.Series(era(wanted.fill_null(pl.date(2000, 1, 1)).to_numpy())).set(wanted.is_null(), 0)
            got = said["K"][f"{field}({number + 1})"]
            empty = "" if got.dtype == pl.String else 0
            assert got.fill_null(empty).to_list() == wanted.fill_null(empty).to_list()
    filled = history["change_no"].list.len()
    assert said["K"]["K-COUNT"].to_list() == filled.to_list()
    assert [mark == "*" for mark in said["K"]["C-MARK(2)"]] == (filled >= 2).to_list()


def test_totals_are_of_what_was_written_even_at_the_beginning(tmp_path):
    said, _ = records(invented(tmp_path))
    assert said["H"]["H-COUNT"].to_list() == [400]
    assert said["H"]["H-NET"][0] == said["S"]["S-MEAN"].sum()
    faulty = invented(tmp_path, faults=0.1)
    said, _ = records(faulty)
    assert said["S"]["S-MEAN"].null_count() == sum(row["kind"] == "packed_digits" for row in seeded(faulty)) > 0
    assert said["H"]["H-NET"][0] == said["S"]["S-MEAN"].sum()


def test_a_wrong_check_digit_is_one(tmp_path):
    made = invented(tmp_path, residents=2000, faults=0.1)
    said, order = records(made)
    wrong = {int(row["record"]) for row in seeded(made) if row["kind"] == "wrong_digit"}
    numbers = dict(zip([n for n, kind in enumerate(order, 1) if kind == "P"], said["P"]["P-CORPORATE"], strict=True))

    def fits(number):
        digits = [int(digit) for digit in str(number)]
        return digits[0] == 9 - sum(d * (2 - n % 2) for n, d in enumerate(digits[1:])) % 9

    assert wrong
    assert {record for record, number in numbers.items() if not fits(number)} == wrong


def test_a_large_town_is_made_in_parts_that_differ(tmp_path, monkeypatch):
    monkeypatch.setattr(contract, "PART", 150)
    told = []
    made = invented(tmp_path, progress=lambda done, whole: told.append((done, whole)))
    said, order = records(made)
    assert told == [(150, 400), (300, 400), (400, 400)]
    assert said["K"]["K-NO"].n_unique() == said["H"]["H-COUNT"][0] == 400
    assert said["P"]["P-CORPORATE"].n_unique() == said["P"].height
    assert len(re.findall("U+", order)) == 1, "what there is once stands once"
    assert set(said["K"]["K-HOUSE"]) == set(said["S"]["S-NO"])


WRONG = [
    ("of: households", "of: household", "Y012", "did you mean `households`"),
    ("per: households", "per: residents", "Y020", ""),
    ("attribute: household_no", "attribute: houshold_no", "Y012", "did you mean `household_no`"),
    ("attribute: parties.party_no", "attribute: party.party_no", "Y012", "did you mean `parties`"),
    ("attribute: household_no", "attribute: residents.name", "Y012", "may have several"),
    ("attribute: resident_no", "attribute: org_units.name", "Y012", "are not one for each of `residents`"),
    ("K-NO: {attribute: resident_no}", "K-NO: {attribute: changes.change_no}", "Y012", "tables:"),
    ("S-NO:", "S-NOO:", "Y021", "did you mean"),
    ("group: R-HOUSE", "group: R-HOUS", "Y021", "did you mean `R-HOUSE`"),
    ("K-COUNT: {count: K-CHANGE}", "K-COUNT: {count: K-CHANGES}", "Y027", "did you mean `K-CHANGE`"),
    ("      K-CHANGE:", "      K-CHANGES:", "Y027", "did you mean `K-CHANGE`"),
    ("        of: changes", "        of: bank_accounts", "Y012", "per: residents"),
    ("C-MARK:", "K-NO:", "Y021", ""),
    ("established, format: ymd", "established", "Y011", "format"),
    ("established, format: ymd", "established, format: ydm", "Y012", "did you mean `ymd`"),
    ("household_no}", "household_no, format: ymd}", "Y033", "no date"),
    ("count: person", "count: persons", "Y020", "did you mean `person`"),
    ("sum: house.S-MEAN", "sum: house.S-MEAM", "Y024", "did you mean `S-MEAN`"),
    ("role: header", "role: heder", "Y012", "did you mean `header`"),
    ("    role: header\n", "", "Y042", "header or trailer"),
    ("R-KIND: {constant: H}", "R-KIND: {attribute: name}", "Y042", "header"),
    ("H-COUNT: {count: person}", "H-COUNT: {constant: many}", "Y033", "many"),
    ("S-NO: {attribute: household_no}", "S-NO: {attribute: household_no, constant: '1'}", "Y042", "one way"),
    ("R-KIND: {constant: H}", "R-KIND: {constant: H, format: ymd}", "Y042", "for an attribute"),
    ("established, format: ymd", "established, format: ymd, codes: {a: b}", "Y042", "no date"),
    ("C-DAY: {attribute: changed, format: era}", "C-DAY: {constant: x}", "Y033", "no number"),
    ("C-MARK: {constant: \"*\"}", "C-MARK: {count: house}", "Y042", "of a table"),
    ("    group: R-HEAD\n", "    group: R-HEAD\n    spared: [changes]\n", "Y042", "no `spared`"),
    ("    group: R-HEAD\n", "    group: R-HEAD\n    faults: [{field: H-COUNT, kind: one_more, code: C501, where: {name: [x]}}]\n", "Y042", "no entity"),
    ("kind: packed_digits", "kind: packed_digit", "Y012", "did you mean `packed_digits`"),
    ("field: S-MEAN, kind: packed_digits", "field: S-MEAN, kind: bad_era", "Y033", "dates"),
    ("field: S-MEAN, kind: packed_digits", "field: S-SINCE, kind: bad_era", "Y033", "ymd"),
    ("field: S-MEAN, kind: packed_digits", "field: S-SINCE, kind: packed_digits", "Y033", "text"),
    ("kind: packed_digits", "kind: one_more", "Y011", "code"),
    ("kind: packed_digits", "kind: packed_digits, value: x", "Y012", "value"),
    ("rate: 5%", "rate: often", "Y012", "often"),
    ("code: V405", "code: V999", "Y012", ""),
    ('where: {entity_kind: ["3"]}', 'where: {entity_kin: ["3"]}', "Y012", "did you mean `entity_kind`"),
    ("file: d.dat", "file: ../d.dat", "Y012", "../d.dat"),
    ("layout: d.cpy", "layout: e.cpy", "Y006", "e.cpy"),
    ("charset: {name: ibm}", "charset: {ccsid: '939'}", "Y011", "name"),
    ("charset: {name: ibm}", "charset: {name: ibm}\nsize: 3", "Y010", ""),
    ('"false": N', '"fals": N', "Y012", "false"),
    ("S-NO: {attribute: household_no}", "S-NO: {attribute: address}", "Y033", "number"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "code", "said"), WRONG, ids=[f"{w[2]} {w[1].strip()[:40]}" for w in WRONG])
def test_a_mistake_is_said_with_its_place(before, after, code, said, tmp_path):
    assert before in RECIPE
    changed = RECIPE.replace(before, after, 1)
    with pytest.raises(SpecError) as refused:
        invented(tmp_path, changed)
    assert not list(tmp_path.glob("*d.dat*")), "nothing is begun"
    problems = refused.value.problems
    assert code in {p.code for p in problems}
    assert said in str(refused.value)
    place = 1 + len(RECIPE[: RECIPE.index(before)].splitlines())
    assert any(p.position.file.endswith("town/synthesis.yaml") and abs(p.position.line - place) <= 2 for p in problems)


def test_every_mistake_is_said_at_once(tmp_path):
    with pytest.raises(SpecError) as refused:
        invented(tmp_path, RECIPE.replace("household_no", "no").replace("kind: packed_digits", "kind: x"))
    assert len(refused.value.problems) == 3


def test_every_fault_has_a_finding_and_a_format_for_each_of_its_days():
    for fault in FAULTS.values():
        assert (fault.code in CATALOGUE) != ("code" in fault.needs), fault.name
        assert (fault.spoil is None) != (fault.alter is None), fault.name
    for form in FORMATS.values():
        assert set(form.wrong) <= set(FAULTS)


def test_a_municipality_without_a_recipe_is_told_so(tmp_path):
    (tmp_path / "town").mkdir()
    with pytest.raises(SpecError, match="there is no recipe"):
        write.synthesize(tmp_path / "town", residents=1, seed=1, faults=0, out=tmp_path)
    with pytest.raises(ValueError, match="residents must be"):
        make("990027_mihon", tmp_path, residents=0)
