"""The reader as a tool of its own: what the bytes of a dump say, without a municipality, a mapping or a database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from extractors import charsets, framings
from extractors.batches import Account, Extracted, Extraction, Kind, arrow_schema, extract
from extractors.charsets import CHARSETS
from extractors.copybook import read_copybook
from extractors.framings import FRAMINGS
from extractors.layout import Field, Item, Layout
from migration_reports.findings import Position, Problem, RunError, SpecError

Format = Literal["jsonl", "parquet", "arrow"]
MAX_COPYBOOK_BYTES = 4_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """How to read one dump."""

    dump: Path
    layout: Layout
    charset: str
    framing: str
    options: Mapping[str, str]
    kinds: tuple[Kind, ...]
    folder: Path


def read_layout(path: Path) -> Layout:
    """Read a copybook file.

    Raises:
        SpecError: with every problem of it.
        RunError: the file cannot be read.
    """
    try:
        if path.stat().st_size > MAX_COPYBOOK_BYTES:
            raise SpecError([Problem("L001", Position(str(path)), "the copybook is larger than 4 MB")])
        data = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}). Check the path of the copybook.") from None
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return read_copybook(data.decode(encoding), file=str(path))
        except UnicodeDecodeError:
            continue
    raise SpecError(
        [
            Problem(
                "L001",
                Position(str(path)),
                "the copybook is neither UTF-8 nor Shift_JIS text",
                hint="convert it to UTF-8",
            )
        ]
    )


def parse_kind(text: str) -> Kind:
    """Read ``NAME=FIELD:VALUES:GROUP``: values are separated by commas; the group may be left out.

    Raises:
        SpecError: the text is not of that form.
    """
    name, _, rest = text.partition("=")
    parts = rest.split(":")
    if not name or len(parts) not in (2, 3) or not all(parts):
        raise SpecError(
            [
                Problem(
                    "L906",
                    Position("--kind"),
                    f"`{text[:80]}` is not a record kind",
                    ("NAME=FIELD:VALUES:GROUP", "NAME=FIELD:VALUES"),
                    "for example person=JK-REC-KBN:1:JK-KOJIN",
                )
            ]
        )
    return Kind(name, parts[0], tuple(parts[1].split(",")), parts[2] if len(parts) == 3 else None)


def open_extraction(reading: Reading, stream: BinaryIO) -> Extraction:
    """Begin to read a dump.

    Options go to the framing or the charset, whichever knows them.

    Raises:
        SpecError: a name, an option or a kind is not usable.
    """
    of_framing = next((set(f.options) for f in FRAMINGS if f.name == reading.framing), set())
    of_charset = next((set(c.options) for c in CHARSETS if c.name == reading.charset), set())
    unknown = [key for key in reading.options if key not in of_framing | of_charset]
    if unknown:
        allowed = tuple(sorted(of_framing | of_charset))
        raise SpecError(
            Problem("L903", Position("--option"), f"unknown option `{key[:60]}`", allowed) for key in unknown
        )
    framing = framings.load(
        reading.framing, {k: v for k, v in reading.options.items() if k in of_framing}, reading.layout.length
    )
    charset = charsets.load(
        reading.charset, {k: v for k, v in reading.options.items() if k in of_charset}, reading.folder
    )
    return extract(
        stream,
        name=reading.dump.name,
        layout=reading.layout,
        framing=framing,
        charset=charset,
        kinds=reading.kinds or (Kind("record"),),
    )


def decode(
    reading: Reading,
    *,
    out: Path | BinaryIO,
    form: Format,
    findings: Path | None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Account, int]:
    """Write every record of a dump in a form that other tools read.

    Args:
        reading: the dump and how to read it.
        out: the file to write.
        form: jsonl (numbers as plain decimal strings), parquet or arrow (typed).
        findings: where to write the findings as JSON lines.
        progress: told the bytes read and the bytes of the dump.

    Returns:
        Where the bytes went, and how many findings there were.
    """
    shapes = {kind.name: _Shape(reading.layout, kind) for kind in reading.kinds or (Kind("record"),)}
    size = reading.dump.stat().st_size
    found = 0
    with reading.dump.open("rb", buffering=0) as stream, _Output(out, form, shapes) as output:
        extraction = open_extraction(reading, stream)
        sink = findings.open("wb") if findings is not None else None
        try:
            for part in extraction.slices():
                output.write(part)
                for extracted in part:
                    found += extracted.findings.num_rows
                    if sink is not None and extracted.findings.num_rows:
                        pl.DataFrame(pl.from_arrow(extracted.findings)).select(
                            "record", "offset", "field", "code", "severity", "detail"
                        ).write_ndjson(sink)
                if progress is not None:
                    progress(extraction.account.bytes, size)
        finally:
            if sink is not None:
                sink.close()
    return extraction.account, found


class _Shape:
    """How the flat columns of a record kind become rows: a list for each OCCURS, in the copybook's order."""

    def __init__(self, layout: Layout, kind: Kind) -> None:
        by_place = {(f.offset, f.data_name, f.within): f for f in layout.fields(kind.group) if not f.filler}
        self.typed = list(self._columns(layout.record, 0, (), by_place, text=False))
        self.text = list(self._columns(layout.record, 0, (), by_place, text=True))
        fields = pl.DataFrame(pl.from_arrow(arrow_schema(layout, kind.group).empty_table()))
        self.empty = fields.select(self.typed)

    def _columns(
        self,
        item: Item,
        shift: int,
        within: tuple[str, ...],
        fields: Mapping[tuple[int, str, tuple[str, ...]], Field],
        *,
        text: bool,
    ) -> Iterator[pl.Expr]:
        if item.picture is not None:
            copies = [
                self._cell(fields.get((item.offset + shift + n * item.width, item.name, within)), text)
                for n in range(item.occurs)
            ]
            present = [copy for copy in copies if copy is not None]
            if not present:
                return
            name = present[0].meta.output_name().split("(")[0]
            yield pl.concat_list(present).alias(name) if item.occurs_clause else present[0]
            return
        inside = (*within, item.name)
        if not item.occurs_clause:
            for child in item.children:
                yield from self._columns(child, shift, inside, fields, text=text)
            return
        rows = [
            [
                column
                for child in item.children
                for column in self._columns(child, shift + n * item.width, inside, fields, text=text)
            ]
            for n in range(item.occurs)
        ]
        if rows and rows[0]:
            structs = [
                pl.struct([column.alias(column.meta.output_name().split("(")[0]) for column in row]) for row in rows
            ]
            yield pl.concat_list(structs).alias(item.name)

    @staticmethod
    def _cell(field: Field | None, text: bool) -> pl.Expr | None:
        if field is None:
            return None
        return pl.col(field.name).cast(pl.String) if text else pl.col(field.name)


class _Output:
    """The file that decoded records are written to, in record order."""

    def __init__(self, out: Path | BinaryIO, form: Format, shapes: Mapping[str, _Shape]) -> None:
        self._form = form
        self._shapes = shapes
        self._owned = isinstance(out, Path)
        self._stream: BinaryIO = out.open("wb") if isinstance(out, Path) else out
        self._writer: pa.ipc.RecordBatchFileWriter | pq.ParquetWriter | None = None
        head = pl.DataFrame(schema={"record": pl.Int64, "kind": pl.String})
        # Every part has every kind's columns, whether or not it holds records of that kind.
        self._empty = pl.concat([head, *(shape.empty for shape in shapes.values())], how="diagonal")
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
        frames = [(e, pl.DataFrame(pl.from_arrow(e.batch))) for e in part if e.batch.num_rows]
        if not frames:
            return
        if self._form == "jsonl":
            lines = [
                frame.select(
                    "_record",
                    pl.struct(pl.col("_record").alias("record"), *self._shapes[e.kind].text)
                    .struct.json_encode()
                    .alias("line"),
                )
                for e, frame in frames
            ]
            text = pl.concat(lines).sort("_record")["line"].str.join("\n")[0]
            self._stream.write(text.encode() + b"\n")
            return
        typed = [
            frame.select(pl.col("_record").alias("record"), pl.lit(e.kind).alias("kind"), *self._shapes[e.kind].typed)
            for e, frame in frames
        ]
        self._write_table(pl.concat([self._empty, *typed], how="diagonal").sort("record"))

    def _write_table(self, frame: pl.DataFrame) -> None:
        self._open_writer().write_table(frame.to_arrow().cast(self._arrow))

    def _open_writer(self) -> pa.ipc.RecordBatchFileWriter | pq.ParquetWriter:
        if self._writer is None:
            if self._form == "parquet":
                self._writer = pq.ParquetWriter(self._stream, self._arrow, compression="zstd")
            else:
                self._writer = pa.ipc.new_file(self._stream, self._arrow)
        return self._writer


MASKS = (
    ("[0-9]", "9"),
    ("[０-９]", "９"),
    ("[A-Za-z]", "X"),
    ("[ｦ-ﾟ]", "ｱ"),
    ("[ぁ-ゖァ-ヺー]", "ア"),
    (r"[\p{Han}\x{E000}-\x{F8FF}]", "漢"),
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


def peek(reading: Reading, *, records: int, first: int = 1, reveal: bool = False) -> tuple[list[Peeked], int]:
    """Read some records, field by field; values are masked unless revealed.

    Returns:
        The fields in record and copybook order, and how many records were shown.
    """
    shown: list[Peeked] = []
    wanted = set(range(first, first + records))
    by_kind = {kind.name: reading.layout.fields(kind.group) for kind in reading.kinds or (Kind("record"),)}
    with reading.dump.open("rb", buffering=0) as stream:
        for part in open_extraction(reading, stream).slices():
            last = 0
            for e in part:
                frame = pl.DataFrame(pl.from_arrow(e.batch)).filter(pl.col("_record").is_in(sorted(wanted)))
                last = max(last, e.batch.column("_record")[-1].as_py() if e.batch.num_rows else 0)
                codes = {(f["record"], f["field"]): f["code"] for f in e.findings.to_pylist()}
                for row in frame.with_columns(_masked(frame, reveal=reveal)).iter_rows(named=True):
                    shown.extend(
                        Peeked(
                            row["_record"],
                            row["_offset"],
                            e.kind,
                            f.name,
                            f.picture.text,
                            f.offset,
                            f.width,
                            row[f.name],
                            codes.get((row["_record"], f.name), ""),
                        )
                        for f in by_kind[e.kind]
                        if not f.filler
                    )
            if last >= first + records - 1:
                break
    shown.sort(key=lambda p: (p.record, p.position))
    return shown, len({p.record for p in shown})


def _masked(frame: pl.DataFrame, *, reveal: bool) -> list[pl.Expr]:
    columns = []
    for name in frame.columns:
        if name in ("_record", "_offset"):
            continue
        text = pl.col(name).cast(pl.String)
        if not reveal:
            for pattern, mask in MASKS:
                text = text.str.replace_all(pattern, mask)
        columns.append(text.alias(name))
    return columns
