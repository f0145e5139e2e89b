"""Some records of a dump, field by field, as a person looks at them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dags.guarded.secrets import secret_in
from dags.inspection.reader import Job, open_extraction
from extractors.layout import Field, Segment, Table
from migration_reports.masking import HIDDEN, mask


@dataclasses.dataclass(frozen=True, slots=True)
class Peeked:
    """One field of one record, as `peek` shows it."""

    record: int
    offset: int
    kind: str
    field: str
    picture: str
    position: int
    width: int
    value: str | None
    finding: str


def peek(job: Job, *, records: int, first: int = 1, reveal: bool = False) -> tuple[list[Peeked], int]:
    """Read some records, field by field; values are masked unless revealed.

    Returns:
        The fields in record and copybook order, and how many records were shown.
    """
    shown: list[Peeked] = []
    segments = {kind.name: job.reading.layout.segment(kind.group) for kind in job.kinds}
    with job.reading.open(job.dumps) as stream:
        for part in open_extraction(job, stream, lists=False).slices():
            last = 0
            for e in part:
                if not e.kind:
                    continue
                numbers = e.batch.column("_record").to_numpy()
                last = max(last, int(numbers[-1]))
                codes = {(f["record"], f["field"]): f["code"] for f in e.findings.to_pylist()}
                rows = np.flatnonzero((numbers >= first) & (numbers < first + records))
                for row in e.batch.take(rows).to_pylist():
                    for field, name, place, value in _cells(segments[e.kind], row, 0, ()):
                        text = (
                            None if value is None else value.hex().upper() if isinstance(value, bytes) else str(value)
                        )
                        code = codes.get((row["_record"], name), "")
                        picture = field.picture.text
                        masked = _seen(name, text, reveal=reveal)
                        shown.append(
                            Peeked(
                                row["_record"], row["_offset"], e.kind, name, picture, place, field.width, masked, code
                            )
                        )
            if last >= first + records - 1:
                break
    shown.sort(key=lambda p: p.record)
    return shown, len({p.record for p in shown})


def _seen(name: str, text: str | None, *, reveal: bool) -> str | None:
    """A value as it is shown: masked, unless it is to be revealed; a secret never is."""
    if text is None or (reveal and not secret_in(name)):
        return text
    return HIDDEN if secret_in(name) else mask(text)


def _cells(
    segment: Segment, row: Mapping[str, Any], base: int, subscripts: tuple[int, ...]
) -> Iterator[tuple[Field, str, int, Any]]:
    """Every field of one record with its name, place and value, occurrences of tables one by one."""
    for section in segment.sections:
        parts: list[Field | Table] = [*section.fields, *section.tables]
        for part in sorted(parts, key=lambda p: p.offset):
            if isinstance(part, Field):
                if not part.asked_only:
                    subs = (*subscripts, *part.subscripts)
                    name = f"{part.data_name}({','.join(map(str, subs))})" if subscripts else part.name
                    yield part, name, base + part.offset, row.get(part.name)
                continue
            start = base + part.offset
            for number, element in enumerate(row.get(part.column) or (), 1):
                inside = {part.element.fields[0].name: element} if part.elementary else element
                place = start + (number - 1) * part.element.width
                yield from _cells(part.element, inside, place, (*subscripts, number))
            base = start + len(row.get(part.column) or ()) * part.element.width if len(segment.sections) > 1 else base
