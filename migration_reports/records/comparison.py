"""What has changed in the findings since the municipality's run before."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from migration_reports.records.run_record import Change, Comparison, Issue, RunRecord

Place = tuple[str, str | None, str | None, str | None, str | None]
"""A code and where it came: dump, field, table and column. The mapping's line is no part of it, since lines move."""


def compare(former: RunRecord, issues: Iterable[Issue]) -> Comparison:
    """Give the places whose count of findings differs from the run before, in the order of code and place.

    Args:
        former: the run before.
        issues: what was found now.
    """
    before, now = counts(former.issues), counts(issues)
    return Comparison(
        run_id=former.run_id,
        changes=tuple(
            Change(code=code, dump=dump, field=field, table=table, column=column, before=before[place], now=now[place])
            for place in sorted({*before, *now}, key=lambda place: tuple(part or "" for part in place))
            if before[place] != now[place]
            for code, dump, field, table, column in [place]
        ),
    )


def followed(record: RunRecord) -> list[tuple[Issue, int, int | None]]:
    """Each issue with the count of its place now and in the run before; None, where there was no run before."""
    now = counts(record.issues)
    changes = {place_of(change): change for change in record.since.changes} if record.since is not None else {}
    return [
        (issue, now[place], None if record.since is None else changes[place].before if place in changes else now[place])
        for issue in record.issues
        for place in [place_of(issue)]
    ]


def gone(record: RunRecord) -> tuple[Change, ...]:
    """What was found in the run before and is found no more."""
    return tuple(change for change in record.since.changes if not change.now) if record.since is not None else ()


def place_of(found: Issue | Change) -> Place:
    """The place by which findings of two runs are compared."""
    return found.code, found.dump, found.field, found.table, found.column


def counts(issues: Iterable[Issue]) -> collections.Counter[Place]:
    """Count findings by place; issues that differ in nothing but the mapping's line are one."""
    total: collections.Counter[Place] = collections.Counter()
    for issue in issues:
        total[place_of(issue)] += issue.count
    return total


def before(changes: Iterable[Change], now: int) -> int:
    """How many there were before, of places that changed so and others that did not."""
    return now - sum(change.now - change.before for change in changes)
