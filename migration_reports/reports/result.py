"""移行結果報告書: the result report for auditors, one self-contained page in Japanese and one in English, ready to print."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from migration_reports.catalogue import CATALOGUE
from migration_reports.records import verdicts
from migration_reports.records.comparison import followed, gone
from migration_reports.records.run_record import RunRecord
from migration_reports.records.shown import changed
from migration_reports.records.standing import alerts_word, decision_word, is_provisional, rows_word, standing
from migration_reports.reports.contract import Report, Template
from migration_reports.words import WORDS

MOST_GROUPS = 50
"""Groups of a control that the page lists, those that differ first; the workbook lists more, and findings all that differ."""


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """What has become of a count since the run before, in words, and which way it went."""

    text: str
    way: Literal["more", "fewer", "same"]


def files(record: RunRecord, findings: Path | None, template: Template) -> Iterator[tuple[str, bytes]]:
    """Give result.ja.html and result.en.html."""
    data = [fate for fate in record.fates if fate.role in ("data", "unknown")]
    stands = standing(record)
    totals = {
        "records": sum(fate.records for fate in data),
        "accepted": sum(fate.accepted for fate in data),
        "left": sum(sum(fate.left.values()) for fate in data),
        "controls": verdicts.controls(record),
        "rules": verdicts.rules(record),
        "counts": verdicts.counts(record),
        "missing": len(verdicts.dumps_not_received(record)),
    }
    for language, other in (("ja", "en"), ("en", "ja")):
        words = WORDS[language]
        catalogue = {
            code: {language: getattr(entry, language), "action": getattr(entry, f"action_{language}")}
            for code, entry in CATALOGUE.items()
        }
        page = template(
            "result.html.j2",
            {
                "record": record,
                "language": language,
                "w": words,
                "other_file": f"result.{other}.html",
                "totals": totals,
                "most_groups": MOST_GROUPS,
                "catalogue": catalogue,
                "stands": stands,
                "label": getattr(stands, language),
                "lead": getattr(stands, f"lead_{language}"),
                "kind_of_run": words[record.mode] + (f" {record.rehearsal}" if record.mode == "rehearsal" else ""),
                "provisional": is_provisional(record),
                "decided": decision_word(record),
                "alerts": alerts_word(record),
                "rows": rows_word(record),
                "reason": record.state_reason_ja if language == "ja" else record.state_reason_en,
                "issues": [(issue, _changed(now, before, language)) for issue, now, before in followed(record)],
                "gone": [
                    (change, CATALOGUE[change.code].severity.value, _changed(0, change.before, language))
                    for change in gone(record)
                ],
                "rules": sorted(record.rules, key=lambda r: (r.agrees, -r.failing_polars, r.rule)),
                "coverage": sorted(
                    record.coverage, key=lambda f: (not f.unmapped_but_filled, f.dump, f.kind, f.offset)
                ),
            },
        )
        yield f"result.{language}.html", page.encode()


def _changed(now: int, former: int | None, language: str) -> Changed | None:
    if former is None:
        return None
    return Changed(changed(now, former, language), "same" if now == former else "more" if now > former else "fewer")


REPORT = Report("result", "移行結果報告書", "Migration result report", ("result.ja.html", "result.en.html"), files)
