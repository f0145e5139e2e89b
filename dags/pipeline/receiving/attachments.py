"""Attachments of a run: what lies beside the dumps is listed and hashed, records are linked with it, and what they name kept.

The list is made when the dumps are received, and read by every slice; which record names which file is written slice by
slice, so that what no record names is known once all are read. Bounded: a list has a row a file, in memory once a slice.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from dags.pipeline.receiving.object_store import changed, object_store
from dags.pipeline.run_folder import Run
from dags.pipeline.slice_files import findings_file, open_writer
from dags.pipeline.town import Municipality
from extractors.attachments import UnreadableError, normal, read_whole, source_of
from extractors.attachments.source import BACKSLASHES, BLANKS
from mappings.language.attachments import ObjectsSpec
from mappings.plan import BYTES, PATH, SHA256
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, finding, findings_at, join_findings, no_findings
from migration_reports.records.run_record import AttachmentCheck, DumpReceipt
from migration_reports.records.steps import Attachments

LISTED = pa.schema([("name", pa.string()), ("called", pa.string()), ("bytes", pa.int64()), ("sha256", pa.string())])
LINKED = pa.schema([("record", pa.int64()), ("file", pa.int64()), ("altered", pa.bool_()), ("left", pa.bool_())])
"""A record that names a file, the file's number in the list (null: it is not there), whether it is another than said, and
whether the record is left, whose file is none of the joint centre's.
"""

ROWS = 10_000
SHOWN = 16
"""So many digits of a SHA-256 tell files apart, and say nothing of what is in them."""


Kinds = tuple[tuple[str, str, ObjectsSpec], ...]
"""Kinds of records (dump, kind) that name files of one place, and what is said of these."""


def places_of(municipality: Municipality) -> Mapping[str, Kinds]:
    """Where attachments lie: by place, the kinds of records that name files there."""
    found: dict[str, Kinds] = {}
    for dump, reader in municipality.dumps.items():
        for kind, spec in reader.spec.records.items():
            if spec.objects is not None:
                place = spec.objects.place
                found[place] = (*found.get(place, ()), (dump, kind, spec.objects))
    return found


def _kinds(municipality: Municipality) -> tuple[Kinds, ...]:
    return tuple(places_of(municipality).values())


def take(
    run: Run, municipality: Municipality, receipts: Sequence[DumpReceipt]
) -> tuple[tuple[DumpReceipt, ...], pa.RecordBatch]:
    """List what lies beside the dumps, with bytes and hash of each file.

    Returns:
        The receipts with what the folders and archives hold, and what was found.
    """
    told: dict[str, Mapping[str, object]] = {}
    found: list[pa.RecordBatch] = []
    checks = []
    for number, (place, kinds) in enumerate(places_of(municipality).items()):
        objects = kinds[0][2]
        with open_writer(_list_file(run, number), LISTED) as out:
            check = AttachmentCheck(place=place, kinds=tuple(f"{dump}.{kind}" for dump, kind, _ in kinds))
            if (Path(run.inbox) / objects.received).exists():
                check, told[objects.received] = _list(run, check, objects, out, found)
            checks.append(check)
    run.write(Attachments(checks=tuple(checks)))
    updated = (one.model_copy(update=told.get(one.file, {}) if one.status == "received" else {}) for one in receipts)
    return tuple(updated), join_findings(found)


def _list(
    run: Run,
    check: AttachmentCheck,
    objects: ObjectsSpec,
    out: pa.ipc.RecordBatchFileWriter,
    found: list[pa.RecordBatch],
) -> tuple[AttachmentCheck, Mapping[str, object]]:
    """List one place; gives what is known of it, and what a receipt says of it."""
    refused: Counter[str] = Counter()
    total = count = 0
    digest = hashlib.sha256()
    try:
        files = _read(run, objects, refused)
        while some := list(itertools.islice(files, ROWS)):
            columns = zip(zip(*some, strict=True), LISTED.types, strict=True)
            out.write_batch(pa.RecordBatch.from_arrays([pa.array(c, kind) for c, kind in columns], schema=LISTED))
            for name, _, size, sha256 in some:
                digest.update(f"{sha256}  {name}\n".encode())
                total, count = total + size, count + 1
    except UnreadableError as error:
        found.append(finding("F138", CATALOGUE["F138"].severity, detail=f"{check.place}: {error}"))
    for reason, times in refused.items():
        found.append(finding("F137", CATALOGUE["F137"].severity, detail=f"{check.place}: {reason} ({times})"))
    check = check.model_copy(update={"files": count, "bytes": total, "refused": refused.total()})
    of_folder = {"bytes": total, "sha256": digest.hexdigest()} if objects.zip is None else {}
    return check, {"records": count, **of_folder}


def _read(run: Run, objects: ObjectsSpec, refused: Counter[str]) -> Iterator[tuple[str, str, int, str]]:
    """The files of one place: the name, how the source calls it, bytes, SHA-256; `refused` is added to."""
    source = source_of(Path(run.inbox), archive=objects.zip, folder=objects.folder)
    listing = source.listing()
    refused += listing.refused
    for name, called in listing.names.items():
        try:
            yield name, called, *read_whole(source, called)
        except UnreadableError as error:
            refused[str(error)] += 1


class Linker:
    """Links records of one slice of a dump with the files that they name.

    Args:
        run: whose lists are read.
        municipality: what it says of attachments.
        dump: the dump.
        number: the slice's number.
    """

    def __init__(self, run: Run, municipality: Municipality, dump: str, number: int) -> None:
        self._dump = dump
        self._stack = contextlib.ExitStack()
        self._linked: tuple[str, pl.DataFrame, pa.Schema] | None = None
        self._kinds: dict[str, tuple[ObjectsSpec, pl.DataFrame, pa.ipc.RecordBatchFileWriter]] = {}
        for at, kinds in enumerate(_kinds(municipality)):
            listed = None
            for of_dump, kind, objects in kinds:
                if of_dump == dump:
                    listed = _listed(run, at) if listed is None else listed
                    out = self._stack.enter_context(open_writer(_links_file(run, dump, kind, number), LINKED))
                    self._kinds[kind] = (objects, listed, out)

    def __enter__(self) -> Linker:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.__exit__(*failure)  # type: ignore[arg-type]

    def link(self, kind: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Add to records of a kind the file that each names."""
        self._linked = None
        if kind not in self._kinds:
            return batch
        objects, listed, _ = self._kinds[kind]
        read = list(dict.fromkeys(("_record", "_offset", *objects.fields)))
        rows = _linked(pl.DataFrame(pl.from_arrow(batch.select(read))), objects, listed)
        self._linked = kind, rows, batch.schema
        columns = rows.select(
            (pl.col("sha256").str.head(2) + "/" + pl.col("sha256")).alias(PATH),
            pl.col("bytes").alias(BYTES),
            pl.col("sha256").alias(SHA256),
        ).to_arrow()
        for name, type_ in ((PATH, pa.string()), (BYTES, pa.int64()), (SHA256, pa.string())):
            batch = batch.append_column(name, columns[name].combine_chunks().cast(type_))
        return batch

    def found(self, left: pl.Series | None) -> pa.RecordBatch:
        """Note which file each record names that was linked last, and whether it is left; gives what is found of them."""
        if self._linked is None:
            return no_findings()
        kind, rows, schema = self._linked
        objects, _, out = self._kinds[kind]
        gone = pl.Series([False]).new_from_index(0, rows.height) if left is None else left.is_not_null()
        naming = rows.with_columns(gone.alias("left")).filter(pl.col("name").is_not_null())
        links = naming.select(pl.col("_record").alias("record"), "file", "altered", "left")
        for written in links.to_arrow().cast(LINKED).to_batches():
            out.write_batch(written)
        return join_findings(
            [
                self._found(code, severity, kind, schema.field(field), naming.filter(mask))
                for code, severity, field, mask in (
                    ("F134", objects.missing, objects.key, pl.col("file").is_null()),
                    ("F135", objects.altered, objects.sha256 or objects.bytes or objects.key, pl.col("altered")),
                    ("F139", str(CATALOGUE["F139"].severity), objects.key, pl.col("empty")),
                )
            ]
        )

    def _found(self, code: str, severity: str, kind: str, field: pa.Field, rows: pl.DataFrame) -> pa.RecordBatch:
        offset = int((field.metadata or {}).get(b"offset", b"0"))
        return findings_at(
            code,
            severity,
            dump=self._dump,
            kind=kind,
            record=rows["_record"].to_numpy(),
            offset=(rows["_offset"] + offset).to_numpy(),
            field=field.name,
        )


def _linked(frame: pl.DataFrame, objects: ObjectsSpec, listed: pl.DataFrame) -> pl.DataFrame:
    """Records with the file that each names: its number, bytes, hash, and whether it is altered, or empty unsaid."""
    name = path_of(pl.col(objects.key), prefix=objects.prefix)
    nothing = pl.lit(None, pl.String)
    said = pl.col(objects.sha256).str.strip_chars(BLANKS).str.to_lowercase() if objects.sha256 is not None else nothing
    size = pl.col(objects.bytes) if objects.bytes is not None else pl.lit(None, pl.Int64)
    rows = frame.select(
        "_record",
        "_offset",
        pl.when(name != "").then(name).alias("name"),
        pl.when(said != "").then(said).alias("said"),
        size.cast(pl.Int64).alias("size"),
    ).join(listed, on="name", how="left", maintain_order="left")
    other = (pl.col("said") != pl.col("sha256")).fill_null(value=False) | (pl.col("size") != pl.col("bytes")).fill_null(
        value=False
    )
    unsaid = (pl.col("bytes") == 0) & pl.col("said").is_null() & pl.col("size").is_null()
    return rows.with_columns(other.alias("altered"), unsaid.fill_null(value=False).alias("empty"))


def path_of(column: pl.Expr, *, prefix: str) -> pl.Expr:
    """The paths of a column as `normal` makes them, without what each begins with in the records."""
    for character in BACKSLASHES:
        column = column.str.replace_all(character, "/", literal=True)
    named = column.str.normalize("NFC").str.strip_chars(BLANKS)
    return named.str.strip_prefix(normal(prefix)).str.strip_prefix("./")


def settle(run: Run, municipality: Municipality) -> None:
    """Say of each place what records name of it, once all are read; a file that none names is a finding."""
    taken = run.read(Attachments)
    checks = []
    for number, (check, kinds) in enumerate(
        zip(taken.checks if taken is not None else (), _kinds(municipality), strict=True)
    ):
        listed = _listed(run, number)
        links = _links(run, kinds).collect()
        named = links["file"].drop_nulls().unique()
        stay = links.filter(~pl.col("left"))
        extra = listed.join(named.to_frame(), on="file", how="anti", maintain_order="left")
        with open_writer(findings_file(run.path, kinds[0][0], f"attachments-{number:02}"), FINDINGS) as out:
            out.write_batch(_extra(check, kinds, extra))
        counted = {
            "records": stay.height,
            "named": len(named),
            "missing": stay["file"].null_count(),
            "altered": int(stay["altered"].sum()),
            "extra": extra.height,
        }
        checks.append(check.model_copy(update=counted))
    run.write(Attachments(checks=tuple(checks)))


def _extra(check: AttachmentCheck, kinds: Kinds, extra: pl.DataFrame) -> pa.RecordBatch:
    """A finding for each file that no record names; what it is called may tell of a resident, so its hash says which it is."""
    grade = "error" if any(objects.extra == "error" for *_, objects in kinds) else "alert"
    where, digits = pl.lit(f"{check.place}: "), pl.col("sha256").str.head(SHOWN)
    said = extra.select(pl.concat_str(where, pl.col("bytes"), pl.lit(" bytes, SHA-256 "), digits).alias("detail"))
    nowhere = pa.nulls(extra.height, pa.int64())
    details = said["detail"].to_arrow().cast(pa.string())
    return findings_at("F136", grade, dump=kinds[0][0], record=nowhere, offset=nowhere, detail=details)


def keep(run: Run, municipality: Municipality, rejected: pa.Table) -> None:
    """Keep the files that records name which are not rejected, in the store of the joint centre.

    Args:
        run: the run.
        municipality: what it says of attachments.
        rejected: the records that are: source_dump and source_record.

    Raises:
        RunError: a file has changed since it was received.
    """
    settled = run.read(Attachments)
    if settled is None or not settled.checks:
        return
    store, out = object_store(), pl.DataFrame(pl.from_arrow(rejected))
    kept = []
    for number, (check, kinds) in enumerate(zip(settled.checks, _kinds(municipality), strict=True)):
        accepted = (
            _links(run, kinds)
            .filter(~pl.col("left"))
            .collect()
            .join(out, left_on=("dump", "record"), right_on=("source_dump", "source_record"), how="anti")
        )
        wanted = _listed(run, number).join(accepted.select("file").drop_nulls().unique(), on="file", how="semi")
        objects = kinds[0][2]
        source = source_of(Path(run.inbox), archive=objects.zip, folder=objects.folder)
        try:
            total = sum(
                store.keep(sha256, source.pieces(called)) for called, sha256 in wanted["called", "sha256"].iter_rows()
            )
        except UnreadableError as error:
            raise changed(str(error)) from None
        kept.append(check.model_copy(update={"kept": wanted.height, "bytes_kept": total}))
    store.settle()
    run.write(Attachments(checks=tuple(kept)))


def _list_file(run: Run, number: int) -> Path:
    return run.path / "attachments" / f"{number:02}.arrow"


def _links_file(run: Run, dump: str, kind: str, number: int) -> Path:
    return run.path / "linked" / f"{dump}.{kind}" / f"{number:04}.arrow"


def _listed(run: Run, number: int) -> pl.DataFrame:
    """A list of files, numbered from 0."""
    return pl.read_ipc(_list_file(run, number)).with_row_index("file").cast({"file": pl.Int64})


def _links(run: Run, kinds: Kinds) -> pl.LazyFrame:
    """Which records name which files, over all kinds that name files of one place."""
    frames = [
        pl.scan_ipc(files).with_columns(pl.lit(dump).alias("dump"))
        for dump, kind, _ in kinds
        if (files := sorted(_links_file(run, dump, kind, 0).parent.glob("*.arrow")))
    ]
    empty = pl.DataFrame(pl.from_arrow(LINKED.empty_table())).lazy().with_columns(pl.lit("").alias("dump"))
    return pl.concat(frames or [empty])
