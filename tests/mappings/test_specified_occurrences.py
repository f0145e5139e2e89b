"""Tables inside tables as the systems' specification has them, read from their bytes and laid out in rows.

The specification lies beside the project, not in it.
"""

from __future__ import annotations

import itertools

import polars as pl
import pytest

from extractors.batches import arrow_schema
from mappings.compiling.occurrences import compile_occurrences, runs_of
from mappings.plan import Runs, occurrence_of
from mappings.unfolding import unfold
from tests.extractors.test_specified_layouts import RECORDS, SPECIFIED, extracted, kinds_of, reading_of, synthesized

pytestmark = pytest.mark.skipif(not SPECIFIED.is_dir(), reason="../shared/facts/systems is not here")

NESTED = {
    "aid by month": ("02B", "seiho", "FS-FUJO", (12, 8), "FS-SHUNYU"),
    "months of a member": ("03A", "record", "KHI-TSUKI", (10, 12), "KHI-NO"),
    "terms of a part": ("03A", "record", "KHF-KI", (3, 10), "KHF-KETTEI"),
    "pay items by month": ("05A", "record", "KYT-GAKU", (12, 40), "KYT-YMD"),
    "overtime by day": ("06A", "record", "KNH-JIKANGAI", (31, 5), "KNH-IN"),
    "slots of a day": ("12A", "record", "YK-WAKU", (31, 48), None),
}


def frame_of(name, kind):
    reading = reading_of(name)
    data, _ = synthesized(name, reading)
    parts, _ = extracted(data, name, reading, 1000)
    (batch,) = [part.batch for part in parts if part.kind == kind]
    group = next(k.group for k, _ in kinds_of(name) if k.name == kind)
    return arrow_schema(reading.layout, group), pl.DataFrame(pl.from_arrow(batch))


@pytest.mark.parametrize(("name", "kind", "table", "shape", "outer"), NESTED.values(), ids=NESTED)
def test_a_row_for_each_pair(name, kind, table, shape, outer):
    schema, frame = frame_of(name, kind)
    each = compile_occurrences(table, schema)
    assert each.shape == shape
    rows = unfold(each, frame)
    assert rows.height == RECORDS * shape[0] * shape[1]
    pairs = [(i, j) for i in range(1, shape[0] + 1) for j in range(1, shape[1] + 1)]
    numbers = rows.select(map(occurrence_of, each.tables)).rows()
    assert numbers == pairs * RECORDS
    assert rows[table].to_list() == [r[f"{table}({i},{j})"] for r in frame.iter_rows(named=True) for i, j in pairs]
    if outer is not None:
        assert rows[outer].to_list() == [r[f"{outer}({i})"] for r in frame.iter_rows(named=True) for i, _ in pairs]


@pytest.mark.parametrize(("name", "kind", "table"), [("12A", "record", "YK-WAKU"), ("06B", "waku", "KW-SLOT")])
def test_slots_become_intervals(name, kind, table):
    schema, frame = frame_of(name, kind)
    each = runs_of(compile_occurrences(table, schema), Runs(("1", "2"), ()))
    expected = []
    for record in frame.iter_rows(named=True):
        for day in range(1, 32) if name == "12A" else [None]:
            cells = [record[f"{table}({day},{n})" if day else f"{table}({n})"] for n in range(1, 49)]
            at = 1
            for value, run in itertools.groupby(cells):
                length = len(list(run))
                if value in (1, 2):
                    expected.append((*([day] if day else []), at, at + length - 1, value))
                at += length
    assert unfold(each, frame).select(*each.numbers, "$value").rows() == expected
    assert expected
