"""Decoded records as files that other tools read: JSON lines, Parquet, Arrow IPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractors.batches import RECORD_COLUMNS, Extracted

Format = Literal["jsonl", "parquet", "arrow"]


class Output:
    """The file that decoded records are written to, in record order."""

    def __init__(self, out: Path | BinaryIO, form: Format, schemas: Mapping[str, pa.Schema]) -> None:
        self._form = form
        self._owned = isinstance(out, Path)
        self._stream: BinaryIO = out.open("wb") if isinstance(out, Path) else out
        self._writer: pa.ipc.RecordBatchFileWriter | pq.ParquetWriter | None = None
        # Every part has every kind's columns, whether or not it holds records of that kind.
        self._columns = _columns(schemas)
        fields = {
            self._columns[kind, field.name]: field.type
            for kind, schema in schemas.items()
            for field in schema
            if field.name not in ("_record", "_offset")
        }
        self._schema = pa.schema([("record", pa.int64()), ("kind", pa.string()), *fields.items()])

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        elif self._form != "jsonl":
            self._open_writer().close()
        if self._owned:
            self._stream.close()

    def write(self, part: Sequence[Extracted]) -> None:
        """Write a slice's records."""
        some = [extracted for extracted in part if extracted.batch.num_rows]
        if not some:
            return
        if self._form == "jsonl":
            lines = [_lines(extracted.batch) for extracted in some]
            text = pl.concat(lines).sort("_record")["line"].str.join("\n")[0]
            self._stream.write(text.encode() + b"\n")
            return
        table = pa.concat_tables([self._typed(extracted) for extracted in some])
        if len(some) > 1:
            table = table.take(pc.sort_indices(table["record"]))
        self._open_writer().write_table(table)

    def _typed(self, extracted: Extracted) -> pa.Table:
        count, batch = extracted.batch.num_rows, extracted.batch
        columns = {
            self._columns[extracted.kind, name]: column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        }
        columns["kind"] = pa.repeat(extracted.kind, count)
        return pa.Table.from_arrays(
            [columns[f.name] if f.name in columns else pa.nulls(count, f.type) for f in self._schema],
            schema=self._schema,
        )

    def _open_writer(self) -> pa.ipc.RecordBatchFileWriter | pq.ParquetWriter:
        if self._writer is None:
            if self._form == "parquet":
                self._writer = pq.ParquetWriter(self._stream, self._schema, compression="zstd")
            else:
                self._writer = pa.ipc.new_file(self._stream, self._schema)
        return self._writer


def _columns(schemas: Mapping[str, pa.Schema]) -> Mapping[tuple[str, str], str]:
    """The column that each kind's field is written to: of its name, unless another kind's of that name has other values."""
    types: dict[str, set[pa.DataType]] = {}
    for schema in schemas.values():
        for field in schema:
            types.setdefault(field.name, set()).add(field.type)
    own = {"_record": "record", "_offset": "offset", "_parent": "parent"}
    return {
        (kind, name): own.get(name, name if len(types[name]) == 1 else f"{kind}.{name}")
        for kind, schema in schemas.items()
        for name in schema.names
    }


def _lines(batch: pa.RecordBatch) -> pl.DataFrame:
    """Records as JSON lines."""
    # Polars knows no decimals of more than 38 digits.
    if any(map(_holds_wide, batch.schema.types)):
        batch = pa.RecordBatch.from_arrays([_narrow(c) for c in batch.columns], names=batch.schema.names)
    frame = pl.DataFrame(pl.from_arrow(batch))
    line = pl.struct(pl.col("_record").alias("record"), *_as_text(frame.schema)).struct.json_encode()
    return frame.select("_record", line.alias("line"))


def _holds_wide(kind: pa.DataType) -> bool:
    return pa.types.is_decimal256(kind) or any(_holds_wide(kind.field(n).type) for n in range(kind.num_fields))


def _narrow(column: pa.Array) -> pa.Array:
    """A column with its decimal256 values as plain decimal strings, in lists and structs too."""
    kind = column.type
    if not _holds_wide(kind):
        return column
    if pa.types.is_decimal256(kind):
        whole = pa.Array.from_buffers(pa.decimal256(76, 0), len(column), column.buffers(), offset=column.offset)
        return _with_point(whole.cast(pa.string()), kind.scale)
    if pa.types.is_list(kind):
        values = _narrow(column.values)
        made, children, own = pa.list_(values.type), [values], column.buffers()[:2]
    else:
        children = [_narrow(column.field(n)) for n in range(kind.num_fields)]
        names = [kind.field(n).name for n in range(kind.num_fields)]
        made, own = pa.struct([(n, c.type) for n, c in zip(names, children, strict=True)]), column.buffers()[:1]
    return pa.Array.from_buffers(made, len(column), own, offset=column.offset, children=children)


def _with_point(digits: pa.Array, scale: int) -> pa.Array:
    """Whole numbers as text -> with so many of their digits after the point."""
    if not scale:
        return digits
    number = pl.col("digits")
    places = number.str.strip_prefix("-").str.zfill(scale + 1)
    sign = pl.when(number.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
    text = pl.concat_str(sign, places.str.head(-scale), pl.lit("."), places.str.tail(scale))
    frame = pl.DataFrame({"digits": digits}).select(text)
    return frame.to_series().to_arrow(compat_level=pl.CompatLevel.oldest())


def _as_text(schema: pl.Schema) -> list[pl.Expr]:
    """Every column but the engine's own as JSON shows it: numbers as decimal strings, bytes as hexadecimal."""
    columns = [_text(pl.col(name), kind).alias(name) for name, kind in schema.items() if name not in RECORD_COLUMNS]
    if "_parent" in schema:
        columns.insert(0, pl.col("_parent").alias("parent"))
    return columns


def _text(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    match kind:
        case pl.List(inner=inner):
            return value.list.eval(_text(pl.element(), inner))  # type: ignore[arg-type]
        case pl.Struct(fields=fields):
            return pl.struct([_text(value.struct.field(f.name), f.dtype).alias(f.name) for f in fields])  # type: ignore[arg-type]
        case pl.Binary():
            return value.bin.encode("hex").str.to_uppercase()
        case pl.String():
            return value
    return value.cast(pl.String)
