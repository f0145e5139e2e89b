"""The same as a workbook: issues, every finding, reconciliation, fields, characters, files and rules, a sheet each.

Strings are written as strings and never start a formula. The sheet of findings stops at `MAX_FINDINGS` and says so.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import xlsxwriter

from migration_reports.catalogue import CATALOGUE
from migration_reports.records import verdicts
from migration_reports.records.comparison import followed, gone
from migration_reports.records.run_record import Change, Differences, Issue, RunRecord
from migration_reports.records.shown import changed, controlled, when
from migration_reports.records.standing import alerts_word, decision_word, is_provisional, marked, rows_word, standing
from migration_reports.records.verdicts import Tally
from migration_reports.reports._sheets import both, column_of, fate_sheet, group_sheets, name_of, said
from migration_reports.reports.contract import Report, Template
from migration_reports.words import WORDS

MAX_FINDINGS = 100_000
_MAX_WIDTH = 60


def files(record: RunRecord, findings: Path | None, template: Template) -> Iterator[tuple[str, bytes]]:
    """Give workbook.xlsx."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties(
            {"title": f"移行結果報告書 {record.run_id}", "subject": marked(record), "comments": "Hikkoshi"}
        )
        head = book.add_format({"bold": True, "bg_color": "#E8EDF2", "border": 1, "text_wrap": True, "valign": "top"})
        wide = book.add_format({"text_wrap": True, "valign": "top"})

        def sheet(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
            page = book.add_worksheet(title)
            widths = [max(len(part) for part in heading.split("\n")) + 4 for heading in headings]
            for column, heading in enumerate(headings):
                page.write_string(0, column, heading, head)
            last = 0
            for last, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    if isinstance(value, int) and not isinstance(value, bool):
                        page.write_number(last, column, value)
                    else:
                        text = "" if value is None else str(value)
                        page.write_string(last, column, text, wide if len(text) > _MAX_WIDTH else None)
                        if last < 200:
                            widths[column] = max(widths[column], min(_MAX_WIDTH, len(text) + 2))
            for column, width in enumerate(widths):
                page.set_column(column, column, width)
            if is_provisional(record):
                page.set_tab_color("#8A5A00")
            page.set_landscape()
            page.set_header(f"&L{record.run_id}&C{marked(record)}&R&A")
            page.set_footer("&R&P / &N")
            page.freeze_panes(1, 0)
            page.autofilter(0, 0, max(last, 1), len(headings) - 1)

        sheet("概要 Summary", ["項目\nItem", "値\nValue"], _summary(record))
        sheet(
            "検出事項 Issues",
            _heads("code severity what action dump field table count since_run first_places"),
            _issues(record),
        )
        sheet(
            "明細 Findings",
            _heads("code severity what dump kind records position field table column mapping"),
            _findings(findings),
        )
        sheet(
            "件数照合 Counts",
            _heads(
                f"dump kind each table records candidates {rows_word(record)} merged rows_rejected not_chosen check"
            ),
            (
                (
                    line.dump,
                    line.kind,
                    line.each,
                    line.table,
                    line.records,
                    line.candidates,
                    line.rows_promoted,
                    line.rows_merged,
                    line.rows_rejected,
                    line.rows_not_chosen,
                    said(verdicts.of_line(line)),
                )
                for line in record.reconciliations
            ),
        )
        title, keys, rows = fate_sheet(record)
        sheet(title, _heads(keys), rows)
        sheet(
            "参照照合 References",
            [*_heads("reference naming fell dangling"), "Great Expectations", *_heads("orphan first_places check")],
            (
                (
                    r.name,
                    r.rows,
                    r.fell,
                    r.dangling,
                    r.dangling_gx,
                    both(f"orphan_{r.orphan}"),
                    _places(r.first),
                    said(verdicts.of_reference(r)),
                )
                for r in record.references
            ),
        )
        if record.not_checked:
            sheet(
                "未照合 Not checked",
                _heads("rule what code severity rows_missing remark"),
                (
                    (
                        r.rule,
                        f"{r.title_ja}\n{r.title_en}",
                        r.code,
                        both(r.severity),
                        ", ".join(r.missing),
                        both("not_checked_others") if r.of_others else "",
                    )
                    for r in record.not_checked
                ),
            )
        sheet(
            "金額照合 Amounts",
            _heads("dump field table by_group in_dump in_table in_rejected in_left check"),
            (
                (
                    a.dump,
                    a.field,
                    column_of(a),
                    " × ".join(a.by),
                    a.in_dump,
                    a.in_table,
                    a.in_rejected,
                    a.in_left,
                    said(verdicts.of_amount(record, a)),
                )
                for a in record.amounts
            ),
        )
        sheet(
            "コントロール Controls",
            _heads("dump control field stated found groups differing check"),
            (
                (
                    c.dump,
                    name_of(c),
                    c.field,
                    controlled(c, "stated"),
                    controlled(c, "found"),
                    c.groups or "",
                    c.differing if c.groups else "",
                    said(verdicts.of_control(record, c)),
                )
                for c in record.controls
            ),
        )
        for title, keys, rows in group_sheets(record):
            sheet(title, _heads(keys), rows)
        sheet(
            "項目 Fields",
            _heads("dump kind field picture position filled target"),
            (
                (
                    f.dump,
                    f.kind,
                    f.field,
                    f.picture,
                    f"{f.offset} / {f.width}",
                    f.filled,
                    ", ".join(both("control_field") if t == "control" else t for t in f.targets) or f.ignored_because,
                )
                for f in record.coverage
            ),
        )
        sheet(
            "未登録コード Codes",
            _heads("field table code count"),
            ((u.field, f"{u.table}.{u.column}", u.value or both("not_shown"), u.count) for u in record.unknown_codes),
        )
        sheet(
            "団体独自 Own",
            _heads("own_of own_key own_item own_shared own_own own_source"),
            ((o.of, o.key, o.item, o.shared, o.own, o.source) for o in record.own_values),
        )
        sheet(
            "外字 Gaiji",
            [*_heads("glyph code"), "Unicode", *_heads("area charset count fields first_places")],
            (
                (
                    "".join(chr(int(word[2:], 16)) for word in g.unicode.split()),
                    g.code,
                    g.unicode,
                    both(g.area),
                    g.charset,
                    g.count,
                    ", ".join(g.fields),
                    _places(g.first),
                )
                for g in record.gaiji
            ),
        )
        sheet(
            "移行ファイル Files",
            [
                *_heads("file name delivery status bytes record_length records left_over header_trailer charset"),
                "SHA-256",
            ],
            (
                (
                    r.file,
                    r.title,
                    r.delivery,
                    both(r.status),
                    r.bytes,
                    r.record_length,
                    r.records,
                    r.bytes_left_over,
                    r.bytes_left_out,
                    r.charset,
                    r.sha256,
                )
                for r in record.receipts
            ),
        )
        if record.attachments:
            sheet(
                "添付 Attachments",
                [
                    *_heads("lying_in kind files_count bytes files_named files_extra records_naming files_not_there"),
                    *_heads("files_altered files_refused files_kept bytes_kept check"),
                ],
                (
                    (
                        a.place,
                        " ".join(a.kinds),
                        a.files,
                        a.bytes,
                        a.named,
                        a.extra,
                        a.records,
                        a.missing,
                        a.altered,
                        a.refused,
                        a.kept,
                        a.bytes_kept,
                        said(a.closes),
                    )
                    for a in record.attachments
                ),
            )
        sheet(
            "規則 Rules",
            [*_heads("rule what severity"), "Polars", "Great Expectations", *_heads("reported check")],
            (
                (
                    r.rule,
                    f"{r.title_ja}\n{r.title_en}",
                    both(r.severity),
                    r.failing_polars,
                    r.failing_gx,
                    r.reported,
                    said(verdicts.of_rule(record, r)),
                )
                for r in record.rules
            ),
        )
        if recomputed := [(r, r.differences) for r in record.rules if r.differences is not None]:
            sheet(
                "差額 Differences",
                _heads(
                    "rule failing nothing_to_compare difference_total difference_least difference_greatest difference_bands"
                ),
                ((r.rule, r.failing_polars, d.unknown, d.total, d.least, d.greatest, _bands(d)) for r, d in recomputed),
            )
    yield "workbook.xlsx", target.getvalue()


def _bands(differences: Differences) -> str:
    """How many rows differ by how much."""
    return ", ".join(f"{'> 100000' if size == 'more' else f'≤ {size}'}: {n}" for size, n in differences.bands.items())


def _summary(record: RunRecord) -> Iterator[tuple[str, Any]]:
    stands, alerts = standing(record), alerts_word(record)
    if is_provisional(record):
        yield both("provisional_report"), f"{WORDS['ja']['provisional_lead']}\n{WORDS['en']['provisional_lead']}"
    yield both("municipality"), f"{record.municipality.name} ({record.municipality.code})"
    yield both("run"), record.run_id
    yield both("mode"), f"{both(record.mode)} {record.rehearsal if record.mode == 'rehearsal' else ''}".strip()
    yield both("target_area"), both(f"area_{record.mode}")
    yield both("standing"), f"{stands.ja} / {stands.en}\n{stands.lead_ja}\n{stands.lead_en}"
    yield both("reasons"), f"{record.state_reason_ja}\n{record.state_reason_en}".strip()
    yield both("started_by"), record.started_by
    yield both("decision_made"), both(decision_word(record))
    if record.decision is not None:
        if not record.decision.automatic:
            yield both("decision_maker"), record.decision.by
            yield both("decision_reason"), record.decision.reason or both("not_given")
        yield both("decision_at"), when(record.decision.at)
    yield both("records_rejected"), record.rejects
    yield both("limit"), record.rejects_allowed
    for severity in ("error", "alert", "note"):
        yield both(severity), record.count(severity)
    if alerts:
        yield both("alerts"), both(alerts)
    yield both("counts"), said(verdicts.counts(record).verdict)
    yield both("controls_agree"), _share(verdicts.controls(record))
    yield both("rules_agree"), _share(verdicts.rules(record))
    if record.not_checked:
        yield both("not_checked"), len(record.not_checked)
    if missing := verdicts.dumps_not_received(record):
        yield both("files_missing"), ", ".join(sorted(missing))
    if record.specs_changed:
        yield both("specs_changed"), "\n".join(record.specs_changed)
    yield from sorted(record.versions.items())


def _issues(record: RunRecord) -> Iterator[tuple[Any, ...]]:
    for issue, now, before in followed(record):
        yield *_what(issue, issue.severity), issue.count, _change(now, before), _places(issue.first)
    for change in gone(record):
        yield *_what(change, CATALOGUE[change.code].severity.value), 0, _change(0, change.before), ""


def _what(found: Issue | Change, severity: str) -> tuple[Any, ...]:
    entry = CATALOGUE[found.code]
    target = f"{found.table or ''}{'.' if found.column else ''}{found.column or ''}"
    return (
        found.code, both(severity), f"{entry.ja}\n{entry.en}", f"{entry.action_ja}\n{entry.action_en}",
        found.dump, found.field, target,
    )  # fmt: skip


def _share(tally: Tally) -> str:
    if tally.verdict is None:
        return both("not_judged")
    return f"{tally.agree} / {tally.judged}" + (f" ({both('not_judged_more')} {tally.empty})" if tally.empty else "")


def _findings(path: Path | None) -> Iterator[tuple[Any, ...]]:
    if path is None:
        return
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        batches = [file.get_batch(number) for number in range(file.num_record_batches)]
    total = sum(batch.num_rows for batch in batches)
    written = 0
    for batch in batches:
        for row in batch.slice(0, MAX_FINDINGS - written).to_pylist():
            yield (
                row["code"], both(row["severity"]), CATALOGUE[row["code"]].ja, row["dump"], row["kind"], row["record"],
                row["offset"], row["field"], row["table"], row["column"], row["mapping"],
            )  # fmt: skip
            written += 1
    if total > written:
        yield (
            "…",
            "",
            f"全 {total:,} 件のうち {written:,} 件を示した / {written:,} of {total:,} findings are listed; all are in findings.arrow",
        )


def _places(places: Iterable[Any]) -> str:
    return ", ".join(f"{p.record} / {p.offset}" for p in places if p.record is not None)


def _heads(keys: str) -> list[str]:
    return [f"{WORDS['ja'].get(key, key)}\n{WORDS['en'].get(key, key)}" for key in keys.split()]


def _change(now: int, before: int | None) -> str:
    japanese, english = changed(now, before, "ja"), changed(now, before, "en")
    return japanese if japanese == english else f"{japanese} / {english}"


REPORT = Report("workbook", "移行結果ブック", "Result workbook", ("workbook.xlsx",), files)
