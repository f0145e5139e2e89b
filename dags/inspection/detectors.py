"""What a field's contents look like: detectors that judge by its profile alone, and say why in plain words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from dags.inspection.value_tests import BY_READING
from migration_reports.records.profile_record import Dates, Detection, FieldProfile

DATE_SHARE = 0.95


@dataclasses.dataclass(frozen=True, slots=True)
class Detector:
    """Judges whether a field looks like one thing.

    Attributes:
        name: the detector's, as other code asks for it.
        title: what it is, for people.
        title_ja: the same in Japanese.
        judge: gives confidence, reason, reason in Japanese and the readings that fit; None where it does not look so.
    """

    name: str
    title: str
    title_ja: str
    judge: Callable[[FieldProfile], tuple[float, str, str, tuple[str, ...]] | None]


Judgement = tuple[float, str, str, tuple[str, ...]]


def _share(p: FieldProfile, test: str) -> float:
    return p.passed.get(test, 0) / p.filled if p.filled else 0.0


def _percent(share: float) -> str:
    """A share, cut and not rounded: 100% is said of all only."""
    return f"{int(share * 1000) / 10:g}%"


def _postal_code(p: FieldProfile) -> Judgement | None:
    share = _share(p, "postal")
    marked = p.longest == 8
    if share < 0.9 or p.dates or (p.rising and not marked):
        return None
    few = p.distinct * 2 <= p.filled
    # A whole town shares few postal codes; where none repeats, the digits may be anything.
    base = 0.97 if marked else 0.5 if _is_key(p) else (0.65 if p.type == "number" else 0.7) + (0.15 if few else 0.0)
    form = "three digits, a hyphen and four" if marked else "seven digits"
    form_ja = "3桁-4桁" if marked else "7桁の数字"
    return (
        base * share,
        f"{_percent(share)} are {form}, no date{', and values repeat' if few else ''}",
        f"{_percent(share)} が{form_ja}で、日付ではない{'。同じ値が繰り返し現れる' if few else ''}",
        (),
    )


def _era_date(p: FieldProfile) -> Judgement | None:
    fits = [d for d in p.dates if d.reading.startswith("wareki")]
    if not fits or fits[0] is not p.dates[0]:
        return None
    best = fits[0]
    of_form = [d for d in fits if d.eras and d.reading.endswith(best.reading.rpartition(" ")[2])]
    dates = max(p.filled - p.no_dates, 1)
    years = f"{best.first_year}–{best.last_year}"
    share = _percent(best.count / dates)
    # A tie within the noise of faulty records leaves the family of era digits open.
    tied = [d for d in of_form if best.count - d.count <= 0.002 * dates]
    if len(tied) > 1:
        other = tied[1]
        return (
            0.7,
            f"{share} are dates by either family of era digits: {best.eras} would give the years {years}, "
            f"{other.eras} {other.first_year}–{other.last_year}; ask which the system uses",
            f"{share} が日付として読めるが、元号コードの体系は決められない。{best.eras} なら {years} 年、"
            f"{other.eras} なら {other.first_year}–{other.last_year} 年となる。移行元の資料で確かめること",
            tuple(d.eras for d in tied),
        )
    choices = (best.eras,) if best.eras else ()
    return (
        0.97,
        f"{share} are dates read as {best.reading}, years {years}",
        f"{share} が {best.reading} の日付として読める。{years} 年",
        choices,
    )


def _gregorian_date(p: FieldProfile) -> Judgement | None:
    if not p.dates or p.dates[0].reading.startswith("wareki") or not BY_READING[p.dates[0].reading].dated:
        return None
    best = p.dates[0]
    share = _percent(best.count / max(p.filled - p.no_dates, 1))
    years = f"{best.first_year}–{best.last_year}"
    return (
        0.97 if best.reading != "YYYYMM" else 0.8,
        f"{share} are dates read as {best.reading}, years {years}",
        f"{share} が {best.reading} の日付として読める。{years} 年",
        (best.reading,),
    )


def _short_date(p: FieldProfile) -> Judgement | None:
    if not p.dates or BY_READING[p.dates[0].reading].dated:
        return None
    share = _percent(p.dates[0].count / max(p.filled - p.no_dates, 1))
    return (
        0.75,
        f"{share} are YYMMDD; the era or the century must stand elsewhere",
        f"{share} が YYMMDD として読める。元号または世紀は別の項目にあるはずである",
        (p.dates[0].reading,),
    )


def _kana_name(p: FieldProfile) -> Judgement | None:
    kana, spaced = _share(p, "kana"), _share(p, "spaced")
    if kana < 0.95 or (p.longest or 0) < 3:
        return None
    if spaced >= 0.8:
        return (
            0.9 * kana,
            f"{_percent(kana)} are kana, {_percent(spaced)} with a space in between",
            f"{_percent(kana)} がカナで、{_percent(spaced)} は空白で区切られている",
            (),
        )
    return (
        0.45,
        f"{_percent(kana)} are kana, mostly without a space",
        f"{_percent(kana)} がカナだが、空白の区切りは少ない",
        (),
    )


def _kanji_name(p: FieldProfile) -> Judgement | None:
    kanji, spaced, address = (_share(p, test) for test in ("kanji", "spaced", "address"))
    if kanji < 0.9 or spaced < 0.8 or address > 0.2:
        return None
    return (
        0.92 * kanji,
        f"{_percent(kanji)} are kanji without digits, {_percent(spaced)} with a space in between",
        f"{_percent(kanji)} が数字を含まない漢字で、{_percent(spaced)} は空白で区切られている",
        (),
    )


def _is_address(p: FieldProfile) -> Judgement | None:
    share = _share(p, "address")
    if share < 0.7:
        return None
    return (
        0.55 + 0.4 * share,
        f"{_percent(share)} hold kanji, a number and a word of addresses such as 丁目, 番 or 町",
        f"{_percent(share)} が漢字と数字に加え、丁目・番・町など所在地の語を含む",
        (),
    )


def _code(p: FieldProfile) -> Judgement | None:
    longest = p.most_digits if p.type == "number" else p.longest if p.type == "text" else None
    short = longest is not None and longest <= 4
    if not short or not p.distinct_exact or p.distinct > 30 or p.valid < max(10, 3 * p.distinct) or p.dates:
        return None
    if p.distinct == 1:
        return 0.5, "every record holds the same short value", "すべて同じ短い値である", ()
    wide = f"at most {longest} {'digit' if p.type == 'number' else 'character'}{'s' if longest != 1 else ''}"
    return (
        0.9 if p.distinct <= 12 else 0.75,
        f"{p.distinct} different values in {p.valid:,}, {wide}",
        f"{p.valid:,} 件に {p.distinct} 種類の値。最大 {longest} {'桁' if p.type == 'number' else '文字'}",
        (),
    )


def _phone_number(p: FieldProfile) -> Judgement | None:
    share = _share(p, "phone")
    if share < 0.8:
        return None
    return (
        0.95 * share,
        f"{_percent(share)} begin with 0 and have ten or eleven digits, hyphens aside",
        f"{_percent(share)} が 0 で始まる 10〜11 桁 (ハイフンを除く)",
        (),
    )


def _amount(p: FieldProfile) -> Judgement | None:
    if p.type not in ("number", "decimal") or p.dates or p.rising or p.distinct <= 30 or p.most_digits is None:
        return None
    if _is_key(p):
        return None
    spread = p.most_digits - (p.fewest_digits or 0)
    zero = (p.valid - p.filled) / max(p.valid, 1)
    if spread < 2 and not p.negative and not p.fractions:
        return None
    signs = [
        (spread >= 3, 0.1, f"numbers of {p.fewest_digits} to {p.most_digits} digits", f"{p.fewest_digits}〜{p.most_digits} 桁の数"),
        (p.negative > 0, 0.15, "some below zero", "負の数がある"),
        (p.fractions > 0, 0.1, "some with decimals", "小数がある"),
        (zero > 0.02, 0.1, f"{_percent(zero)} zero", f"{_percent(zero)} が 0"),
    ]  # fmt: skip
    said = [sign for sign in signs if sign[0]]
    reason = ", ".join(text for _, _, text, _ in said) or f"{p.distinct:,} different numbers"
    reason_ja = "、".join(text for _, _, _, text in said) or f"{p.distinct:,} 種類の数"
    return 0.5 + sum(weight for _, weight, _, _ in said), reason, reason_ja, ()


def _is_key(p: FieldProfile) -> bool:
    """Whether almost every value stands there once, and all are of one form."""
    if p.table or p.filled < 10 or p.blank + p.invalid > 0.02 * p.values or p.type not in ("number", "text"):
        return False
    low, high = (p.fewest_digits, p.most_digits) if p.type == "number" else (p.shortest, p.longest)
    formed = p.ascending or (low is not None and high is not None and high - low <= 1 and high >= 3)
    return formed and p.once >= 0.98 and p.distinct >= 0.95 * p.filled and _share(p, "plain") >= 0.99 and not p.dates


def _unique_key(p: FieldProfile) -> Judgement | None:
    if not _is_key(p):
        return None
    if p.ascending:
        return 0.95, "each value is larger than the one before", "値がレコード順に増えていく", ()
    if p.once == 1:
        sample = "" if p.distinct_exact else ", as far as a sample tells"
        sample_ja = "" if p.distinct_exact else " (標本による)"
        return 0.85, f"no value stands there twice{sample}", f"同じ値が二度現れない{sample_ja}", ()
    twice = max(p.distinct - round(p.once * p.distinct), 1)
    return (
        0.7,
        f"all but about {twice:,} of {p.distinct:,} values stand there once",
        f"{p.distinct:,} 種類の値のうち約 {twice:,} を除いて一度だけ現れる",
        (),
    )


def _group_key(p: FieldProfile) -> Judgement | None:
    if not p.rising or p.ascending or p.table or p.dates or p.distinct <= 30 or _share(p, "plain") < 0.99:
        return None
    each = p.filled / p.distinct
    if each < 1.2:
        return None
    return (
        0.8,
        f"values never fall from record to record, {each:.1f} records each",
        f"値がレコード順に下がることはなく、一つの値に平均 {each:.1f} 件",
        (),
    )


def _municipality_code(p: FieldProfile) -> Judgement | None:
    share = _share(p, "municipality")
    if share < 0.95:
        return None
    return (
        0.95 * share if p.filled >= 10 else 0.7,
        f"{_percent(share)} are six digits of a known prefecture (or 99) whose check digit follows",
        f"{_percent(share)} が都道府県番号 (または 99) で始まり、検査数字の合う 6 桁である",
        (),
    )


def _secret(p: FieldProfile) -> Judgement | None:
    """What only a program writes of a password, or digests: texts of one length of which hardly any comes again."""
    written = _share(p, "secret")
    if written >= 0.5:
        return (
            0.99,
            f"{_percent(written)} have the form of a password's hash or a key",
            f"{_percent(written)} がハッシュや鍵の形である",
            (),
        )
    share = _share(p, "digest")
    if share < 0.95 or p.shortest != p.longest or p.distinct < 0.9 * p.filled:
        return None
    return (
        0.96,
        f"{_percent(share)} have the {p.longest} characters of a digest, and hardly any comes again",
        f"{_percent(share)} がハッシュ値と同じ {p.longest} 文字で、ほとんど重複しない",
        (),
    )


DETECTORS: tuple[Detector, ...] = (
    Detector("postal_code", "postal code", "郵便番号", _postal_code),
    Detector("era_date", "era date", "和暦日付", _era_date),
    Detector("gregorian_date", "Gregorian date", "西暦日付", _gregorian_date),
    Detector("short_date", "date without its era or century", "元号・世紀のない日付", _short_date),
    Detector("kana_name", "kana name", "カナ氏名", _kana_name),
    Detector("kanji_name", "kanji name", "漢字氏名", _kanji_name),
    Detector("address", "address", "住所", _is_address),
    Detector("code", "code of few values", "少数の値のコード", _code),
    Detector("secret", "secret (a password's hash, a key)", "秘密情報 (ハッシュ・鍵)", _secret),
    Detector("phone_number", "phone number", "電話番号", _phone_number),
    Detector("amount", "amount", "金額・数量", _amount),
    Detector("unique_key", "unique key", "一意の番号", _unique_key),
    Detector("group_key", "key of a group of records", "世帯などのまとまりの番号", _group_key),
    Detector("municipality_code", "municipality code", "団体コード", _municipality_code),
)
_ENOUGH = 40
"""How many filled values are enough to believe what they look like."""


def detect(profile: FieldProfile) -> tuple[Detection, ...]:
    """Judge what a field looks like, the likeliest first; nothing of an empty field.

    Args:
        profile: the field's, without its detections.
    """
    if not profile.filled:
        return ()
    doubt = min(1.0, 0.6 + 0.4 * profile.filled / _ENOUGH)
    found = []
    for detector in DETECTORS:
        judged = detector.judge(profile)
        if judged is not None:
            confidence, reason, reason_ja, choices = judged
            found.append(
                Detection(
                    detector=detector.name,
                    title=detector.title,
                    title_ja=detector.title_ja,
                    confidence=round(confidence * doubt, 2),
                    reason=reason,
                    reason_ja=reason_ja,
                    choices=choices,
                )
            )
    return tuple(sorted(found, key=lambda d: -d.confidence))


def fitting(counts: Sequence[Dates], filled: int) -> tuple[Dates, ...]:
    """The readings as dates that fit nearly all of the filled values, best first."""
    return tuple(sorted((d for d in counts if d.count > DATE_SHARE * filled), key=lambda d: -d.count))
