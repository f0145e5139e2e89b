"""What changed since the run before is told by code and place, whatever line of the mapping says it."""

from __future__ import annotations

import pytest

from migration_reports.records.comparison import compare
from migration_reports.records.run_record import Change, Issue
from tests.migration_reports.invented_runs import REHEARSAL


def issue(code="D201", count=1, **place):
    return Issue(code=code, severity="error", count=count, **place)


D, T = {"dump": "d", "field": "F"}, {"table": "t", "column": "c"}


@pytest.mark.parametrize(
    ("before", "now", "changes"),
    [
        ([], [], []),
        ([issue(count=3, **D)], [issue(count=3, **D)], []),
        ([], [issue(count=2, **D)], [Change(code="D201", before=0, now=2, **D)]),
        ([issue(count=2, **D)], [], [Change(code="D201", before=2, now=0, **D)]),
        ([issue(count=2, **D, **T)], [issue(count=5, **D, **T)], [Change(code="D201", before=2, now=5, **D, **T)]),
        ([issue(mapping="a.yaml:3", **T)], [issue(mapping="a.yaml:9", **T)], []),
        (
            [issue(count=4, mapping="a:1", **T), issue(count=1, mapping="a:2", **T)],
            [issue(count=6, mapping="a:7", **T)],
            [Change(code="D201", before=5, now=6, **T)],
        ),
        (
            [issue("M301", count=1, **T), issue("M302", count=1, **T)],
            [issue("M302", count=1, **T), issue("D201", count=1, **D)],
            [Change(code="D201", before=0, now=1, **D), Change(code="M301", before=1, now=0, **T)],
        ),
        (
            [issue(count=1, dump="a", field="F")],
            [issue(count=1, dump="b", field="F"), issue(count=1)],
            [
                Change(code="D201", before=0, now=1),
                Change(code="D201", before=1, now=0, dump="a", field="F"),
                Change(code="D201", before=0, now=1, dump="b", field="F"),
            ],
        ),
    ],
    ids=["nothing", "same", "new", "gone", "more", "lines move", "lines join", "codes", "places"],
)
def test_compare(before, now, changes):
    former = REHEARSAL.model_copy(update={"issues": tuple(before)})
    comparison = compare(former, now)
    assert comparison.run_id == former.run_id
    assert list(comparison.changes) == changes
