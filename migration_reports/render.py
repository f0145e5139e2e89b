"""Run record -> files. The only module that fills templates, and the only one of the reports that writes.

Templates autoescape, an unknown name in one is an error, and every file is written whole, owner-only.
"""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from migration_reports.catalogue import CATALOGUE
from migration_reports.profile_record import Profile
from migration_reports.reports import REPORTS
from migration_reports.run_record import RunRecord
from migration_reports.words import WORDS

MAX_QUESTION_LINES = 40


def render(record: RunRecord, folder: Path, *, findings: Path | None) -> tuple[Path, ...]:
    """Write every report of a run, and the SHA-256 of each beside them.

    Args:
        record: the run.
        folder: where to write.
        findings: the Arrow file of all findings; None where there is none.

    Returns:
        The files, SHA256SUMS last.
    """
    environment = _environment()

    def template(name: str, values: Mapping[str, Any]) -> str:
        return environment.get_template(name).render(values)

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written: list[Path] = []
    sums = ""
    for report in REPORTS:
        for name, content in report.files(record, findings, template):
            written.append(_write(folder / name, content))
            sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    return (*written, _write(folder / "SHA256SUMS", sums.encode()))


def render_profile(profile: Profile) -> str:
    """Give the page of a dump's profile, in Japanese and English; it needs nothing but itself."""
    by_kind = [
        (kind, [f for f in profile.fields if f.kind == kind.name and not f.unmapped_but_filled])
        for kind in profile.kinds
    ]
    codes = {found.code for field in profile.fields for found in field.findings} | {f.code for f in profile.findings}
    catalogue = {code: CATALOGUE[code] for code in codes if code in CATALOGUE}
    values = {"profile": profile, "by_kind": by_kind, "catalogue": catalogue, "ja": WORDS["ja"], "en": WORDS["en"]}
    return _environment().get_template("profile.html.j2").render(values)


def question(record: RunRecord) -> str:
    """The approval question, in Markdown: counts, amounts, controls, rejects and alerts; no values of residents."""
    name = record.municipality.name.replace("|", " ")
    lines = [
        f"### {name} ({record.municipality.code}): 本番反映してよいですか / May it be promoted?",
        "",
        f"不採用 rejected **{record.rejects:,}** (上限 limit {record.rejects_allowed:,}), "
        f"アラート alerts **{record.count('alert'):,}**, 注記 notes {record.count('note'):,}. "
        "承認はアラートの確認を兼ねます / approving acknowledges the alerts.",
        "",
        "| 移行先 table | レコード records | 反映 promoted | 集約 merged | 不採用 rejected | 対象外 not chosen | 照合 |",
        "|---|--:|--:|--:|--:|--:|:-:|",
    ]
    lines += [
        f"| {line.table} ({line.dump}.{line.kind}{' ' * bool(line.each)}{line.each}) | {line.candidates:,} | {line.rows_promoted:,} | {line.rows_merged:,} "
        f"| {line.rows_rejected:,} | {line.rows_not_chosen:,} | {'✓' if line.closes else '✗'} |"
        for line in record.reconciliations[:MAX_QUESTION_LINES]
    ]
    if record.references:
        lines += [
            "",
            "| 参照 reference | 反映行 rows | 連鎖不採用 rejected with it | 参照先なし without it | 最初の箇所 first places (record / byte) | 照合 |",
            "|---|--:|--:|--:|---|:-:|",
        ]
    lines += [
        f"| {r.name} | {r.rows:,} | {r.fell:,} | {r.dangling:,} "
        f"| {', '.join(f'{p.dump} {p.record:,} / {p.offset:,}' for p in r.first)} | {'✓' if r.closes else '✗'} |"
        for r in record.references[:MAX_QUESTION_LINES]
    ]
    lines += ["", "| コントロール control | 移行元 stated | 計数 counted | |", "|---|--:|--:|:-:|"]
    lines += [
        f"| {c.dump}: {c.name} | {_amount(c.stated)} | {_amount(c.found)} | {'✓' if c.agrees else '✗'} |"
        for c in record.controls[:MAX_QUESTION_LINES]
    ]
    lines += [
        f"| {a.table}.{a.column} | {_amount(a.in_dump)} | {_amount(a.in_table)} + {_amount(a.in_rejected)} | {'✓' if a.agrees else '✗'} |"
        for a in record.amounts[:MAX_QUESTION_LINES]
    ]
    disagree = [rule.rule for rule in record.rules if not rule.agrees]
    lines += ["", f"規則 rules: {len(record.rules)}, Polars = Great Expectations: {len(record.rules) - len(disagree)}"]
    return "\n".join(lines)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("migration_reports"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(n=_number, amount=_amount, when=_when, glyph=_glyph)
    return environment


def _write(path: Path, content: bytes) -> Path:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)
    return path


def _number(value: int) -> str:
    return f"{value:,}"


def _amount(text: str) -> str:
    """A decimal string with its thousands marked; what is no number stays as it is."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, rest = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{rest}" if whole.isdigit() else text


def _when(text: str) -> str:
    """A moment in Japanese time; empty where there is none."""
    if not text:
        return "–"
    japan = datetime.timezone(datetime.timedelta(hours=9), "JST")
    return f"{datetime.datetime.fromisoformat(text).astimezone(japan):%Y-%m-%d %H:%M:%S} JST"


def _glyph(unicode: str) -> str:
    return "".join(chr(int(word.removeprefix("U+"), 16)) for word in unicode.split())
