"""The run record itself, as JSON: for programs, and as the source that every other report was made from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migration_reports.records.run_record import RunRecord
from migration_reports.reports.contract import Report, Template


def files(record: RunRecord, findings: Path | None, template: Template) -> Iterator[tuple[str, bytes]]:
    """Give run.json."""
    yield "run.json", (record.model_dump_json(indent=1) + "\n").encode()


REPORT = Report("record", "実行記録", "Run record", ("run.json",), files)
