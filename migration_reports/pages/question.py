"""The question that a person is asked before a promotion, in Markdown: what was found, what was counted, what a yes does."""

from __future__ import annotations

import collections
import dataclasses
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence

from migration_reports.catalogue import CATALOGUE
from migration_reports.records import verdicts
from migration_reports.records.comparison import before
from migration_reports.records.run_record import RunRecord
from migration_reports.records.shown import amount, changed, control_name, controlled
from migration_reports.records.verdicts import Verdict
from migration_reports.words import WORDS

MAX_CODES = 20
"""Codes of findings that a question lists."""

MAX_LINES = 40
"""Lines of any other table that a question lists."""

_SEVERITIES = ("error", "alert", "note")
_MARKUP = re.compile(r"([\\`*_\[\]<>|~#&!$])")
_MARKS: Mapping[Verdict, str] = {True: "✓", False: "✗", None: "対象なし nothing to judge"}

_REHEARSAL = (
    "リハーサル合格としてよいか / May this rehearsal pass?",
    "承認すると、このリハーサルの行を検証環境に置き、リハーサル合格とする。本番環境は変わらない。",
    "A yes puts the rows of this rehearsal into the rehearsal area: rehearsal passed. Nothing in production changes.",
)
_CUT_OVER = (
    "本番反映してよいか / May it go into production?",
    "承認すると、この実行の行が本番環境に入り、この団体の現在の行に代わる。",
    "A yes puts the rows of this run into production, in the place of the municipality's present rows.",
)
_ACKNOWLEDGES_JA = "人が承認すると、アラートは確認済となる。"
_ACKNOWLEDGES_EN = "The approval of a person acknowledges the alerts."


@dataclasses.dataclass(frozen=True, slots=True)
class CodeCount:
    """How often one code was found, and how often in the run before (None: there was none)."""

    code: str
    severity: str
    now: int
    before: int | None


def question(record: RunRecord, *, links: Mapping[str, str] = {}) -> str:
    """Ask whether a run may be promoted; no values of residents.

    Args:
        record: the run.
        links: the title and the URL of what to read before deciding, such as the provisional report.
    """
    asked, means_ja, means_en = _CUT_OVER if record.mode == "cut-over" else _REHEARSAL
    number = "" if record.mode == "cut-over" else f" {record.rehearsal}"
    return "\n".join(
        [
            f"### {_plain(record.municipality.name)} ({record.municipality.code}) "
            f"{WORDS['ja'][record.mode]}{number}: {asked}",
            "",
            *([_links(links), ""] if links else []),
            f"{means_ja}{_ACKNOWLEDGES_JA}",
            "",
            f"{means_en} {_ACKNOWLEDGES_EN}",
            "",
            f"不採用 rejected **{record.rejects:,}** (上限 limit {record.rejects_allowed:,}), "
            f"アラート alerts **{record.count('alert'):,}**, 注記 notes {record.count('note'):,}",
            "",
            *_found(record),
            "",
            *_lines(record),
            "",
            *([*_references(record), ""] if record.references else []),
            *_totals(record),
            "",
            _rules(record),
            *(["", *_not_checked(record)] if record.not_checked else []),
        ]
    )


def by_code(record: RunRecord) -> list[CodeCount]:
    """Count findings by code, the gravest and most frequent first; codes that have gone since the run before stand last."""
    now: collections.Counter[tuple[str, str]] = collections.Counter()
    for issue in record.issues:
        now[issue.code, issue.severity] += issue.count
    changes = collections.defaultdict(list)
    for change in record.since.changes if record.since is not None else ():
        changes[change.code].append(change)
    # A comparison knows codes, not severities: where a code came as several, its change stands with the gravest.
    listed, seen = [], set()
    for (code, severity), count in sorted(now.items(), key=lambda item: _SEVERITIES.index(item[0][1])):
        former = before(changes.get(code, ()) if code not in seen else (), count)
        listed.append(CodeCount(code, severity, count, former if record.since is not None else None))
        seen.add(code)
    listed += [
        CodeCount(code, CATALOGUE[code].severity.value, 0, before(gone, 0))
        for code, gone in changes.items()
        if code not in seen and code in CATALOGUE
    ]
    return sorted(listed, key=lambda c: (not c.now, _SEVERITIES.index(c.severity), -c.now, c.code))


def _found(record: RunRecord) -> Iterator[str]:
    since = f" ({record.since.run_id})" if record.since is not None else ""
    yield f"| コード code | 内容 what | 重大度 severity | 件数 count | 前回比 since the run before{since} |"
    yield "|---|---|---|--:|---|"
    codes = by_code(record)
    for found in codes[:MAX_CODES]:
        entry = CATALOGUE[found.code]
        japanese = changed(found.now, found.before, "ja")
        english = changed(found.now, found.before, "en")
        yield _row(
            found.code,
            f"{_plain(entry.ja)} / {_plain(entry.en)}",
            f"{WORDS['ja'][found.severity]} {found.severity}",
            f"{found.now:,}",
            japanese if japanese == english else f"{japanese} / {english}",
        )
    if not codes:
        yield _row("–", "検出なし / nothing was found", "", "0", "–")
    yield from _more(codes, MAX_CODES, 5)


def _lines(record: RunRecord) -> Iterator[str]:
    yield (
        "| 移行先 table | レコード records | 反映対象 would be promoted | 集約 merged | 不採用 rejected | 対象外 not chosen | 照合 |"
    )
    yield "|---|--:|--:|--:|--:|--:|:-:|"
    for line in record.reconciliations[:MAX_LINES]:
        each = f" {line.each}" if line.each else ""
        yield _row(
            _plain(f"{line.table} ({line.dump}.{line.kind}{each})"), f"{line.candidates:,}", f"{line.rows_promoted:,}",
            f"{line.rows_merged:,}", f"{line.rows_rejected:,}", f"{line.rows_not_chosen:,}", _MARKS[verdicts.of_line(line)],
        )  # fmt: skip
    yield from _more(record.reconciliations, MAX_LINES, 7)


def _references(record: RunRecord) -> Iterator[str]:
    yield "| 参照 reference | 反映対象 rows | 連鎖不採用 rejected with it | 参照先なし without it | 最初の箇所 first places (record / byte) | 照合 |"
    yield "|---|--:|--:|--:|---|:-:|"
    for r in record.references[:MAX_LINES]:
        places = ", ".join(f"{p.dump} {p.record:,} / {p.offset:,}" for p in r.first)
        yield _row(
            _plain(r.name), f"{r.rows:,}", f"{r.fell:,}", f"{r.dangling:,}", _plain(places), _MARKS[verdicts.of_reference(r)]
        )  # fmt: skip
    yield from _more(record.references, MAX_LINES, 6)


def _totals(record: RunRecord) -> Iterator[str]:
    yield "| コントロール control | 移行元 stated | 計数 counted | |"
    yield "|---|--:|--:|:-:|"
    for c in record.controls[:MAX_LINES]:
        yield _row(
            _plain(f"{c.dump}: {control_name(c, 'ja')} / {control_name(c, 'en')}"), _plain(controlled(c, "stated")), _plain(controlled(c, "found")),
            _MARKS[verdicts.of_control(record, c)],
        )  # fmt: skip
    yield from _more(record.controls, MAX_LINES, 4)
    for reason in (
        f"{fate.dump}.{fate.kind}: {why} {count:,}" for fate in record.fates for why, count in fate.left.items()
    ):
        yield _row(_plain(f"対象外 left: {reason}"), "", "", "")
    for of in record.attachments:
        named = f"{of.named:,} + {of.extra:,} (−{of.missing:,}, ≠{of.altered:,})"
        yield _row(_plain(f"添付 attachments: {of.place}"), f"{of.files:,}", named, _MARKS[of.closes])
    for a in record.amounts[:MAX_LINES]:
        yield _row(
            _plain(" × ".join((f"{a.table}.{a.column}".rstrip("."), *a.by))), amount(a.in_dump),
            " + ".join(amount(part) for part in (a.in_table, a.in_rejected, *([a.in_left] if a.in_left != "0" else []))),
            _MARKS[verdicts.of_amount(record, a)],
        )  # fmt: skip
    yield from _more(record.amounts, MAX_LINES, 4)


def _rules(record: RunRecord) -> str:
    tally = verdicts.rules(record)
    if tally.verdict is None:
        return "規則 rules: 対象なし / nothing to judge"
    empty = f", 対象なし nothing to judge in {tally.empty}" if tally.empty else ""
    return f"規則 rules: {tally.judged}, Polars = Great Expectations: {tally.agree}{empty}"


def _not_checked(record: RunRecord) -> Iterator[str]:
    yield "| 照合していない規則 not checked | 内容 what | 今回の移行にない表 tables not in this run |"
    yield "|---|---|---|"
    for r in record.not_checked[:MAX_LINES]:
        yield _row(_plain(r.rule), _plain(f"{r.title_ja} / {r.title_en}"), _plain(", ".join(r.missing)))
    yield from _more(record.not_checked, MAX_LINES, 3)


def _links(links: Mapping[str, str]) -> str:
    # Parentheses and blanks would end the address; what is escaped already stays as it is.
    quoted = {title: urllib.parse.quote(url, safe="%/:?#@&=+,;~") for title, url in links.items()}
    return " · ".join(f"[{_plain(title)}]({url})" for title, url in quoted.items())


def _more(items: Sequence[object], most: int, columns: int) -> Iterator[str]:
    if len(items) > most:
        rest = len(items) - most
        yield _row(f"… ほか {rest:,} 行 / and {rest:,} more", *[""] * (columns - 1))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """A text that Markdown takes as it is: in one line, without markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
