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
from migration_reports.report import Report, Template
from migration_reports.run_record import RunRecord
from migration_reports.words import WORDS

MAX_FINDINGS = 100_000
_MAX_WIDTH = 60


def files(record: RunRecord, findings: Path | None, template: Template) -> Iterator[tuple[str, bytes]]:
    """Give workbook.xlsx."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": f"移行結果報告書 {record.run_id}", "comments": "Hikkoshi"})
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
            page.freeze_panes(1, 0)
            page.autofilter(0, 0, max(last, 1), len(headings) - 1)

        sheet("概要 Summary", ["項目\nItem", "値\nValue"], _summary(record))
        sheet(
            "検出事項 Issues", _heads("code severity what action dump field table count first_places"), _issues(record)
        )
        sheet(
            "明細 Findings",
            _heads("code severity what dump kind records position field table column mapping"),
            _findings(findings),
        )
        sheet(
            "件数照合 Counts",
            _heads("dump kind each table records candidates rows_promoted merged rows_rejected not_chosen check"),
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
                    _ok(ok=line.closes),
                )
                for line in record.reconciliations
            ),
        )
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
                    _both(f"orphan_{r.orphan}"),
                    _places(r.first),
                    _ok(ok=r.closes),
                )
                for r in record.references
            ),
        )
        sheet(
            "金額照合 Amounts",
            _heads("dump field table in_dump in_table in_rejected check"),
            (
                (a.dump, a.field, f"{a.table}.{a.column}", a.in_dump, a.in_table, a.in_rejected, _ok(ok=a.agrees))
                for a in record.amounts
            ),
        )
        sheet(
            "コントロール Controls",
            _heads("dump control field stated found check"),
            ((c.dump, c.name, c.field, c.stated, c.found, _ok(ok=c.agrees)) for c in record.controls),
        )
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
                    ", ".join(f.targets) or f.ignored_because,
                )
                for f in record.coverage
            ),
        )
        sheet(
            "未登録コード Codes",
            _heads("field table code count"),
            ((u.field, f"{u.table}.{u.column}", u.value or _both("not_shown"), u.count) for u in record.unknown_codes),
        )
        sheet(
            "外字 Gaiji",
            [*_heads("glyph code"), "Unicode", *_heads("area charset count fields first_places")],
            (
                (
                    "".join(chr(int(word[2:], 16)) for word in g.unicode.split()),
                    g.code,
                    g.unicode,
                    _both(g.area),
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
            [*_heads("file name status bytes record_length records left_over charset"), "SHA-256"],
            (
                (
                    r.file,
                    r.title,
                    _both(r.status),
                    r.bytes,
                    r.record_length,
                    r.records,
                    r.bytes_left_over,
                    r.charset,
                    r.sha256,
                )
                for r in record.receipts
            ),
        )
        sheet(
            "規則 Rules",
            [*_heads("rule what severity"), "Polars", "Great Expectations", *_heads("reported check")],
            (
                (
                    r.rule,
                    f"{r.title_ja}\n{r.title_en}",
                    _both(r.severity),
                    r.failing_polars,
                    r.failing_gx,
                    r.reported,
                    _ok(ok=r.agrees),
                )
                for r in record.rules
            ),
        )
    yield "workbook.xlsx", target.getvalue()


def _summary(record: RunRecord) -> Iterator[tuple[str, Any]]:
    yield _both("municipality"), f"{record.municipality.name} ({record.municipality.code})"
    yield _both("run"), record.run_id
    yield _both("mode"), f"{_both(record.mode)} {record.rehearsal if record.mode == 'rehearsal' else ''}".strip()
    yield _both("status"), _both(record.state)
    yield _both("reasons"), f"{record.state_reason_ja}\n{record.state_reason_en}".strip()
    yield _both("records_rejected"), record.rejects
    yield _both("limit"), record.rejects_allowed
    for severity in ("error", "alert", "note"):
        yield _both(severity), record.count(severity)
    yield _both("approved_by"), record.decision.by if record.decision and record.decision.approved else ""
    yield from sorted(record.versions.items())


def _issues(record: RunRecord) -> Iterator[tuple[Any, ...]]:
    for issue in record.issues:
        entry = CATALOGUE[issue.code]
        target = f"{issue.table or ''}{'.' if issue.column else ''}{issue.column or ''}"
        yield (
            issue.code, _both(issue.severity), f"{entry.ja}\n{entry.en}", f"{entry.action_ja}\n{entry.action_en}",
            issue.dump, issue.field, target, issue.count, _places(issue.first),
        )  # fmt: skip


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
                row["code"], _both(row["severity"]), CATALOGUE[row["code"]].ja, row["dump"], row["kind"], row["record"],
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


def _both(key: str) -> str:
    return f"{WORDS['ja'][key]} / {WORDS['en'][key]}"


def _ok(*, ok: bool) -> str:
    return _both("closes" if ok else "open")


REPORT = Report("workbook", "移行結果ブック", "Result workbook", files)
