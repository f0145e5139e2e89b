"""Reports: one file a report, each made from the run record alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from migration_reports.reports import candidates, gaiji, record, result, workbook
from migration_reports.reports.contract import MEDIA, Report

REPORTS: tuple[Report, ...] = (record.REPORT, result.REPORT, gaiji.REPORT, candidates.REPORT, workbook.REPORT)

SUMS = "SHA256SUMS"
"""The SHA-256 of every other file of a run's reports."""

FILES: Mapping[str, str] = {
    name: MEDIA[PurePath(name).suffix] for name in (*(name for report in REPORTS for name in report.names), SUMS)
}
"""Every file of a run's reports, and what it is to a browser."""
