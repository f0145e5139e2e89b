"""What every step leaves: a frozen model with a format number."""

from __future__ import annotations

from migration_reports.records.run_record import Frozen


class StepResult(Frozen):
    """What a step leaves. Its class names its file, and `format` is raised, with an upgrade, whenever its form changes."""

    format: int = 1
