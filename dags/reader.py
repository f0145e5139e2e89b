"""The reader as a tool of its own: what the bytes of a dump say, without a municipality, a mapping or a database."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractors.batches import Account, Extracted, Extraction, Kind, extract
from extractors.diagnosis import Diagnosis, diagnose
from extractors.layout import Field, Segment, Table
from extractors.reading import Reading, Spoken, library_of, make_layout, make_reading, read_text, sort_options
from extractors.roundtrip import RoundTrip, round_trip
from extractors.stream import DumpStream
from migration_reports.findings import Position, Problem, SpecError

Format = Literal["jsonl", "parquet", "arrow"]


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """A dump to read on its own: its files, how, and its record kinds."""

    dumps: tuple[Path, ...]
    reading: Reading
    kinds: tuple[Kind, ...]

    @property
    def name(self) -> str:
        """How findings call the dump."""
        return self.dumps[0].name


def make_job(
    dumps: Sequence[Path],
    *,
    layout: Path,
    spoken: Spoken,
    options: Mapping[str, str],
    kinds: Sequence[str],
    library: Sequence[Path] = (),
) -> Job:
    """Prove what a command line says.

    Args:
        dumps: the files, in order.
        layout: the copybook.
        spoken: the framing, charset, dialect and container.
        options: more of them, for whichever knows each.
        kinds: record kinds, as `parse_kind` reads them.
        library: folders of COPY texts, besides the copybook's own.

    Raises:
        SpecError: something cannot be used.
    """
    spoken = sort_options(spoken, options)
    texts = library_of((layout.parent, *library))
    made = make_layout(spoken, read_text(layout), str(layout), texts)
    parsed = tuple(parse_kind(kind) for kind in kinds) or (Kind("record"),)
    return Job(tuple(dumps), make_reading(spoken, made, Path.cwd()), parsed)


def parse_kind(text: str) -> Kind:
    """Read ``NAME=FIELD:VALUES:GROUP``.

    Values are separated by commas, ``10..19`` is a range; the group may be left out. ``NAME<PARENT=...`` is a kind whose
    records belong to the last PARENT before them; ``FIELD:VALUES&FIELD:VALUES:GROUP`` asks for several fields.

    Raises:
        SpecError: the text is not of that form.
    """
    head, equals, rest = text.partition("=")
    name, below, parent = head.partition("<")
    *others, last = rest.split("&")
    parts = last.split(":")
    pairs = [tuple(other.split(":")) for other in others]
    fits = name and equals and len(parts) in (2, 3) and all(parts) and all(len(p) == 2 and all(p) for p in pairs)
    if not fits or bool(below) != bool(parent):
        raise SpecError(
            [
                Problem(
                    "L906",
                    Position("--kind"),
                    f"`{text[:80]}` is not a record kind",
                    ("NAME=FIELD:VALUES:GROUP", "NAME=FIELD:VALUES", "NAME<PARENT=FIELD:VALUES:GROUP"),
                    "for example person=JK-REC-KBN:1:JK-KOJIN",
                )
            ]
        )
    also = {field: tuple(values.split(",")) for field, values in pairs}
    group = parts[2] if len(parts) == 3 else None
    return Kind(name, parts[0], tuple(parts[1].split(",")), group, also=also, parent=parent or None)


def open_extraction(job: Job, stream: DumpStream, *, lists: bool) -> Extraction:
    """Begin to read a dump.

    Raises:
        SpecError: a kind is not usable.
    """
    reading = job.reading
    return extract(
        stream,
        name=job.name,
        layout=reading.layout,
        framing=reading.framing,
        charset=reading.charset,
        kinds=[dataclasses.replace(kind, lists=lists) for kind in job.kinds],
        blanks=reading.blanks,
        fixed_places=reading.fixed_places,
    )


def diagnose_file(dump: Path, *, layout: Path | None, library: Sequence[Path] = ()) -> Diagnosis:
    """Find out how a dump may be read.

    Raises:
        SpecError: the copybook cannot be read under any dialect.
    """
    if layout is None:
        return diagnose(dump)
    text = read_text(layout)
    texts = library_of((layout.parent, *library))
    return diagnose(dump, lambda dialect: make_layout(Spoken(dialect=dialect), text, str(layout), texts))


def explain_left_over(job: Job, *, layout: Path, library: Sequence[Path] = ()) -> tuple[str, ...]:
    """What diagnosis says of a dump that was not read to its end: the framing it proposes, and why.

    Raises:
        SpecError: the copybook cannot be read under any dialect.
    """
    found = diagnose_file(job.dumps[-1], layout=layout, library=library)
    about = [remark for remark in found.remarks if "left over" in remark or "the layout has" in remark]
    best = found.best("framing")
    if best is None:
        return ("diagnosis finds no framing that fits: is this the whole file?", *about)
    lines = [line for p in (found.best("container"), best) if p is not None for line in p.lines]
    return (
        f"diagnosis proposes, at {best.strength:.0%}: {'; '.join(lines)}",
        *(f"  {evidence}" for evidence in best.evidence),
        *about,
        "see `hikkoshi diagnose` for everything else",
    )


def prove(job: Job) -> RoundTrip:
    """Decode a dump, encode it again, and compare."""
    with job.reading.open(job.dumps) as stream:
        return round_trip(stream, name=job.name, reading=job.reading, kinds=job.kinds)


def decode(
    job: Job,
    *,
    out: Path | BinaryIO,
    form: Format,
    findings: Path | None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Account, int]:
    """Write every record of a dump in a form that other tools read; every OCCURS is a list.

    Args:
        job: the dump and how to read it.
        out: the file to write.
        form: jsonl (numbers as plain decimal strings, bytes as hexadecimal), parquet or arrow (typed; where kinds have
            fields of one name and several types, each is a column KIND.FIELD).
        findings: where to write the findings as JSON lines.
        progress: told the bytes read and the bytes of the dump.

    Returns:
        Where the bytes went, and how many findings there were.
    """
    found = 0
    with job.reading.open(job.dumps) as stream:
        extraction = open_extraction(job, stream, lists=True)
        sink = findings.open("wb") if findings is not None else None
        try:
            with _Output(out, form, extraction.schemas) as output:
                for part in extraction.slices():
                    output.write(part)
                    for extracted in part:
                        found += extracted.findings.num_rows
                        if sink is not None and extracted.findings.num_rows:
                            pl.DataFrame(pl.from_arrow(extracted.findings)).select(
                                "record", "offset", "field", "code", "severity", "detail"
                            ).write_ndjson(sink)
                    if progress is not None:
                        progress(stream.taken, stream.size)
        finally:
            if sink is not None:
                sink.close()
    return extraction.account, found


class _Output:
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

    def __enter__(self) -> _Output:
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
    columns = [_text(pl.col(name), kind).alias(name) for name, kind in schema.items() if name not in ENGINE]
    if "_parent" in schema:
        columns.insert(0, pl.col("_parent").alias("parent"))
    return columns


ENGINE = ("_record", "_offset", "_parent")


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


MASKS = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        ("[0-9]", "9"),
        ("[０-９]", "９"),
        ("[A-Za-z]", "X"),
        ("[ｦ-ﾟ]", "ｱ"),
        ("[ぁ-ゖァ-ヺー]", "ア"),
        ("[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U0003ffff]", "漢"),
    )
)
"""Patterns and what stands for them where a value is masked: its kind of characters stays visible, nothing else."""


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
                        masked = text if reveal or text is None else mask(text)
                        shown.append(
                            Peeked(
                                row["_record"], row["_offset"], e.kind, name, picture, place, field.width, masked, code
                            )
                        )
            if last >= first + records - 1:
                break
    shown.sort(key=lambda p: p.record)
    return shown, len({p.record for p in shown})


def mask(text: str) -> str:
    """A value with its characters replaced by what stands for their kind."""
    for pattern, stands in MASKS:
        text = pattern.sub(stands, text)
    return text


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
