"""placeholder"""

from pathlib import Path

from migration_reports.run_record import RunRecord


def question(record: RunRecord) -> str:
    return ""


def render(record: RunRecord, folder: Path, *, findings: Path | None) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(record.model_dump_json())
    return ()
