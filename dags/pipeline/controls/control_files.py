"""Control files: CSV beside the dump in which the old system states totals by group; received, hashed and read back.

The first line names the columns. UTF-8 and Shift_JIS (CP932) are told apart by their bytes. Nothing is guessed: a line that
cannot be read, or a group that stands twice, is named with its line, and nothing is proved by the file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import polars as pl

from migration_reports.findings import RunError
from migration_reports.records.groups import MOST_GROUPS
from migration_reports.records.run_record import DumpReceipt
from validators.control_groups import Key, Said, key_of

MOST_BYTES = 64_000_000
"""Of a control file; what is larger is no list of totals."""

_NUMBER = r"^-?[0-9]{1,28}(\.[0-9]{1,9})?$"


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """What a control file states: the amount of each group, or why it cannot be read."""

    amounts: Mapping[Key, Said]
    problems: tuple[str, ...] = ()


def encoding_of(file: Path) -> str:
    """How a control file is coded; empty where it cannot be told, or is too large to be one."""
    return (_encoding(file.read_bytes()) or "") if file.stat().st_size <= MOST_BYTES else ""


def _encoding(data: bytes) -> str | None:
    """How a text is coded; None where it is neither."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def stated(
    inbox: Path, receipts: Iterable[DumpReceipt], equals: str, columns: Sequence[str], *, numbers: Sequence[bool]
) -> Statement:
    """Read what a control file states.

    Args:
        inbox: where it lies.
        receipts: of the control files that were received.
        equals: the file and the column of the amounts, FILE.csv#column.
        columns: those that make the groups.
        numbers: of each of these whether it is a number.

    Raises:
        RunError: it is not what was received.
    """
    file, _, column = equals.partition("#")
    receipt = next((one for one in receipts if one.role == "control" and one.file == file), None)
    if receipt is None:
        return Statement({}, (f"{file} was not received",))
    if receipt.bytes > MOST_BYTES:
        return Statement({}, (f"{file} is larger than {MOST_BYTES:,} bytes",))
    try:
        data = (inbox / file).read_bytes()
    except OSError as error:
        raise RunError(f"{file} cannot be read any more ({error.strerror}); put it back, and run again") from None
    if hashlib.sha256(data).hexdigest() != receipt.sha256:
        raise RunError(f"{file} has changed since it was received. Nothing was promoted; run again.")
    return read(data, file, column, columns, numbers)


def read(data: bytes, file: str, column: str, columns: Sequence[str], numbers: Sequence[bool]) -> Statement:
    """Read the bytes of a control file; see `stated`."""
    encoding = _encoding(data)
    if encoding is None:
        return Statement({}, (f"{file} is neither UTF-8 nor Shift_JIS (CP932): save it as CSV in one of them",))
    try:
        frame = pl.read_csv(io.BytesIO(data.decode(encoding).encode()), infer_schema=False)
    except pl.exceptions.PolarsError:
        # What the library says may quote a line, and what lies here may be another file than is meant.
        why = "it is empty, a line has more cells than the first, or a quote is not closed"
        return Statement({}, (f"{file} is no CSV: {why}",))
    frame = frame.fill_null("").rename({name: name.strip() for name in frame.columns})
    missing = [name for name in (*columns, column) if name not in frame.columns]
    if missing or any(f"{name}_duplicated_0" in frame.columns for name in (*columns, column)):
        wrong = f"does not name the column {missing[0][:60]}" if missing else "names a column twice"
        asked = ", ".join((*columns, column))
        return Statement({}, (f"{file}:1 {wrong} among its {frame.width} cells; it must name {asked}",))
    lines = _lines(frame, column, columns)
    if lines.height > MOST_GROUPS:
        return Statement({}, (f"{file} has more than {MOST_GROUPS:,} lines",))
    return _statement(lines, file, numbers)


def _lines(frame: pl.DataFrame, column: str, columns: Sequence[str]) -> pl.DataFrame:
    """The lines that say anything, each with its number, its amount as a decimal, and what makes its group."""
    text = pl.col(column).str.normalize("NFKC").str.strip_chars().str.replace_all(",", "", literal=True)
    # The byte of the yen sign is a backslash to CP932.
    text = text.str.replace(r"^[¥\\]", "").str.replace(r"^[△▲−‐–]\s*", "-").str.strip_suffix("円")
    amount = pl.when(text.str.contains(_NUMBER)).then(text).cast(pl.Decimal(38, 9), strict=False)
    keys = [pl.col(name).alias(f"by{at}") for at, name in enumerate(columns)]
    says = pl.any_horizontal(pl.col(name).str.strip_chars() != "" for name in frame.columns)
    return frame.with_row_index("line", 2).filter(says).select("line", amount.alias("amount"), *keys)


def _statement(lines: pl.DataFrame, file: str, numbers: Sequence[bool]) -> Statement:
    amounts: dict[Key, Said] = {}
    problems = []
    for line, amount, *values in lines.iter_rows():
        key = key_of(values, numbers)
        if amount is None:
            problems.append(f"{file}:{line} states no number (a group without any is stated as 0)")
        elif key in amounts:
            problems.append(f"{file}:{line} states a group that {amounts[key].place} states too")
        else:
            amounts[key] = Said(_trimmed(amount), f"{file}:{line}")
    return Statement(amounts, tuple(problems))


def _trimmed(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


def of_trailers(
    rows: Sequence[Mapping[str, str | None]], equals: str, columns: Sequence[str], *, numbers: Sequence[bool]
) -> Statement:
    """What trailers state that come once for each group; see `stated`."""
    kind, _, field = equals.partition(".")
    lines = pl.DataFrame(
        {
            "line": pl.Series(range(1, len(rows) + 1), dtype=pl.Int64),
            "amount": pl.Series([row.get(field) for row in rows], dtype=pl.String).cast(
                pl.Decimal(38, 9), strict=False
            ),
            **{
                f"by{at}": pl.Series([row.get(name) for row in rows], dtype=pl.String)
                for at, name in enumerate(columns)
            },
        }
    )
    return _statement(lines, kind, numbers) if rows else Statement({}, (f"there is no {kind}",))
