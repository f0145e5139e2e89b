"""How a run stands, in words: a rehearsal never reads as if it were in production.

Every state has a label and a lead sentence that says what it means for whoever reads, for a rehearsal and for a cut-over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from migration_reports.records.run_record import RunRecord, State
from migration_reports.words import WORDS

PROVISIONAL: frozenset[State] = frozenset({"running", "waiting"})
"""A report of such a run is made before anybody has decided."""

WAS_PROMOTED: frozenset[State] = frozenset({"promoted", "superseded", "rolled back", "withdrawn"})
"""The rows of such a run stand, or have stood, in its area."""


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands.

    Attributes:
        ja: what it is called.
        en: the same in English.
        lead_ja: what that means for whoever reads.
        lead_en: the same in English.
        tone: how it is shown: good and bad end a run; open is undecided; past was good and is in force no more.
    """

    ja: str
    en: str
    lead_ja: str
    lead_en: str
    tone: Literal["good", "bad", "open", "past"]


_REHEARSAL: Mapping[State, Standing] = {
    "running": Standing(
        "暫定 (実行中)",
        "Provisional (running)",
        "このリハーサルは実行中であり、判定は行われていない。ここに示すのは現時点で分かっていることに限られる。",
        "This rehearsal is still running and nobody has decided about it. What stands here is what is known so far.",
        "open",
    ),
    "waiting": Standing(
        "暫定 (承認待ち)",
        "Provisional (decision pending)",
        "このリハーサルの判定は行われていない。承認されるまで検証環境には何も反映しない。",
        "Nobody has decided about this rehearsal yet. Until it is approved nothing goes into the rehearsal area.",
        "open",
    ),
    "held": Standing(
        "リハーサル不合格 (保留)",
        "Rehearsal not passed (held)",
        "合格の条件を満たさないため、検証環境に反映しなかった。理由を取り除き、もう一度リハーサルを行う必要がある。",
        "It does not meet the conditions, and nothing went into the rehearsal area. Mend what the reasons name and rehearse again.",
        "bad",
    ),
    "promoted": Standing(
        "リハーサル合格",
        "Rehearsal passed",
        "このリハーサルの行は検証環境に置かれている。本番環境のデータには何の変更もない。",
        "Its rows stand in the rehearsal area. Nothing in production has changed.",
        "good",
    ),
    "rejected": Standing(
        "リハーサル不承認",
        "Rehearsal refused",
        "判定者が合格を認めなかったため、検証環境に反映しなかった。",
        "A person refused it, and nothing went into the rehearsal area.",
        "bad",
    ),
    "failed": Standing(
        "処理中断",
        "Stopped by a failure",
        "処理が途中で止まったため、検証環境に何も反映していない。ここに示すのは止まるまでに分かったことに限られる。",
        "It stopped half-way, and nothing went into the rehearsal area. What stands here is what was known until then.",
        "bad",
    ),
    "abandoned": Standing(
        "異常終了",
        "Abandoned",
        "処理が終了の記録を残さずに止まったため、放棄された実行とした。検証環境に何も反映していない。",
        "Its process died without a word, so that the run counts as abandoned. Nothing went into the rehearsal area.",
        "bad",
    ),
    "superseded": Standing(
        "リハーサル合格 (置換済)",
        "Rehearsal passed, since superseded",
        "合格したが、その後のリハーサルがこれに代わった。検証環境で有効な行は、この実行のものではない。",
        "It passed, and a later rehearsal took its place. The rows in force in the rehearsal area are not those of this run.",
        "past",
    ),
    "rolled back": Standing(
        "リハーサル切り戻し済",
        "Rehearsal rolled back",
        "いったん検証環境に反映したが、切り戻しにより反映前の状態に戻された。この実行の行は有効でない。",
        "It was in the rehearsal area, and a person put the state before it back. Its rows are not in force.",
        "past",
    ),
    "withdrawn": Standing(
        "リハーサル取下げ済",
        "Rehearsal withdrawn",
        "いったん検証環境に反映したが、取り下げられた。この実行の行は検証環境にない。",
        "It was in the rehearsal area, and a person took it out for good. Its rows are there no more.",
        "past",
    ),
}

_CUT_OVER: Mapping[State, Standing] = {
    "running": Standing(
        "暫定 (実行中)",
        "Provisional (running)",
        "この本番移行は実行中であり、判定は行われていない。ここに示すのは現時点で分かっていることに限られる。",
        "This cut-over is still running and nobody has decided about it. What stands here is what is known so far.",
        "open",
    ),
    "waiting": Standing(
        "暫定 (承認待ち)",
        "Provisional (decision pending)",
        "この本番移行の判定は行われていない。承認されるまで本番環境のデータは変わらない。",
        "Nobody has decided about this cut-over yet. Until it is approved nothing in production changes.",
        "open",
    ),
    "held": Standing(
        "本番反映不可 (保留)",
        "Cut-over not possible (held)",
        "本番反映の条件を満たさないため、本番環境には何も反映していない。理由を取り除き、もう一度実行する必要がある。",
        "It does not meet the conditions, and nothing in production has changed. Mend what the reasons name and run again.",
        "bad",
    ),
    "promoted": Standing(
        "本番反映済",
        "In production",
        "この実行の行は本番環境に置かれ、有効である。",
        "Its rows stand in production and are in force.",
        "good",
    ),
    "rejected": Standing(
        "本番反映不承認",
        "Cut-over refused",
        "判定者が本番反映を認めなかったため、本番環境には何も反映していない。",
        "A person refused it, and nothing in production has changed.",
        "bad",
    ),
    "failed": Standing(
        "処理中断",
        "Stopped by a failure",
        "処理が途中で止まったため、本番環境には何も反映していない。ここに示すのは止まるまでに分かったことに限られる。",
        "It stopped half-way, and nothing in production has changed. What stands here is what was known until then.",
        "bad",
    ),
    "abandoned": Standing(
        "異常終了",
        "Abandoned",
        "処理が終了の記録を残さずに止まったため、放棄された実行とした。本番環境には何も反映していない。",
        "Its process died without a word, so that the run counts as abandoned. Nothing in production has changed.",
        "bad",
    ),
    "superseded": Standing(
        "本番移行 (置換済)",
        "Cut-over, since superseded",
        "いったん本番環境に反映したが、その後の本番移行がこれに代わった。本番環境で有効な行は、この実行のものではない。",
        "It was in production, and a later cut-over took its place. The rows in force in production are not those of this run.",
        "past",
    ),
    "rolled back": Standing(
        "本番切り戻し済",
        "Cut-over rolled back",
        "いったん本番環境に反映したが、切り戻しにより反映前の状態に戻された。この実行の行は有効でない。",
        "It was in production, and a person put the state before it back. Its rows are not in force.",
        "past",
    ),
    "withdrawn": Standing(
        "本番反映取下げ済",
        "Cut-over withdrawn",
        "いったん本番環境に反映したが、取り下げられた。この実行の行は本番環境にない。",
        "It was in production, and a person took it out for good. Its rows are there no more.",
        "past",
    ),
}


_OF_SYSTEM: Mapping[State, tuple[str, str]] = {
    "promoted": ("有効", "in force"),
    "superseded": ("置換済", "superseded"),
    "rolled back": ("切り戻し済", "rolled back"),
    "withdrawn": ("取下げ済", "withdrawn"),
}


def standing(record: RunRecord) -> Standing:
    """How a run stands; where its systems stand differently, that only a part does so, and how each does."""
    stands = (_CUT_OVER if record.mode == "cut-over" else _REHEARSAL)[record.state]
    if len({system.state for system in record.systems}) < 2:
        return stands
    ja = "、".join(f"{of.title_ja} {_OF_SYSTEM[of.state][0]}" for of in record.systems)
    en = ", ".join(f"{of.title_en} {_OF_SYSTEM[of.state][1]}" for of in record.systems)
    return dataclasses.replace(
        stands,
        ja=f"{stands.ja} (一部)",
        en=f"{stands.en} (in part)",
        lead_ja=f"{stands.lead_ja}ただし、業務システムにより異なる: {ja}。",
        lead_en=f"{stands.lead_en} That is so of a part of its systems only: {en}.",
    )


def is_provisional(record: RunRecord) -> bool:
    """Whether nobody has decided yet, so that what is said of the run may change."""
    return record.state in PROVISIONAL


def marked(record: RunRecord) -> str:
    """The kind of run and how it stands, in both languages, for the head of a sheet."""
    stands = standing(record)
    number = f" {record.rehearsal}" if record.mode == "rehearsal" else ""
    return f"{WORDS['ja'][record.mode]}{number} · {stands.ja} / {stands.en}"


def alerts_word(record: RunRecord) -> str:
    """The key of the word for how the alerts stand: open until a person has approved; empty where there are none."""
    if not record.count("alert"):
        return ""
    return "alerts_acknowledged" if record.alerts_acknowledged else "alerts_open"


def decision_word(record: RunRecord) -> str:
    """The key of the word for what was decided."""
    if record.decision is None:
        return "decision_pending" if is_provisional(record) else "decision_none"
    if not record.decision.approved:
        return "decision_refused"
    return "decision_automatic" if record.decision.automatic else "decision_approved"


def rows_word(record: RunRecord) -> str:
    """The key of the word for the rows that were promoted, or only would be."""
    return "rows_promoted" if record.state in WAS_PROMOTED else "rows_would_be"
