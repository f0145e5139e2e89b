"""The words of the field, as copybooks abbreviate them: what a name or a comment says, and which columns say the same.

A term is one idea (世帯, 番号, 生年月日). Copybooks write it in romaji, in English, abbreviated, or in Japanese; a target's
columns write it in their titles. What layouts call one item stands in the sheets of its system (`words`). Names are
compared by the terms that both hold, so that BJ-SETAI-NO and 世帯番号 meet.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from target_schemas.systems import SYSTEMS

RULES = " -=*>"
"""What comments are ruled off with."""

LIGHT, USUAL, HEAVY = 0.5, 1.0, 2.0
"""How much a term weighs: a number or a day stands in many titles, an average or a kana spelling in few."""


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """One idea.

    Attributes:
        ja: how columns write it.
        words: how copybooks write it in Latin letters.
        also: other Japanese spellings of it.
        weight: how much it tells.
    """

    ja: str
    words: str = ""
    also: tuple[str, ...] = ()
    weight: float = USUAL


TERMS: tuple[Term, ...] = (
    Term("宛名", "ATENA JUMIN JYUMIN KOJIN PERSON RESIDENT", ("住民", "個人")),
    Term("住民", "JUMIN JYUMIN RESIDENT"),
    Term("世帯", "SETAI STAI HOUSEHOLD HH FAMILY"),
    Term("世帯主", "NUSHI SETAINUSHI HEAD", weight=HEAVY),
    Term("番号", "NO NUM NUMBER BANGO BANGOU ID", ("No", "ＮＯ"), LIGHT),
    Term("氏名", "SHIMEI SIMEI KANJI NAME NM MEI", ("名前", "漢字")),
    Term("フリガナ", "KANA FURIGANA", ("カナ", "ふりがな", "かな", "仮名"), HEAVY),
    Term("住所", "JUSHO JUSYO JYUSHO JYUSYO ADDR ADDRESS SHOZAI", ("所在地",)),
    Term("方書", "KATAGAKI KATA BUILDING BLDG TATEMONO", ("建物",), HEAVY),
    Term("異動", "IDO IDOU CHANGE CHG"),
    Term("事由", "JIYU JIYUU REASON RIYU", ("理由",)),
    Term("届出", "TODOKE TODOKEDE REPORT"),
    Term("処理", "SHORI SYORI KOSHIN KOUSHIN UPDATE UPD", ("更新",)),
    Term("設定", "SETTEI ESTABLISH SET"),
    Term("日", "YMD BI DATE DT HI NENGAPPI DAY", ("年月日", "日付"), LIGHT),
    Term("人数", "NINZU NINZUU MEMBERS", ("員数",)),
    Term("件数", "CNT COUNT KENSU KENSUU KAISU", ("回数",)),
    Term("平均", "HEIKIN AVG AVERAGE", weight=HEAVY),
    Term("額", "GAKU KINGAKU AMOUNT AMT", ("金額",), LIGHT),
    Term("履歴", "RIREKI HIST HISTORY RRK"),
    Term("抑止", "YOKUSHI SHIEN BLOCK PROTECT DV", ("支援",)),
    Term("種別", "SHUBETSU SYUBETSU KIND TYPE", weight=LIGHT),
    Term("区分", "KUBUN KBN FLG FLAG", weight=LIGHT),
    Term("コード", "CD CODE", weight=LIGHT),
    Term("電話", "TEL DENWA PHONE"),
    Term("国籍", "KOKUSEKI NATION NATIONALITY"),
    Term("本籍", "HONSEKI DOMICILE", weight=HEAVY),
    Term("旧", "KYU MAE OLD PREV", ("前",), HEAVY),
    Term("年度", "NENDO FY"),
    Term("年月", "YM NENGETSU NENGETU"),
    Term("生年月日", "SEINEN SEINENGAPPI BIRTH", weight=HEAVY),
    Term("性別", "SEI SEIBETSU SEIBETU SEX", weight=HEAVY),
    Term("枝番", "EDA EDABAN"),
    Term("連番", "RENBAN SEQ", weight=LIGHT),
    Term("状態", "JOTAI STATUS", ("状況",)),
    Term("件名", "KENMEI"),
    Term("名称", "MEISHO MEISYO MEI", ("名",), LIGHT),
    Term("代表者", "DAIHYO DAIHYOSHA"),
    Term("法人", "HOJIN HOUJIN CORP"),
    Term("職員", "SHOKUIN SYOKUIN STAFF EMPLOYEE"),
    Term("所属", "SHOZOKU SYOZOKU SECTION", ("部署",)),
    Term("発令", "HATSUREI"),
    Term("採用", "SAIYO SAIYOU"),
    Term("退職", "TAISHOKU TAISYOKU"),
    Term("勤務", "KINMU"),
    Term("会計", "KAIKEI"),
    Term("科目", "KAMOKU"),
    Term("事業", "JIGYO JIGYOU"),
    Term("負担", "FUTAN"),
    Term("支払", "SHIHARAI SIHARAI"),
    Term("支出", "SHISHUTSU SISYUTU"),
    Term("債権者", "SAIKEN SAIKENSHA"),
    Term("予定", "YOTEI"),
    Term("税目", "ZEIMOKU"),
    Term("年税額", "NENZEI NENZEIGAKU", weight=HEAVY),
    Term("調定", "CHOTEI TYOTEI"),
    Term("収納", "SHUNO SYUNO SHUNOU", ("収入",)),
    Term("領収", "RYOSHU RYOSYU"),
    Term("納付", "NOFU NOUFU"),
    Term("納期", "NOKI NOUKI", ("納期限",)),
    Term("通知", "TSUCHI TUTI"),
    Term("期別", "KI KIBETSU", ("期",), LIGHT),
    Term("更正", "KOSEI KOUSEI"),
    Term("土地", "TOCHI TOTI"),
    Term("家屋", "KAOKU"),
    Term("所有者", "SHOYU SHOYUSHA"),
    Term("大字", "OAZA"),
    Term("小字", "KOAZA", ("字",)),
    Term("地番", "CHIBAN TIBAN"),
    Term("地目", "CHIMOKU TIMOKU"),
    Term("地積", "CHISEKI TISEKI"),
    Term("面積", "MENSEKI AREA"),
    Term("構造", "KOZO KOUZOU"),
    Term("評価", "HYOKA HYOUKA"),
    Term("価格", "KAKAKU PRICE"),
    Term("取得", "SHUTOKU SYUTOKU"),
    Term("喪失", "SOSHITSU SOSITU"),
    Term("認定", "NINTEI"),
    Term("支給", "SHIKYU SIKYU", ("給付",)),
    Term("開始", "KAISHI KAISI FROM START"),
    Term("終了", "SHURYO SYURYO TO END"),
    Term("廃止", "HAISHI HAISI"),
    Term("登録", "TOROKU TOUROKU"),
    Term("有効", "YUKO YUUKOU VALID"),
    Term("期限", "KIGEN"),
    Term("銀行", "GINKO GINKOU BANK", ("金融機関",)),
    Term("支店", "SHITEN SITEN BRANCH"),
    Term("預金種目", "SHUMOKU SYUMOKU", ("種目",)),
    Term("口座", "KOZA KOUZA ACCOUNT"),
    Term("名義", "MEIGI HOLDER", ("名義人",)),
    Term("申請", "SHINSEI SINSEI APPLICATION"),
    Term("到達", "TOTATSU"),
    Term("受付", "UKETSUKE"),
    Term("審査", "SHINSA SINSA"),
    Term("手続", "TETSUZUKI"),
    Term("利用者", "RIYOSHA RIYOUSHA USER"),
    Term("施設", "SHISETSU SISETU FACILITY"),
    Term("室", "SHITSU SITU ROOM"),
    Term("予約", "YOYAKU RESERVATION"),
    Term("料金", "RYOKIN RYOUKIN FEE"),
    Term("減免", "GENMEN"),
    Term("使用料", "SHIYORYO"),
    Term("手数料", "TESURYO"),
    Term("契約", "KEIYAKU CONTRACT"),
    Term("業者", "GYOSHA GYOUSHA VENDOR"),
    Term("業種", "GYOSHU GYOUSHU"),
    Term("入札", "NYUSATSU BID"),
    Term("開札", "KAISATSU"),
    Term("簿冊", "BOSATSU"),
    Term("文書", "BUNSHO BUNSYO DOCUMENT"),
    Term("起案", "KIAN"),
    Term("決裁", "KESSAI"),
    Term("施行", "SHIKO SIKO"),
    Term("分類", "BUNRUI"),
    Term("保存", "HOZON"),
    Term("団地", "DANCHI"),
    Term("家賃", "YACHIN YATIN RENT"),
    Term("入居", "NYUKYO"),
    Term("退去", "TAIKYO"),
    Term("敷金", "SHIKIKIN"),
    Term("続柄", "ZOKU ZOKUGARA", weight=HEAVY),
    Term("災害", "SAIGAI"),
    Term("罹災", "RISAI", ("り災",)),
    Term("備考", "BIKO BIKOU MEMO REMARKS", ("摘要",), HEAVY),
)
"""The terms that many titles are made of; a word of several terms may mean any of them."""


@functools.cache
def terms() -> tuple[Term, ...]:
    """Every term: what the sheets of the target systems say that layouts call an item, and the field's own."""
    words: dict[str, dict[str, None]] = {}
    for item in (item for system in SYSTEMS for table in system.tables for item in table.items if item.words):
        words.setdefault(item.ja, {}).update(dict.fromkeys(item.words))
    said = tuple(
        Term(ja, " ".join(w.upper() for w in of if w.isascii()), tuple(w for w in of if not w.isascii()))
        for ja, of in words.items()
    )
    return (*said, *TERMS)


@functools.cache
def _by_word() -> dict[str, tuple[Term, ...]]:
    found: dict[str, tuple[Term, ...]] = {}
    for term in terms():
        for word in term.words.split():
            found[word] = (*found.get(word, ()), term)
    return found


@functools.cache
def _by_spelling() -> tuple[tuple[str, tuple[Term, ...]], ...]:
    """Japanese spellings, the longest first, so that 世帯主 is not read as 世帯."""
    found: dict[str, tuple[Term, ...]] = {}
    for term in terms():
        for spelling in (term.ja, *term.also):
            found[spelling] = (*found.get(spelling, ()), term)
    return tuple(sorted(found.items(), key=lambda pair: -len(pair[0])))


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What a name or comment says: for each word, the terms that it may mean; and the words that nobody knows."""

    ideas: tuple[tuple[str, tuple[Term, ...]], ...]
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ideas)


def said_by(text: str, prefix: str = "") -> Said:
    """Read a data name or a comment.

    Args:
        text: as it stands in the copybook; half-width kana are read as what they stand for.
        prefix: what every name of the record begins with; it says nothing.
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = plain.removeprefix(prefix) if prefix else plain
    ideas: list[tuple[str, tuple[Term, ...]]] = []
    unknown: list[str] = []
    for word in re.findall(r"[A-Za-z]+|[^\x00-\x7f]+", plain):
        if word.isascii():
            parts = _romaji(word.upper())
            ideas.extend((part, _by_word()[part]) for part in parts or ())
            unknown.extend([word.upper()] if parts is None else [])
        else:
            found, rest = _japanese(word)
            ideas.extend(found)
            unknown.extend([rest] if re.search(r"[\u4e00-\u9fff]", rest) else [])
    return Said(tuple(dict.fromkeys(ideas)), tuple(unknown))


def common_prefix(names: Sequence[str]) -> str:
    """The word that most names of a record begin with, hyphen included; empty where there is none."""
    heads: dict[str, int] = {}
    for name in names:
        head, hyphen, rest = name.partition("-")
        if hyphen and rest:
            heads[f"{head}-"] = heads.get(f"{head}-", 0) + 1
    best = max(heads, key=lambda head: heads[head], default="")
    return best if best and heads[best] * 2 > len(names) and heads[best] > 1 else ""


def likeness(title: Said, said: Said) -> float:
    """How alike a column's title and a field's words are: 1 where they say the same, 0 where they share nothing."""
    wanted = [terms for _, terms in title.ideas]
    matched = total = 0.0
    for terms in wanted:
        weight = max(term.weight for term in terms)
        total += weight
        matched += weight if any(_shares(terms, other) for _, other in said.ideas) else 0.0
    total += USUAL * len(title.unknown)
    for _, terms in said.ideas:
        # 世帯 before 世帯主 says nothing more, so a word that a matched title contains costs nothing.
        known = any(_shares(terms, other) or _inside(terms, other) for other in wanted)
        total += 0.0 if known else min(term.weight for term in terms)
    total += LIGHT * len(said.unknown)
    return matched / total if total else 0.0


def terms_of(said: Iterable[tuple[str, tuple[Term, ...]]]) -> str:
    """The terms as people write them, for a reason."""
    return " ".join(dict.fromkeys(terms[0].ja for _, terms in said))


def _shares(mine: tuple[Term, ...], other: tuple[Term, ...]) -> bool:
    return any(term in other for term in mine)


def _inside(mine: tuple[Term, ...], other: tuple[Term, ...]) -> bool:
    return any(term.ja in whole.ja for term in mine for whole in other)


def _romaji(word: str) -> tuple[str, ...] | None:
    """A word as the known words that it is made of (SETAINO: SETAI, NO); None where it is not."""
    if word in _by_word():
        return (word,)
    for length in range(len(word) - 2, 2, -1):
        if word[:length] in _by_word() and (rest := _romaji(word[length:])) is not None:
            return (word[:length], *rest)
    return None


def _japanese(word: str) -> tuple[list[tuple[str, tuple[Term, ...]]], str]:
    found: list[tuple[str, tuple[Term, ...]]] = []
    at, rest = 0, ""
    while at < len(word):
        spelling = next((pair for pair in _by_spelling() if word.startswith(pair[0], at)), None)
        if spelling is None:
            rest += word[at]
            at += 1
        else:
            found.append(spelling)
            at += len(spelling[0])
    return found, rest


def comments_of(text: str) -> Mapping[int, str]:
    """What is written beside the items of a copybook, by line.

    On the line itself behind `*>` or in columns 73 to 80, or on the comment line just above.
    """
    found: dict[int, str] = {}
    above = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line[6:7] in ("*", "/") or line.lstrip().startswith("*>"):
            above = line[7:].strip(RULES)
            continue
        _, marked, comment = line.partition("*>")
        # Columns 73 to 80 often hold nothing but numbers; text that runs across column 72 is no comment.
        beside = comment if marked else line[72:] if line[71:72].isspace() else ""
        said = above if beside.strip().isdigit() else beside.strip(RULES) or above
        if said:
            found[number] = said[:120]
        above = ""
    return found
