"""What people, streets and firms are called in an invented town: each pair is spelled once and then taken by number."""

from __future__ import annotations

import functools

import numpy as np
import polars as pl

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
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
FIRMS = (
    "桜商店 ｻｸﾗｼﾖｳﾃﾝ|緑建設 ﾐﾄﾞﾘｹﾝｾﾂ|松原工業 ﾏﾂﾊﾞﾗｺｳｷﾞﾖｳ|東山農園 ﾋｶﾞｼﾔﾏﾉｳｴﾝ|本町運輸 ﾎﾝﾏﾁｳﾝﾕ|北野電機 ｷﾀﾉﾃﾞﾝｷ|南原水産 ﾐﾅﾐﾊﾗｽｲｻﾝ|"
    "西浜観光 ﾆｼﾊﾏｶﾝｺｳ|中央印刷 ﾁﾕｳｵｳｲﾝｻﾂ|栄町薬局 ｻｶｴﾁﾖｳﾔﾂｷﾖｸ|桜木測量 ｻｸﾗｷﾞｿｸﾘﾖｳ|緑台保育 ﾐﾄﾞﾘﾀﾞｲﾎｲｸ"
)
FORMS = "株式会社 ｶ)|有限会社 ﾕ)|合同会社 ﾄﾞ)|一般社団法人 ｼﾔ)"


def people(rng: np.random.Generator, male: np.ndarray, household: np.ndarray) -> tuple[pl.Series, pl.Series]:
    """The names of people, in kanji and in half-width kana; who is of one household has one surname.

    Args:
        rng: where chance comes from.
        male: whose given name is a man's.
        household: the household of each, from 0.
    """
    count = len(male)
    households = int(household.max(initial=-1)) + 1
    surname = rng.integers(0, len(_pairs(SURNAMES)), households)[household]
    men, women = rng.integers(0, len(_pairs(MEN)), count), rng.integers(0, len(_pairs(WOMEN)), count)
    given = np.where(male, men, len(_pairs(MEN)) + women)
    number = surname * (len(_pairs(MEN)) + len(_pairs(WOMEN))) + given
    kanji, kana = _whole_names()
    return kanji.gather(number), kana.gather(number)


def firms(rng: np.random.Generator, count: int) -> tuple[pl.Series, pl.Series]:
    """The names of corporations, in kanji and in half-width kana."""
    pairs = [(form, firm) for form in _pairs(FORMS) for firm in _pairs(FIRMS)]
    number = rng.integers(0, len(pairs), count)
    kanji = pl.Series([f"{form[0]}{firm[0]}" for form, firm in pairs])
    kana = pl.Series([f"{form[1]}{firm[1]}" for form, firm in pairs])
    return kanji.gather(number), kana.gather(number)


def places(rng: np.random.Generator, count: int) -> pl.DataFrame:
    """Where people live: postal_code, address, building."""
    chome, streets = _streets()
    return pl.DataFrame(
        {
            "postal_code": (9_990_000 + pl.Series(rng.integers(0, 9_999, count))).cast(pl.String),
            "address": chome.gather(rng.integers(0, len(chome), count))
            + streets.gather(rng.integers(0, len(streets), count)),
            "building": pl.Series(BUILDINGS).gather(rng.integers(0, len(BUILDINGS), count)),
        }
    )


@functools.cache
def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((entry.split(" ")[0], entry.split(" ")[1]) for entry in text.split("|"))


@functools.cache
def _whole_names() -> tuple[pl.Series, pl.Series]:
    given = _pairs(MEN) + _pairs(WOMEN)
    kanji = pl.Series([f"{s[0]}\u3000{g[0]}" for s in _pairs(SURNAMES) for g in given])
    kana = pl.Series([f"{s[1]} {g[1]}" for s in _pairs(SURNAMES) for g in given])
    return kanji, kana


@functools.cache
def _streets() -> tuple[pl.Series, pl.Series]:
    def wide(number: int) -> str:
        return str(number).translate(_WIDE)

    chome = pl.Series([f"{town}{n}丁目" for town in TOWNS for n in "一二三四五"])
    return chome, pl.Series([f"{wide(block)}番{wide(house)}号" for block in range(1, 41) for house in range(1, 31)])
