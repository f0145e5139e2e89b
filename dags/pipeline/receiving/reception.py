"""What came of what was expected: verdicts on files, lists of attachments, and whether a run goes on with them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dags.pipeline.receiving import attachments, inbox
from dags.pipeline.receiving.earlier import received_before
from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality
from migration_reports.findings import join_findings
from migration_reports.records.run_record import DumpReceipt
from migration_reports.records.steps import Reason


def received(
    run: Run, municipality: Municipality
) -> tuple[tuple[DumpReceipt, ...], pa.RecordBatch, tuple[Reason, ...]]:
    """Compare a run's inbox with the manifests, and list the attachments where it goes on; gives why not, last."""
    box = Path(run.inbox)
    receipts, found = inbox.receive(municipality, box, left=run.left, before=received_before(run))
    reasons = inbox.why_held(receipts, box)
    if reasons:
        return receipts, found, reasons
    receipts, listed = attachments.take(run, municipality, receipts)
    return receipts, join_findings([found, listed]), ()
