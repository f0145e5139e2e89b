"""移行結果報告書: the result report for auditors, one self-contained page in Japanese and one in English, ready to print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migration_reports.catalogue import CATALOGUE
from migration_reports.report import Report, Template
from migration_reports.run_record import RunRecord
from migration_reports.words import WORDS


def files(record: RunRecord, findings: Path | None, template: Template) -> Iterator[tuple[str, bytes]]:
    """Give result.ja.html and result.en.html."""
    data = [fate for fate in record.fates if fate.role in ("data", "unknown")]
    totals = {
        "records": sum(fate.records for fate in data),
        "accepted": sum(fate.accepted for fate in data),
        "controls_agree": sum(control.agrees for control in record.controls),
        "rules_agree": sum(rule.agrees for rule in record.rules),
        "closes": all(line.closes for line in record.reconciliations) and all(a.agrees for a in record.amounts),
    }
    for language, other in (("ja", "en"), ("en", "ja")):
        catalogue = {
            code: {language: getattr(entry, language), "action": getattr(entry, f"action_{language}")}
            for code, entry in CATALOGUE.items()
        }
        page = template(
            "result.html.j2",
            {
                "record": record,
                "language": language,
                "w": WORDS[language],
                "other_file": f"result.{other}.html",
                "totals": totals,
                "catalogue": catalogue,
                "reason": record.state_reason_ja if language == "ja" else record.state_reason_en,
                "rules": sorted(record.rules, key=lambda r: (r.agrees, -r.failing_polars, r.rule)),
                "coverage": sorted(
                    record.coverage, key=lambda f: (not f.unmapped_but_filled, f.dump, f.kind, f.offset)
                ),
            },
        )
        yield f"result.{language}.html", page.encode()


REPORT = Report("result", "移行結果報告書", "Migration result report", files)
