"""As what values are compared where it is asked whether two rows are one person: texts made alike for comparing, never stored.

Null and blank say nothing, and no pair is made of them.

Sources: 住民記録システム標準仕様書 (氏名, フリガナ and 生年月日 as the items of a name search, あいまい検索 over variants of kanji, small kana and
long marks); 常用漢字表 and 人名用漢字 別表第二 (which forms of a kanji are one); the forms beyond them are those met in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from mappings.transforms import BY_NAME
from migration_reports.candidates import Compared, Form

_VARIANTS = (
    "髙高 﨑崎 嵜崎 邊辺 邉辺 齊斉 齋斎 澤沢 濱浜 濵浜 廣広 櫻桜 德徳 渕淵 槙槇 嶋島 嶌島 𠮷吉 曾曽 冨富 舘館 瀨瀬 眞真 國国 龍竜 萬万 與与 藏蔵 惠恵 條条 "
    "榮栄 禮礼 壽寿 寬寛 圓円 靜静 豐豊 增増 黑黒 橫横 淸清 靑青 靏鶴 兒児 會会 學学 實実 總総 聰聡 關関 鹽塩 驛駅 鐵鉄 瀧滝 檜桧 籠篭 薗園 埜野 峯峰 峽峡 嶽岳 "
    "來来 乘乗 佛仏 傳伝 團団 壯壮 將将 專専 巢巣 廳庁 應応 戶戸 曉暁 榊榊 樂楽 氣気 澁渋 燈灯 爲為 獨独 畫画 盡尽 祿禄 福福 稻稲 穗穂 縣県 縱縦 繩縄 聲声 "
    "莊荘 藝芸 號号 蟲虫 裝装 觀観 譽誉 豫予 貳弐 賣売 轉転 遲遅 郞郎 鄕郷 醫医 釋釈 鑛鉱 陷陥 隆隆 雜雑 靈霊 顯顕 驗験 鷗鴎 鷄鶏 麥麦 黃黄 齒歯 萠萌 桒桑 "
    "栁柳 礒磯 辻辻 髮髪 凛凜 堯尭 巖巌 彌弥 搖揺 晉晋 槪概 溫温 琢琢 祐祐 緖緒 薰薫 諸諸 都都 巳巳"
)
"""A form of a kanji of names, and the usual one that it is compared as."""

_FOLDED = {pair[0]: pair[1] for pair in _VARIANTS.split() if pair[0] != pair[1]}
_HIRAGANA = {chr(point): chr(point + 0x60) for point in range(0x3041, 0x3097)}
_SELECTORS = r"\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}"


def _text(value: pl.Expr) -> pl.Expr:
    """Of one width, without spaces and marks of variants, capitals and lower case one, the usual form of each kanji."""
    one_width = value.str.normalize("NFKC").str.to_lowercase()
    return one_width.str.replace_all(f"[\\s{_SELECTORS}]", "").str.replace_many(_FOLDED)


def _kana(value: pl.Expr) -> pl.Expr:
    """Katakana of one width, large, with one long mark, without what parts names."""
    one_width = value.str.normalize("NFKC").str.to_uppercase().str.replace_many(_HIRAGANA)
    return _by("kana", one_width, small="fold", long="unify").str.replace_all(r"[\s・,.、。]", "")


def _address(value: pl.Expr) -> pl.Expr:
    """The key of an address, over the usual forms of kanji."""
    return _by("address_key", value.str.replace_many(_FOLDED))


def _by(name: str, value: pl.Expr, **params: str) -> pl.Expr:
    """What a transform makes of a value."""
    transform = BY_NAME[name]
    return transform.apply([value], transform.params.model_validate(params), {}).value


def _exact(value: pl.Expr) -> pl.Expr:
    return value.str.strip_chars()


_MAKE: Mapping[Form, Callable[[pl.Expr], pl.Expr]] = {
    "exact": _exact, "text": _text, "kana": _kana, "address": _address, "day": _exact,
}  # fmt: skip


def likeness(compared: Compared, item: str) -> pl.Expr:
    """What an item of a row is compared as, as text; null where it says nothing.

    Args:
        compared: as what.
        item: the item, of the one table or the other.
    """
    value = pl.col(f"{item}_key" if compared.form == "day" else item)
    made = _MAKE[compared.form](value.cast(pl.String))
    says = (made != "") & (pl.col(f"{item}_precision") == "day") if compared.form == "day" else made != ""
    return pl.when(says).then(made)
