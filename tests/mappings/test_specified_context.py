"""Dates, years and times of the systems' specification that say too little, with what its headers tell, from their bytes.

The specification lies beside the project, not in it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import yaml

from extractors.batches import arrow_schema, extract
from extractors.context.standing import beside, standing
from extractors.writing.records import write_records
from mappings.compiling.compiler import compile_mapping
from mappings.engine import Mapper
from mappings.language.reader import read_municipality
from migration_reports.findings import no_findings
from tests.extractors.test_specified_layouts import CASES, SPECIFIED, kinds_of, reading_of
from tests.invented import invented
from tests.sheets import sheet

pytestmark = pytest.mark.skipif(not SPECIFIED.is_dir(), reason="../shared/facts/systems is not here")

FACTS = sheet(
    "facts",
    """
    item,type,length,must,key
    no,N,9,1,1
    slot,N,2,1,1
    day,D,,,
    year,N,4,,
    moment,S,,,
    payment,N,20,,
    time,T,,,
    """,
)
NO = {"no": {"from": "$record", "transforms": [{"digits": {"width": 9}}]}, "slot": {"constant": "01"}}
HEAD = {"municipality": {"code": "990027", "name": "見本市", "romaji": "mihon"}, "reference_date": "2026-01-10"}


def near(form, source, transform="date", **more):
    return {"from": source, "transforms": [{transform: {"form": form, **more}}]}


LAYOUTS = {
    "the day of a batch of transfers stands in its header, without a year": (
        "15A",
        [("head", {"ZH-HIKIOTOSHI": 1227}), ("data", {}), ("data", {}), ("trail", {}),
         ("head", {"ZH-HIKIOTOSHI": 127}), ("data", {}), ("trail", {}), ("end", {})],
        "data",
        {"day": near("mmdd", "head.ZH-HIKIOTOSHI", near="reference_date")},
        {"day_key": ["20251227", "20251227", "20260127"], "day_source": ["1227", "1227", "0127"]},
    ),
    "a date and a year without their era, beside a header's; a payment number of twenty digits": (
        "15B",
        [("head", {"MH-SAKUSEI": 5010510}),
         ("nofu", {"MP-NOFU": "00012345678901234567", "MN-NENDO": 31, "MN-NOKI": 310430}),
         ("nofu", {"MP-NOFU": "12345678901234567890", "MN-NENDO": 1, "MN-NOKI": 10531}), ("trail", {})],
        "nofu",
        {"day": near("yymmdd", "MN-NOKI", "wareki_date", near="head.MH-SAKUSEI", eras="1-5"),
         "year": {"from": "MN-NENDO", "transforms": [
             {"fiscal_year": {"form": "yy", "near": "head.MH-SAKUSEI", "eras": "1-5"}}, {"digits": {"width": 4}}]},
         "payment": {"from": "MP-NOFU", "transforms": [{"digits": {"width": 20}}]}},
        {"day_key": ["20190430", "20190531"], "year": ["2019", "2019"],
         "payment": ["00012345678901234567", "12345678901234567890"]},
    ),
    "a deadline in two fields, without its era": (
        "17A",
        [("record", {"NS-SHIMEKIRI": 71227, "NS-SHIME-HM": 1700}), ("record", {"NS-SHIMEKIRI": 80131, "NS-SHIME-HM": 900})],
        "record",
        {"moment": {"from": "NS-SHIMEKIRI", "transforms": [
            {"wareki_date": {"form": "yymmdd", "near": "reference_date"}}, {"at_time": {"time": "NS-SHIME-HM"}}]}},
        {"moment": ["20251227170000", "20260131090000"]},
    ),
    "days of the year": (
        "14A",
        [("record", {"OP-FROM": 26032}), ("record", {"OP-FROM": 99365}), ("record", {"OP-FROM": 0})],
        "record",
        {"day": near("yyddd", "OP-FROM", near="reference_date")},
        {"day_key": ["20260201", "19991231", None]},
    ),
    "元年 coded 00, the era in a field beside it": (
        "04A",
        [("record", {"KM-GENGO": "H", "KM-NENDO": 0}), ("record", {"KM-GENGO": "R", "KM-NENDO": 0}),
         ("record", {"KM-GENGO": "R", "KM-NENDO": 7})],
        "record",
        {"year": {"from": "KM-NENDO", "transforms": [
            {"fiscal_year": {"form": "yy", "era": "KM-GENGO", "eras": "1-5", "first_year": "00"}}, {"digits": {"width": 4}}]}},
        {"year": ["1989", "2019", "2025"]},
    ),
    "R元 written as R00": (
        "02B",
        [("jido", {"FK-NENDO": "R00", "FJ-NINTEI": "R000501"}), ("jido", {"FK-NENDO": "H30", "FJ-NINTEI": "H300401"})],
        "jido",
        {"day": near("letter", "FJ-NINTEI", "wareki_date", first_year="00"),
         "year": {"from": "FK-NENDO", "transforms": [
             {"fiscal_year": {"form": "gyy", "eras": "1-5", "first_year": "00"}}, {"digits": {"width": 4}}]}},
        {"day_key": ["20190501", "20180401"], "year": ["2019", "2018"]},
    ),
    "a day in three fields, its year of two digits, and half past one in the night": (
        "06A",
        [("record", {"KN-YY": 25, "KN-MM": 12, "KNH-KYUKEI(1)": 1, "KNH-OUT(1)": "2530"})],
        "record",
        {"day": {"from": ["KN-YY", "KN-MM", "KNH-KYUKEI(1)"], "transforms": [
             {"digits": {"width": 2}}, "concat", {"date": {"form": "yymmdd", "near": "reference_date"}}]},
         "time": {"from": "KNH-OUT(1)", "transforms": ["time"]}},
        {"day_key": ["20251201"], "time": ["2530"]},
    ),
    "a year whose era nothing in the file tells": (
        "01B",
        [("land", {"MN-NENDO": 31}), ("land", {"MN-NENDO": 7})],
        "land",
        {"year": {"from": "MN-NENDO", "transforms": [
            {"fiscal_year": {"form": "yy", "near": "reference_date"}}, {"digits": {"width": 4}}]}},
        {"year": ["2019", "2025"]},
    ),
}  # fmt: skip


def written(name, reading, records, path):
    """A dump of some records, the other fields invented."""
    rng, pieces = np.random.default_rng(1), []
    kinds = {kind.name: (kind, said) for kind, said in kinds_of(name)}
    for kind, values in records:
        of, said = kinds[kind]
        segment = reading.layout.segment(of.group)
        columns = invented(segment, 1, reading.charset, rng, {**said, **values})
        least = reading.framing.record_length if reading.framing.fixed else 0
        made = write_records(segment, columns, charset=reading.charset, count=1, least=least)
        pieces.append((made.data, made.sizes))
    data, sizes = (np.concatenate(some) for some in zip(*pieces, strict=True))
    path.write_bytes(reading.framing.wrap(data, sizes).tobytes())


def compiled(folder, name, schemas, kind, columns):
    """The mapping of one kind to the table of facts; every other field is ignored."""
    system = folder / "990027_mihon" / "s"
    system.mkdir(parents=True)
    roles = {"head": "header", "trail": "trailer", "end": "trailer"}
    records = {k.name: {"role": roles.get(k.name, "data")} for k, _ in kinds_of(name)}
    dump = {"file": "d", "title": "d", "layout": "l.cpy", "framing": "fixed", "charset": "ibm", "records": records}
    empty = [name for name in ("day", "year", "moment", "payment", "time") if name not in columns]
    part = {"from": f"d.{kind}", "columns": {**NO, **columns}, "empty": empty}
    said = yaml.safe_dump(columns)
    ignored = {
        source: [{"field": n, "reason": "-"} for n in schema.names if source != f"d.{kind}" or n not in said]
        for source, schema in schemas.items()
        if records[source.partition(".")[2]]["role"] == "data"
    }
    mapping = {"system": "s", "tables": {"facts": part}, "ignore": ignored}
    (system.parent / "manifest.yaml").write_text(yaml.safe_dump(HEAD, allow_unicode=True), encoding="utf-8")
    (system / "manifest.yaml").write_text(yaml.safe_dump({"edition": "1.0", "dumps": {"d": dump}}), encoding="utf-8")
    (system / "mapping.yaml").write_text(yaml.safe_dump(mapping, allow_unicode=True), encoding="utf-8")
    (system / "l.cpy").write_text("       01 A PIC X.\n", encoding="utf-8")
    spec = read_municipality(system.parent).systems["s"]
    return compile_mapping(spec, schemas=schemas, tables={"facts": FACTS.physical}, code_sets={})


@pytest.mark.parametrize(("name", "records", "kind", "columns", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_what_a_layout_says_too_little_of_is_completed(tmp_path, name, records, kind, columns, expected):
    assert name in CASES
    reading = reading_of(name)
    path = tmp_path / "d"
    written(name, reading, records, path)
    kinds = [k for k, _ in kinds_of(name)]
    schemas = {f"d.{k.name}": arrow_schema(reading.layout, k.group) for k in kinds}
    plan = compiled(tmp_path, name, schemas, kind, columns)
    fields = {
        k.name: {f: schemas[f"d.{k.name}"].field(f).type for f in sorted(plan.fields_used(f"d.{k.name}"))}
        for k in kinds
        if k.name in plan.parts[0].around
    }
    context = standing(reading, [path], kinds, fields, follow=("trail",), name="d")
    mapper, made, found = Mapper([plan], "r"), [], []
    with reading.open([path]) as stream:
        for part in extract(
            stream, name="d", layout=reading.layout, framing=reading.framing, charset=reading.charset, kinds=kinds
        ):
            if part.kind == kind:
                mapped = mapper.map(f"d.{kind}", beside(context, part.batch, stream), no_findings())
                made.append(mapped.rows["tests.facts", 0])
                found += [f for f in mapped.findings.to_pylist() if f["severity"] == "error"]
    rows = pa.Table.from_batches(made)
    assert {column: rows.column(column).to_pylist() for column in expected} == expected
    assert found == []
