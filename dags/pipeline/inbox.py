"""What lies in an inbox against what a manifest expects, and the files that make up each dump."""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from dags.pipeline.controls import control_files
from dags.pipeline.run_folder import Run
from dags.pipeline.town import DumpReader, Municipality
from mappings.language.spec import DumpSpec
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.records.run_record import DumpReceipt
from migration_reports.records.steps import Reason, Receipts

_STATUS = {"missing": "F101", "empty": "F102", "twice": "F103"}


def files_of(inbox: Path, spec: DumpSpec) -> Iterator[tuple[str, Path | None]]:
    """The files of a dump in order: the name it is expected under, and the file, or None where there is none."""
    for name in spec.file:
        if set(name) & set("*?"):
            found = sorted(p for p in inbox.glob(name) if p.is_file()) if inbox.is_dir() else []
            for file in found:
                yield file.relative_to(inbox).as_posix(), file
            missing = (spec.volumes or 1) - len(found)
            yield from ((name, None) for _ in range(min(max(missing, 0), 1)))
        else:
            yield name, inbox / name if (inbox / name).is_file() else None


def dump_files(run: Run, dump: str) -> list[Path]:
    """The files of a dump that a run received, in order."""
    return [Path(run.inbox) / receipt.file for receipt in _receipts(run, dump)]


def sha256_of(run: Run, dump: str) -> list[str]:
    """The SHA-256 of the files of a dump as they were received, in order."""
    return [receipt.sha256 for receipt in _receipts(run, dump)]


def _receipts(run: Run, dump: str) -> tuple[DumpReceipt, ...]:
    received = run.read(Receipts)
    return received.of(dump) if received is not None else ()


def receive(
    municipality: Municipality, inbox: Path, *, left: Sequence[str] = ()
) -> tuple[tuple[DumpReceipt, ...], pa.RecordBatch]:
    """Compare an inbox with the manifest: every expected file, and every file that nobody expects.

    Args:
        municipality: with the systems that are moved.
        inbox: where the dumps lie.
        left: the files, by name or pattern, of its systems that are not; they are noted, and not read.
    """
    receipts: list[DumpReceipt] = []
    found: list[pa.RecordBatch] = []
    by_sha256: dict[str, str] = {}
    expected: set[str] = set()
    for name, reader in municipality.dumps.items():
        files = list(files_of(inbox, reader.spec))
        there = sum(file is not None for _, file in files)
        wanted = reader.spec.volumes
        for file_name, file in files:
            expected.add(file_name)
            inside = file is not None and file.resolve().is_relative_to(inbox.resolve())
            size = file.stat().st_size if file is not None and inside else 0
            sha256 = file_sha256(file) if file is not None and size else ""
            status, code, detail = "received", "", file_name
            if file is None or not inside:
                status, code = "missing", "F101"
                detail = f"{file_name}: {there} of {wanted} files" if wanted else file_name
            elif size == 0:
                status, code = "empty", "F102"
            elif sha256 in by_sha256:
                status, code, detail = "twice", "F103", f"{file_name}: same as {by_sha256[sha256]}"
            by_sha256.setdefault(sha256, file_name)
            if code:
                found.append(finding(code, CATALOGUE[code].severity, dump=name, detail=detail))
            receipts.append(_receipt(name, reader, file_name, status, size, sha256))
        if wanted is not None and there > wanted:
            detail = f"{there} files, and {wanted} are expected"
            found.append(finding("F104", CATALOGUE["F104"].severity, dump=name, detail=detail))
    beside, wrong = control_files.receive(municipality, inbox, by_sha256)
    receipts.extend(beside)
    found.append(wrong)
    expected.update(receipt.file for receipt in beside)
    for other in sorted(p for p in inbox.iterdir() if p.is_file()) if inbox.is_dir() else []:
        hidden = other.name.startswith(".") or other.name.endswith((".faults.csv", ".faults.csv.part"))
        if other.name in expected or hidden:
            continue
        sha256 = file_sha256(other)
        if any(fnmatch.fnmatchcase(other.name, name) for name in left):
            size = other.stat().st_size
            receipts.append(DumpReceipt(dump="", title="", file=other.name, status="left", bytes=size, sha256=sha256))
            continue
        twice = sha256 in by_sha256
        detail = f"{other.name}: same as {by_sha256[sha256]}" if twice else other.name
        code = "F103" if twice else "F104"
        found.append(finding(code, CATALOGUE[code].severity, detail=detail))
        receipts.append(
            DumpReceipt(
                dump="",
                title="",
                file=other.name,
                status="twice" if twice else "unexpected",
                bytes=other.stat().st_size,
                sha256=sha256,
            )
        )
    return tuple(receipts), join_findings(found)


def lacking(receipts: Iterable[DumpReceipt]) -> tuple[DumpReceipt, ...]:
    """The expected files that did not come, or came empty or as a copy of another."""
    return tuple(receipt for receipt in receipts if receipt.dump and receipt.status != "received")


def why_held(receipts: Iterable[DumpReceipt], inbox: Path) -> tuple[Reason, ...]:
    """Why a run goes no further with what was received, in Japanese and English; nothing where every file is there."""
    if not inbox.is_dir():
        said = f"there is no inbox {inbox}: put the dumps there, and run again"
        return (Reason(f"受領フォルダーがない ({inbox})", said),)
    return tuple(
        Reason(
            f"{CATALOGUE[code].ja} ({receipt.file}、受領フォルダー {inbox})",
            f"{CATALOGUE[code].en} ({receipt.file} in {inbox})",
        )
        for receipt in lacking(receipts)
        for code in (_STATUS[receipt.status],)
    )


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, read once in bounded memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receipt(name: str, reader: DumpReader, file: str, status: str, size: int, sha256: str) -> DumpReceipt:
    return DumpReceipt.model_validate(
        {
            "dump": name,
            "title": reader.spec.title,
            "file": file,
            "status": status,
            "bytes": size,
            "sha256": sha256,
            "framing": reader.reading.framing.name,
            "charset": reader.reading.charset.name,
            "dialect": reader.layout.dialect.title,
            "rules": {
                **reader.layout.dialect.rules,
                **dataclasses.asdict(reader.reading.blanks),
                **reader.reading.charset.policies,
            },
            "sources": reader.layout.dialect.sources,
            "notes": [*map(str, reader.layout.notes), *reader.reading.charset.notes],
            "layout": reader.spec.layout,
            "record_length": reader.reading.framing.record_length,
        }
    )
