"""What can be found wrong, and where: the one vocabulary that every stage shares.

Three kinds of trouble, three forms:

* a wrong spec (YAML, copybook) is a `SpecError`, raised once with every `Problem`;
* bad data are findings: rows of `FINDINGS`, one Arrow row a finding, never raised;
* a system that is away is a `TransientError`, the only one worth a retry.

A finding says record, byte offset and field, never the value: values of residents are personal data.
Its wording lives in the catalogue (`migration_reports.catalogue`), under a code that never changes its meaning.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FINDINGS = pa.schema(
    [
        pa.field("code", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("dump", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("record", pa.int64()),
        pa.field("offset", pa.int64()),
        pa.field("field", pa.string()),
        pa.field("table", pa.string()),
        pa.field("column", pa.string()),
        pa.field("mapping", pa.string()),
        pa.field("detail", pa.string()),
    ]
)
"""One row a finding.

`kind` is the record kind, where the record is of one.
`record` counts from 1 within the dump; `offset` is the byte offset in the dump of the field (of the record, where no
field is meant); `mapping` is the mapping line as file:line; `detail` holds codes and counts, never a resident's value.
"""


class Severity(enum.StrEnum):
    """The field's two severities, and a note below them (住民記録システム標準仕様書: エラー, アラート)."""

    ERROR = "error"
    ALERT = "alert"
    NOTE = "note"


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """A place in a text that a person wrote; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """What a problem speaks of, as it is defined: a field's line in its copybook, or a target's column (no place)."""

    text: str
    position: Position | None = None

    def __str__(self) -> str:
        return self.text if self.position is None else f"{self.position}: {self.text}"


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a spec: what, where, what is allowed, what to do, and how what it speaks of is defined."""

    code: str
    position: Position
    message: str
    allowed: tuple[str, ...] = ()
    hint: str = ""
    defined: tuple[Definition, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.position}: {self.code} {self.message}"]
        if self.allowed:
            lines.append(f"    allowed here: {', '.join(map(_quoted, self.allowed))}")
        if self.hint:
            lines.append(f"    {self.hint}")
        lines.extend(f"    {definition}" for definition in self.defined)
        return "\n".join(lines)


def _quoted(allowed: str) -> str:
    """What is allowed in backquotes, where it is a value that may hold commas itself; as it is, where it is a phrase."""
    return allowed if " " in allowed and allowed[0].isalnum() else f"`{allowed}`"


MAX_SHOWN = 200
"""So many problems of a spec are printed; what is wrong in a thousand places is wrong in one way."""


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The hint that offers the nearest of some names, whatever the case of its letters; empty where none is near."""
    close = nearest(word, names)
    return f"did you mean `{close}`?" if close is not None and close != word else ""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The nearest of some names, whatever the case or width of its letters; None where none is near."""
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(_folded(name), name)
    close = difflib.get_close_matches(_folded(word), folded, 1)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


class SpecError(Exception):
    """A spec that cannot be used; carries every problem of it, in the order of its places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.position.file, p.position.line, p.position.column)))
        shown = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            shown.append(f"and {len(self.problems) - MAX_SHOWN:,} more problems")
        super().__init__("\n".join(shown))


class TransientError(Exception):
    """A system that is away (a database, a share): trying again later may succeed."""


class RunError(Exception):
    """A run that may not go on for a reason a person must decide about; trying again alone will not help."""


class UsageError(RunError):
    """A call that names what is not there, or cannot be meant so: nothing was begun, and the call must be mended."""


def finding(
    code: str,
    severity: Severity | str,
    *,
    dump: str | None = None,
    kind: str | None = None,
    record: int | None = None,
    offset: int | None = None,
    field: str | None = None,
    table: str | None = None,
    column: str | None = None,
    mapping: str | None = None,
    detail: str | None = None,
) -> pa.RecordBatch:
    """Make a batch of one finding."""
    row: dict[str, Any] = {
        "code": code,
        "severity": str(severity),
        "dump": dump,
        "kind": kind,
        "record": record,
        "offset": offset,
        "field": field,
        "table": table,
        "column": column,
        "mapping": mapping,
        "detail": detail,
    }
    return pa.RecordBatch.from_pylist([row], schema=FINDINGS)


def findings_at(
    code: str,
    severity: Severity | str,
    *,
    dump: str | None,
    kind: str | None = None,
    record: np.ndarray | pa.Array,
    offset: np.ndarray | pa.Array,
    field: str | None = None,
    table: str | None = None,
    column: str | None = None,
    mapping: str | None = None,
    detail: pa.Array | str | None = None,
) -> pa.RecordBatch:
    """Make a batch of findings of one code at many records (`record` and `offset`: int64 of one length)."""
    count = len(record)

    def spread(value: str | None) -> pa.Array:
        return pa.repeat(pa.scalar(value, pa.string()), count)

    columns = [
        spread(code),
        spread(str(severity)),
        spread(dump),
        spread(kind),
        pa.array(record, pa.int64()),
        pa.array(offset, pa.int64()),
        spread(field),
        spread(table),
        spread(column),
        spread(mapping),
        spread(detail) if detail is None or isinstance(detail, str) else detail.cast(pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=FINDINGS)


def no_findings() -> pa.RecordBatch:
    """Make an empty batch."""
    return _EMPTY


def join_findings(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Concatenate batches of findings into one."""
    filled = [batch for batch in batches if batch.num_rows]
    if not filled:
        return _EMPTY
    return pa.concat_batches(filled)


def count_errors(findings: pa.RecordBatch | pa.Table) -> int:
    """Count the findings of severity error."""
    return int(pc.sum(pc.equal(findings["severity"], Severity.ERROR.value)).as_py() or 0)


_EMPTY = pa.RecordBatch.from_pylist([], schema=FINDINGS)
