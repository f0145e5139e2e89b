"""Every transform does what its cases say, by the column."""

from __future__ import annotations

import datetime
import unicodedata
from pathlib import Path

import jaconv
import polars as pl
import pydantic
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.language.folder import CodeTable, Period
from mappings.transforms import BY_NAME, TRANSFORMS
from mappings.transforms._eras import ERAS

CASES = Path(__file__).parents[1] / "cases" / "transforms"
TABLES = {
    "codes.csv": CodeTable((Period("", "", {"a": "1", "b": "2"}),), "codes.csv"),
    "fallback.csv": CodeTable(
        (Period("", "", {"髙": "高", "辻\U000e0101": "辻", "邉": "辺", "邉\U000e0101": "邊"}),), "fallback.csv"
    ),
    "setsu.csv": CodeTable(
        (Period("", "20200331", {"13": "12", "8": "7"}), Period("20200401", "", {"13": "13", "12": "12"})), "setsu.csv"
    ),
    "residents": CodeTable((Period("", "", {"A-17": "1", "A-18": "12345"}),), "residents"),
    "resolved by same_person": CodeTable((Period("", "", {"0000005678": "0000001234"}),), "", others="stay"),
    "resolved by is_party": CodeTable((Period("", "", {"V1": "0000000009"}),), "", others="are none"),
}
TYPES = {
    "text": pl.String,
    "integer": pl.Int64,
    "decimal": pl.Decimal(9, 1),
    "date": pl.Struct(dict.fromkeys(("source", "key", "precision"), pl.String)),
}


def cases():
    for transform in TRANSFORMS:
        for case in yaml.safe_load((CASES / f"{transform.name}.yaml").read_text("utf-8")):
            yield pytest.param(transform, case, id=f"{transform.name}: {case['name']}")


def worked_out(frame, outcome):
    """A frame with the columns that an outcome is worked out from."""
    for name, expr in outcome.workings:
        frame = frame.with_columns(expr.alias(name))
    return frame


@pytest.mark.parametrize(("transform", "case"), list(cases()))
def test_values_become_what_the_case_says(transform, case):
    columns = {f"c{n}": pl.Series([value], dtype=TYPES[case["type"]]) for n, value in enumerate(case["input"])}
    params = transform.params.model_validate({k: str(v) for k, v in case["params"].items()})
    if "beside" in case:
        columns["beside"] = pl.Series([case["beside"]], dtype=pl.String)
    if "context" in case:
        assert params.context
        columns["context"] = pl.Series([case["context"]])
    taking = transform.taking(case["type"])
    apply = transform.numeric if transform.numeric is not None and case["type"] != "text" else taking.apply
    outcome = apply([pl.col(name) for name in columns], params, TABLES)
    masks = (*outcome.failed, *outcome.remarks)
    row = worked_out(pl.DataFrame(columns), outcome).select(
        outcome.value.alias("value"), *[m.fill_null(value=False).alias(f"m{n}") for n, (_, m) in enumerate(masks)]
    )
    found = [code for n, (code, _) in enumerate(masks) if row[f"m{n}"][0]]
    assert found == case.get("codes", [])
    assert row["value"][0] == case["value"]
    failed = {code for code, _ in outcome.failed}
    assert bool(failed & set(found)) == case.get("failed", False)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: t.name)
def test_every_transform_says_what_it_does(transform):
    assert transform.doc.strip()
    assert BY_NAME[transform.name] is transform


def test_kana_agrees_with_jaconv():
    text = "".join(chr(point) for point in range(0xFF66, 0xFF9E)) + "ｶﾞｷﾞﾊﾟﾋﾟｳﾞ"
    outcome = BY_NAME["kana"].apply([pl.col("c")], BY_NAME["kana"].params(), {})
    assert pl.DataFrame({"c": [text]}).select(outcome.value)["c"][0] == jaconv.h2z(text)


ERA_DAYS = {
    "明治": (datetime.date(1873, 1, 1), datetime.date(1912, 7, 30)),
    "大正": (datetime.date(1912, 7, 30), datetime.date(1926, 12, 25)),
    "昭和": (datetime.date(1926, 12, 25), datetime.date(1989, 1, 7)),
    "平成": (datetime.date(1989, 1, 8), datetime.date(2019, 4, 30)),
    "令和": (datetime.date(2019, 5, 1), datetime.date(2050, 12, 31)),
}
"""First and last days by law; those of 明治 from the Gregorian calendar on."""


def test_the_eras_are_those_of_the_law():
    assert [era.kanji for era in ERAS] == list(ERA_DAYS)
    for era, (first, last) in zip(ERAS, ERA_DAYS.values(), strict=True):
        assert era.last == (int(f"{last:%Y%m%d}") if era.name != "reiwa" else 99991231)
        assert era.before + 1 == (first.year if era.name != "meiji" else 1868)
        if era.name != "meiji":
            assert era.first == int(f"{first:%Y%m%d}")


@pytest.mark.parametrize("form", ["digits 1-5", "digits 1-9", "letter", "implied", "parts", "kanji", "latin"])
def test_every_day_of_every_era_is_read_in_every_form(form):
    """All 65,000 days from 1873 to 2050: the key is the day's own, its precision a day, and nothing is remarked on."""
    columns: dict[str, list[str]] = {}
    expected: list[str] = []
    for number, (era, (first, last)) in enumerate(zip(ERAS, ERA_DAYS.values(), strict=True)):
        day = first
        while day <= last:
            year = day.year - era.before
            rest = f"{year:02}{day:%m%d}"
            texts = {
                "digits 1-5": [f"{number + 1}{rest}"],
                "digits 1-9": [f"{2 * number + 1}{rest}"],
                "letter": [f"{era.letter}{rest}"],
                "implied": [rest],
                "parts": [str(number + 1), rest],
                "kanji": [f"{era.kanji}{_kanji(year) if year > 1 else '元'}年{_kanji(day.month)}月{_kanji(day.day)}日"],
                "latin": [f"{era.letter}{year}.{day.month}.{day.day}"],
            }[form]
            key = f"{era.name} {number}" if form == "implied" else "all"
            columns.setdefault(key, []).append("|".join(texts))
            expected.append(f"{day:%Y%m%d}")
            day += datetime.timedelta(days=1)
    found: list[str] = []
    for key, texts in columns.items():
        parts = (
            pl.DataFrame({"c": texts}).select(pl.col("c").str.split("|").list.to_struct(fields=["a", "b"])).unnest("c")
        )
        name, params = {
            "digits 1-5": ("wareki_date", {"eras": "1-5"}),
            "digits 1-9": ("wareki_date", {"eras": "1-9"}),
            "letter": ("wareki_date", {"form": "letter"}),
            "implied": ("wareki_date", {"form": "yymmdd", "era": key.split()[0]}),
            "parts": ("wareki_parts", {"eras": "1-5"}),
        }.get(form, ("wareki_text", {}))
        transform = BY_NAME[name]
        sources = [pl.col("a"), pl.col("b")] if name == "wareki_parts" else [pl.col("a")]
        outcome = transform.apply(sources, transform.params.model_validate(params), {})
        masks = [
            mask.fill_null(value=False).alias(f"m{n}")
            for n, (_, mask) in enumerate((*outcome.failed, *outcome.remarks))
        ]
        rows = worked_out(parts, outcome).select(outcome.value.alias("v"), *masks)
        assert not rows.select(pl.any_horizontal(pl.exclude("v")).any()).item()
        assert rows["v"].struct.field("precision").unique().to_list() == ["day"]
        found += rows["v"].struct.field("key").to_list()
    assert found == expected


@settings(deadline=None, max_examples=60)
@given(
    days=st.lists(
        st.tuples(
            st.dates(datetime.date(1900, 1, 1), datetime.date(2080, 12, 31)),
            st.dates(datetime.date(1900, 1, 1), datetime.date(2080, 12, 31)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_lacks_its_year_takes_that_of_the_fewest_days_away(days):
    """The year of MMDD and the century of YYMMDD are those that a search through all of them finds."""
    frame = pl.DataFrame({"near": [f"{near:%Y%m%d}" for near, _ in days]})
    for form, pattern in (("mmdd", "%m%d"), ("yymmdd", "%y%m%d")):
        transform = BY_NAME["date"]
        texts = pl.Series("c", [f"{day:{pattern}}" for _, day in days])
        params = transform.params.model_validate({"form": form, "near": "HEAD"})
        outcome = transform.apply([pl.col("c"), pl.col("near")], params, {})
        rows = worked_out(frame.with_columns(texts), outcome).select(outcome.value.alias("v"))["v"].struct.field("key")
        for (near, day), key in zip(days, rows, strict=True):
            years = range(near.year - 1, near.year + 2) if form == "mmdd" else range(day.year % 100 + 1700, 2300, 100)
            possible = [other for year in years if (other := _in_year(day, year))]
            if (day.month, day.day) != (2, 29) or (possible and form == "mmdd"):
                assert key == f"{min(possible, key=lambda other: (abs(other - near), other)):%Y%m%d}"
            else:
                assert key.endswith("0229")


def _in_year(day: datetime.date, year: int) -> datetime.date | None:
    try:
        return day.replace(year=year)
    except ValueError:
        return None


def _kanji(number: int) -> str:
    units = "〇一二三四五六七八九"
    tens, unit = divmod(number, 10)
    return ("" if tens < 2 else units[tens]) + ("十" if tens else "") + (units[unit] if unit or not tens else "")


@settings(deadline=None, max_examples=40)
@given(
    texts=st.lists(
        st.one_of(st.none(), st.text(max_size=12), st.text("0123456789A SHTMR.年月日元昭和", max_size=10)),
        min_size=1,
        max_size=8,
    )
)
def test_any_text_makes_a_date_or_a_code_and_never_an_error(texts):
    for name, params in (
        ("wareki_date", {"eras": "1-5", "unknown": "00,99,A"}),
        ("wareki_date", {"form": "letter"}),
        ("wareki_date", {"form": "yymmdd", "era": "showa"}),
        ("wareki_date", {"form": "yymmdd", "near": "2026-01-10", "unknown": "00,99,A"}),
        ("wareki_text", {}),
        ("date", {"unknown": "00,99,A"}),
        ("date", {"form": "mmdd", "near": "2026-01-10", "unknown": "00,99"}),
        ("date", {"form": "yyddd", "near": "2026-01-10"}),
        ("time", {}),
        ("timestamp", {}),
        ("digits", {"width": 44}),
        ("fiscal_year", {"form": "gyy", "eras": "1-5"}),
        ("kana", {"small": "fold", "long": "unify"}),
        ("address_key", {}),
    ):
        transform = BY_NAME[name]
        frame = pl.DataFrame({"c": pl.Series(texts, dtype=pl.String)})
        outcome = transform.taking("text").apply([pl.col("c")], transform.params.model_validate(params), {})
        failed = [mask.fill_null(value=False).alias(f"f{n}") for n, (_, mask) in enumerate(outcome.failed)]
        rows = worked_out(frame, outcome).select(pl.col("c"), outcome.value.alias("v"), *failed)
        for row in rows.iter_rows(named=True):
            lost = (
                row["v"] is None
                and row["c"] is not None
                and row["c"].strip(" \u3000\t\r\n\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0") != ""
            )
            if lost and failed and name not in ("fiscal_year", "timestamp"):
                assert any(row[f"f{n}"] for n in range(len(failed))), (name, row)


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("wareki_date", {}, "eras is missing"),
        ("wareki_date", {"form": "yymmdd"}, "era or near belongs to form yymmdd"),
        ("wareki_date", {"form": "yymmdd", "era": "showa", "near": "2026-04-01"}, "one of them"),
        ("wareki_date", {"form": "yymmdd", "era": "header.ERA"}, "eras is missing"),
        ("wareki_date", {"form": "letter", "near": "2026-04-01"}, "era or near belongs to form yymmdd"),
        ("date", {"form": "mmdd"}, "near belongs to the forms yymmdd, mmdd, yyddd"),
        ("date", {"near": "2026-04-01"}, "near belongs to the forms"),
        ("date", {"form": "mmdd", "near": "2026-02-30"}, "which is no day"),
        ("fiscal_year", {"form": "yy"}, "era or near belongs to form yy"),
        ("fiscal_year", {"form": "yyyy", "era": "reiwa"}, "era belongs to form yy"),
        ("fiscal_year", {"form": "date", "eras": "1-5"}, "eras belongs to form gyy"),
        ("wareki_date", {"eras": "1-5", "unknown": "00,88"}, "no coding of an unknown day"),
        ("fiscal_year", {"form": "gyy"}, "eras belongs to form gyy"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(name, params, says):
    with pytest.raises(pydantic.ValidationError, match=says):
        BY_NAME[name].params.model_validate(params)


def test_composing_kana_agrees_with_unicode_on_every_pair():
    kana = BY_NAME["kana"].apply([pl.col("c")], BY_NAME["kana"].params(), {})
    halves = [chr(point) for point in range(0xFF66, 0xFF9E)]
    pairs = [half + mark for half in halves for mark in "ﾞﾟ"]
    made = pl.DataFrame({"c": pairs}).select(kana.value)["c"].to_list()
    for pair, one in zip(pairs, made, strict=True):
        whole = unicodedata.normalize("NFKC", pair)
        mark = {"ﾞ": "゛", "ﾟ": "゜"}[pair[1]]
        assert one == (whole if len(whole) == 1 else unicodedata.normalize("NFKC", pair[0]) + mark)
