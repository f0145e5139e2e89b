"""What a report is: files made from a run record and, where it lists them, the run's findings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from migration_reports.records.run_record import RunRecord

MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "": "text/plain; charset=utf-8",
}
"""What a report's file is to a browser, by the end of its name."""

Template = Callable[[str, Mapping[str, Any]], str]
"""Fills a template of the templates folder, autoescaped."""


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """One report.

    Attributes:
        name: its name in the family.
        title_ja: what it is called.
        title_en: the same in English.
        names: the files that it makes.
        files: makes its files: name and content. It gets the run record, the file of all findings (or None), and what
            fills templates; it computes no number that the record does not hold.
    """

    name: str
    title_ja: str
    title_en: str
    names: tuple[str, ...]
    files: Callable[[RunRecord, Path | None, Template], Iterable[tuple[str, bytes]]]
