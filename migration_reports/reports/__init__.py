"""Reports: one file a report, each made from the run record alone."""

from __future__ import annotations

from migration_reports.report import Report
from migration_reports.reports import gaiji, record, result, workbook

REPORTS: tuple[Report, ...] = (record.REPORT, result.REPORT, gaiji.REPORT, workbook.REPORT)
