"""The reader as a tool of its own: what the bytes of a dump say, without a municipality, a mapping or a database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from dags.inspection.decoded_files import Format, Output
from dags.inspection.reject_file import Rejected, write_rejects
from extractors.batches import Account, Extraction, Kind, extract
from extractors.diagnosis.diagnosis import Diagnosis, diagnose
from extractors.reading import (
    Reading,
    Spoken,
    library_of,
    make_layout,
    make_reading,
    read_apart,
    read_text,
    sort_options,
)
from extractors.records import fetch
from extractors.roundtrip import RoundTrip, round_trip
from extractors.stream import DumpStream
from migration_reports.findings import Position, Problem, SpecError, count_errors


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
    made = read_apart(make_layout(spoken, read_text(layout), str(layout), texts), spoken.fields)
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


def diagnose_file(
    dump: Path, *, layout: Path | None, library: Sequence[Path] = (), replacing: Mapping[str, str] | None = None
) -> Diagnosis:
    """Find out how a dump may be read.

    Raises:
        SpecError: the copybook cannot be read under any dialect.
    """
    if layout is None:
        return diagnose(dump)
    text = read_text(layout)
    texts = library_of((layout.parent, *library))
    said = replacing or {}
    return diagnose(
        dump, lambda dialect: make_layout(Spoken(dialect=dialect, replacing=said), text, str(layout), texts)
    )


def explain_left_over(
    job: Job, *, layout: Path, library: Sequence[Path] = (), replacing: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """What diagnosis says of a dump that was not read to its end: the framing it proposes, and why.

    Raises:
        SpecError: the copybook cannot be read under any dialect.
    """
    found = diagnose_file(job.dumps[-1], layout=layout, library=library, replacing=replacing)
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
    """Decode a dump, encode it again, and compare.

    Raises:
        SpecError: its records are rows, whose cells may be written in several ways.
    """
    if job.reading.framing.lay is not None:
        message = "rows of cells may be written in several ways, so that nothing follows from other bytes"
        hint = "decode accounts for every byte of them; roundtrip is for records of fixed places"
        raise SpecError([Problem("L126", Position(job.reading.layout.file), message, (), hint)])
    with job.reading.open(job.dumps) as stream:
        return round_trip(stream, name=job.name, reading=job.reading, kinds=job.kinds)


def decode(
    job: Job,
    *,
    out: Path | BinaryIO,
    form: Format,
    findings: Path | None,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Account, int, int]:
    """Write every record of a dump in a form that other tools read; every OCCURS is a list.

    Args:
        job: the dump and how to read it.
        out: the file to write.
        form: jsonl (numbers as plain decimal strings, bytes as hexadecimal), parquet or arrow (typed; where kinds have
            fields of one name and several types, each is a column KIND.FIELD).
        findings: where to write the findings as JSON lines.
        rejects: where to write the bytes of the records with errors, and of those they belong to, for `--container
            rejects`; the dump is read once more for them.
        progress: told the bytes read and the bytes of the dump.

    Returns:
        Where the bytes went, how many findings there were, and how many of them are errors.
    """
    found = errors = 0
    rejected = Rejected()
    with job.reading.open(job.dumps) as stream:
        extraction = open_extraction(job, stream, lists=True)
        sink = findings.open("wb") if findings is not None else None
        try:
            with Output(out, form, extraction.schemas) as output:
                for part in extraction.slices():
                    output.write(part)
                    for extracted in part:
                        found += extracted.findings.num_rows
                        errors += count_errors(extracted.findings)
                        if rejects is not None:
                            rejected.add(extracted)
                        if sink is not None and extracted.findings.num_rows:
                            pl.DataFrame(pl.from_arrow(extracted.findings)).select(
                                "record", "offset", "field", "code", "severity", "detail"
                            ).write_ndjson(sink)
                    if progress is not None:
                        progress(stream.taken, stream.size)
        finally:
            if sink is not None:
                sink.close()
    if rejects is not None:
        with job.reading.open(job.dumps) as stream:
            records = fetch(stream, job.reading.framing, job.reading.layout, rejected.numbers())
            write_rejects(rejects, job.name, records)
    return extraction.account, found, errors
