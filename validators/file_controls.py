"""Controls of each file of a dump by itself: one header, one trailer, and counts and sums that equal its own trailer's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, finding, join_findings
from migration_reports.records.groups import Group
from migration_reports.records.run_record import Control
from validators.controls import Stated, prove


@dataclasses.dataclass(frozen=True, slots=True)
class CountedFile:
    """What was counted of one file.

    Attributes:
        name: its name.
        groups: what was counted of it, by the control's number.
        trailers: of each header and trailer kind, what its records state.
    """

    name: str
    groups: Mapping[str, Sequence[Group]]
    trailers: Mapping[str, Sequence[Mapping[str, str | None]]]


def prove_files(
    dump: str, controls: Sequence[Stated], files: Iterable[CountedFile], *, once: Mapping[str, str]
) -> tuple[tuple[Control, ...], pa.RecordBatch]:
    """Prove the controls of each file of a dump.

    Args:
        dump: its name.
        controls: what each file must agree with.
        files: the files in order.
        once: the kinds of which each file has exactly one record, each with its role: header or trailer.

    Returns:
        Each control of each file with both numbers, and a finding for each that does not agree; its detail names the file.
    """
    proved: list[Control] = []
    found: list[pa.RecordBatch] = []
    told = {control.equals.partition(".")[0] for control in controls}
    for file in files:
        own, wrong = prove(dump, controls, file.groups, file.trailers)
        single, odd = _once(dump, file, {kind: role for kind, role in once.items() if kind not in told})
        proved += [control.model_copy(update={"file": file.name}) for control in (*single, *own)]
        found.append(_named(join_findings([odd, wrong]), file.name))
    return tuple(proved), join_findings(found)


def _once(dump: str, file: CountedFile, once: Mapping[str, str]) -> tuple[list[Control], pa.RecordBatch]:
    """Prove that a file has one record of each of some kinds."""
    proved, found = [], []
    for kind, role in once.items():
        count = len(file.trailers.get(kind, ()))
        proved.append(
            Control(dump=dump, name=f"one {kind}", kind="trailer", stated="1", found=str(count), agrees=count == 1)
        )
        if count != 1:
            code = "C540" if role == "header" else "C504" if count else "C503"
            found.append(
                finding(code, CATALOGUE[code].severity, dump=dump, field=kind, detail=f"stated 1 found {count}")
            )
    return proved, join_findings(found)


def _named(found: pa.RecordBatch, file: str) -> pa.RecordBatch:
    """Findings whose details say of which file they are."""
    details = pc.binary_join_element_wise(pa.scalar(file), found["detail"], ": ")
    return found.set_column(FINDINGS.get_field_index("detail"), FINDINGS.field("detail"), details)
