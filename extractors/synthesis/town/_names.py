"""An invented population: households that hang together, people with names, kana, dates and amounts.

Everything is drawn by the column; nobody in it is real, and nobody has an individual number. Ages fit (children are
younger than their parents, spouses near), each household has one head, and people become residents at birth or after.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

REFERENCE_DAY = np.datetime64("2026-04-01")
"""The day the registers are drawn up for."""

SURNAMES = (
    "佐藤 ｻﾄｳ|鈴木 ｽｽﾞｷ|高橋 ﾀｶﾊｼ|田中 ﾀﾅｶ|伊藤 ｲﾄｳ|渡辺 ﾜﾀﾅﾍﾞ|山本 ﾔﾏﾓﾄ|中村 ﾅｶﾑﾗ|小林 ｺﾊﾞﾔｼ|加藤 ｶﾄｳ|吉田 ﾖｼﾀﾞ|山田 ﾔﾏﾀﾞ|"
    "佐々木 ｻｻｷ|山口 ﾔﾏｸﾞﾁ|松本 ﾏﾂﾓﾄ|井上 ｲﾉｳｴ|木村 ｷﾑﾗ|林 ﾊﾔｼ|斎藤 ｻｲﾄｳ|清水 ｼﾐｽﾞ|山崎 ﾔﾏｻﾞｷ|森 ﾓﾘ|池田 ｲｹﾀﾞ|橋本 ﾊｼﾓﾄ|"
    "阿部 ｱﾍﾞ|石川 ｲｼｶﾜ|山下 ﾔﾏｼﾀ|中島 ﾅｶｼﾞﾏ|石井 ｲｼｲ|小川 ｵｶﾞﾜ|前田 ﾏｴﾀﾞ|岡田 ｵｶﾀﾞ|長谷川 ﾊｾｶﾞﾜ|藤田 ﾌｼﾞﾀ|後藤 ｺﾞﾄｳ|近藤 ｺﾝﾄﾞｳ|"
    "村上 ﾑﾗｶﾐ|遠藤 ｴﾝﾄﾞｳ|青木 ｱｵｷ|坂本 ｻｶﾓﾄ|福田 ﾌｸﾀﾞ|太田 ｵｵﾀ|西村 ﾆｼﾑﾗ|藤井 ﾌｼﾞｲ|金子 ｶﾈｺ|岡本 ｵｶﾓﾄ|藤原 ﾌｼﾞﾜﾗ|三浦 ﾐｳﾗ|"
    "中野 ﾅｶﾉ|原田 ﾊﾗﾀﾞ|松田 ﾏﾂﾀﾞ|竹内 ﾀｹｳﾁ|小野 ｵﾉ|田村 ﾀﾑﾗ|上田 ｳｴﾀﾞ|森田 ﾓﾘﾀ|宮崎 ﾐﾔｻﾞｷ|和田 ﾜﾀﾞ|石田 ｲｼﾀﾞ|内田 ｳﾁﾀﾞ"
)
MEN = (
    "一郎 ｲﾁﾛｳ|健 ｹﾝ|誠 ﾏｺﾄ|茂 ｼｹﾞﾙ|清 ｷﾖｼ|実 ﾐﾉﾙ|隆 ﾀｶｼ|浩 ﾋﾛｼ|修 ｵｻﾑ|豊 ﾕﾀｶ|正夫 ﾏｻｵ|和夫 ｶｽﾞｵ|大輔 ﾀﾞｲｽｹ|翔太 ｼｮｳﾀ|"
    "拓也 ﾀｸﾔ|直樹 ﾅｵｷ|蓮 ﾚﾝ|陽斗 ﾊﾙﾄ|大翔 ﾋﾛﾄ|悠真 ﾕｳﾏ|健太 ｹﾝﾀ|雄一 ﾕｳｲﾁ|哲也 ﾃﾂﾔ|学 ﾏﾅﾌﾞ"
)
WOMEN = (
    "花子 ﾊﾅｺ|和子 ｶｽﾞｺ|幸子 ｻﾁｺ|洋子 ﾖｳｺ|久美子 ｸﾐｺ|恵子 ｹｲｺ|京子 ｷｮｳｺ|真由美 ﾏﾕﾐ|直美 ﾅｵﾐ|さくら ｻｸﾗ|美咲 ﾐｻｷ|葵 ｱｵｲ|"
    "結衣 ﾕｲ|陽菜 ﾋﾅ|ヨシ子 ﾖｼｺ|キヨ ｷﾖ|ハル ﾊﾙ|愛 ｱｲ|彩 ｱﾔ|由美 ﾕﾐ|智子 ﾄﾓｺ|明美 ｱｹﾐ|千代 ﾁﾖ|凛 ﾘﾝ"
)
TOWNS = (
    "中央",
    "本町",
    "栄町",
    "北野",
    "南原",
    "東山",
    "西浜",
    "緑台",
    "松原",
    "桜木",
    "大字上田字前畑",
    "大字下川字向田",
)
BUILDINGS = (
    "",
    "",
    "",
    "コーポ桜２０１号",
    "メゾン東山１０３",
    "ハイツ緑Ｂ棟５",
    "サンハイム松原４０２",
    "グリーンコート中央Ａ１１",
)
REMARKS = ("転出予定〜確認", "漢字氏名の確認済", "ABC 照会 XYZ", "住所地番確認−要")

_WIDE = "０１２３４５６７８９"


@dataclasses.dataclass(frozen=True, slots=True)
class Population:
    """Households and residents, by column.

    Attributes:
        households: one row a household, in order of its number.
        residents: one row a resident, household by household, the head first; `household` indexes households.
    """

    households: pl.DataFrame
    residents: pl.DataFrame


def populate(
    residents: int, *, rng: np.random.Generator, first_household: int = 1, first_resident: int = 1
) -> Population:
    """Invent a population.

    Args:
        residents: how many people.
        rng: where chance comes from.
        first_household: the number of the first household.
        first_resident: the number of the first resident.
    """
    sizes = _sizes(residents, rng)
    count = len(sizes)
    household = np.repeat(np.arange(count), sizes)
    place = np.arange(residents) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    of = {name: values[household] for name, values in _heads(sizes, rng).items()}

    spouse = (place == 1) & of["couple"]
    parent = (place >= 2) & (rng.random(residents) < 0.08) & (of["age"] < 65)
    head = place == 0
    child = ~(head | spouse | parent)
    male = np.where(head, of["male"], np.where(spouse, ~of["male"], rng.random(residents) < 0.5))
    age = np.select(
        [head, spouse, parent],
        [
            of["age"],
            np.maximum(18, of["age"] + rng.integers(-6, 7, residents)),
            np.minimum(104, of["age"] + rng.integers(20, 33, residents)),
        ],
        np.maximum(0, of["age"] - rng.integers(20, 40, residents)),
    )
    birth = REFERENCE_DAY - (age * 365.25 + rng.integers(1, 360, residents)).astype("timedelta64[D]")
    lived = (REFERENCE_DAY - birth).astype(np.int64)
    born_here = rng.random(residents) < 0.45
    since = birth + np.where(born_here, 0, (rng.random(residents) * lived).astype(np.int64)).astype("timedelta64[D]")
    processed = np.minimum(since + rng.integers(0, 15, residents).astype("timedelta64[D]"), REFERENCE_DAY)
    relationship = np.select(
        [head, spouse & male, spouse, parent & male, parent, child], ["01", "02", "03", "21", "22", "11"], "41"
    )
    earned = np.where(
        rng.random(residents) < 0.05, -rng.integers(1, 9_000, residents), rng.integers(0, 900_000, residents)
    )
    tax = np.where((age >= 20) & (rng.random(residents) < 0.6), earned, 0)

    surname = rng.integers(0, len(_names(SURNAMES)), count)[household]
    men, women = rng.integers(0, len(_names(MEN)), residents), rng.integers(0, len(_names(WOMEN)), residents)
    numbers = first_resident + np.arange(residents)
    frame = pl.DataFrame(
        {
            "household": household,
            "resident_no": 1_000_000_000 + numbers,
            "household_no": first_household + household,
            "name": _join(_names(SURNAMES), surname, _names(MEN), _names(WOMEN), men, women, male, 0, "\u3000"),
            "kana": _join(_names(SURNAMES), surname, _names(MEN), _names(WOMEN), men, women, male, 1, " "),
            "sex": np.where(male, 1, 2),
            "relationship": relationship,
            "birth": era_date(birth),
            "resident_since": era_date(since),
            "change_reason": np.where(born_here, "11", "12"),
            "changed": era_date(since),
            "processed": era_date(processed),
            "tax": tax,
            "protected": np.where(rng.random(residents) < 0.002, "1", ""),
            "remarks": np.where(
                rng.random(residents) < 0.03, np.array(REMARKS)[rng.integers(0, len(REMARKS), residents)], ""
            ),
        }
    )
    places = _places(count, rng)
    head_numbers = frame["resident_no"].to_numpy()[np.cumsum(sizes) - sizes]
    mean = np.bincount(household, weights=tax, minlength=count) / sizes
    established = since[np.cumsum(sizes) - sizes]
    homes = places.with_columns(
        household_no=first_household + np.arange(count),
        members=sizes,
        head_no=head_numbers,
        established=era_date(established),
        average=np.round(mean * 100).astype(np.int64),
    )
    own = pl.Series("household", household)
    frame = frame.with_columns(
        postal_code=homes["postal_code"].gather(own),
        address=homes["address"].gather(own),
        building=homes["building"].gather(own),
    )
    return Population(homes, frame)


def era_date(days: np.ndarray) -> np.ndarray:
    """Days as GYYMMDD numbers of the Japanese calendar (1 明治 to 5 令和), int64."""
    starts = np.array(["1868-01-25", "1912-07-30", "1926-12-25", "1989-01-08", "2019-05-01"], "datetime64[D]")
    before_first = np.array([1867, 1911, 1925, 1988, 2018])
    era = np.searchsorted(starts, days, side="right") - 1
    months = days.astype("datetime64[M]")
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    return np.asarray((era + 1) * 1_000_000 + (year - before_first[era]) * 10_000 + month * 100 + day)


def _sizes(residents: int, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.choice(np.arange(1, 7), size=residents, p=[0.38, 0.28, 0.16, 0.12, 0.04, 0.02])
    ends = np.cumsum(drawn)
    count = int(np.searchsorted(ends, residents)) + 1 if residents else 0
    sizes = drawn[:count].copy()
    if count:
        sizes[-1] -= ends[count - 1] - residents
    return sizes


def _heads(sizes: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    age = np.clip(rng.normal(55, 17, len(sizes)), 20, 97).astype(np.int64)
    return {
        "age": np.where(sizes > 2, np.clip(age, 27, 78), age),
        "male": rng.random(len(sizes)) < 0.74,
        "couple": rng.random(len(sizes)) < 0.85,
    }


def _names(text: str) -> list[tuple[str, str]]:
    return [(entry.split(" ")[0], entry.split(" ")[1]) for entry in text.split("|")]


def _join(
    surnames: list[tuple[str, str]],
    surname: np.ndarray,
    men_names: list[tuple[str, str]],
    women_names: list[tuple[str, str]],
    men: np.ndarray,
    women: np.ndarray,
    male: np.ndarray,
    form: int,
    space: str,
) -> pl.Series:
    given = [n[form] for n in men_names] + [n[form] for n in women_names]
    index = np.where(male, men, len(men_names) + women)
    # Every pair is spelled once and then taken by number.
    pairs = pl.Series([f"{s[form]}{space}{g}" for s in surnames for g in given])
    return pairs.gather(surname * len(given) + index)


def _places(count: int, rng: np.random.Generator) -> pl.DataFrame:
    def wide(number: int) -> str:
        return "".join(_WIDE[int(digit)] for digit in str(number))

    chome = [f"{town}{n}丁目" for town in TOWNS for n in "一二三四五"]
    street = [f"{wide(block)}番{wide(house)}号" for block in range(1, 41) for house in range(1, 31)]
    return pl.DataFrame(
        {
            "address": pl.Series(chome).gather(rng.integers(0, len(chome), count))
            + pl.Series(street).gather(rng.integers(0, len(street), count)),
            "building": pl.Series(BUILDINGS).gather(rng.integers(0, len(BUILDINGS), count)),
            "postal_code": 9_990_000 + rng.integers(0, 9_999, count),
        }
    )
