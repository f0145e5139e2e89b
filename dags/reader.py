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
        stream,  # type: ignore[arg-type]
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
        return round_trip(stream, name=job.name, reading=job.reading, kinds=job.kinds)  # type: ignore[arg-type]


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
        form: jsonl (numbers as plain decimal strings, bytes as hexadecimal), parquet or arrow (typed).
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
        head = pl.DataFrame(schema={"record": pl.Int64, "kind": pl.String})
        # Every part has every kind's columns, whether or not it holds records of that kind.
        empty = [self._typed(pl.DataFrame(pl.from_arrow(schema.empty_table()))) for schema in schemas.values()]
        self._empty = pl.concat([head, *empty], how="diagonal")
        self._arrow = self._empty.to_arrow().schema

    def __enter__(self) -> _Output:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        elif self._form != "jsonl":
            self._write_table(self._empty)
            self._open_writer().close()
        if self._owned:
            self._stream.close()

    def write(self, part: Sequence[Extracted]) -> None:
        """Write a slice's records."""
        frames = [(e, pl.DataFrame(pl.from_arrow(e.batch))) for e in part if e.batch.num_rows]
        if not frames:
            return
        if self._form == "jsonl":
            lines = [
                frame.select(
                    "_record",
                    pl.struct(pl.col("_record").alias("record"), *_as_text(frame.schema))
                    .struct.json_encode()
                    .alias("line"),
                )
                for _, frame in frames
            ]
            text = pl.concat(lines).sort("_record")["line"].str.join("\n")[0]
            self._stream.write(text.encode() + b"\n")
            return
        typed = [self._typed(frame).with_columns(pl.lit(e.kind).alias("kind")) for e, frame in frames]
        self._write_table(pl.concat([self._empty, *typed], how="diagonal").sort("record"))

    @staticmethod
    def _typed(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.rename({"_record": "record", "_parent": "parent"}, strict=False).drop("_offset")

    def _write_table(self, frame: pl.DataFrame) -> None:
        self._open_writer().write_table(frame.to_arrow().cast(self._arrow))

    def _open_writer(self) -> pa.ipc.RecordBatchFileWriter | pq.ParquetWriter:
        if self._writer is None:
            if self._form == "parquet":
                self._writer = pq.ParquetWriter(self._stream, self._arrow, compression="zstd")
            else:
                self._writer = pa.ipc.new_file(self._stream, self._arrow)
        return self._writer


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
