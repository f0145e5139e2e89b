"""What lies in an inbox against what the manifests expect: a verdict for every file, expected or not."""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from dags.pipeline.controls.control_files import encoding_of
from dags.pipeline.receiving.expected import Expected, expected_files
from dags.pipeline.run_folder import Run
from dags.pipeline.town import DumpReader, Municipality
from mappings.language.deliveries import as_glob
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.records.run_record import DumpReceipt
from migration_reports.records.steps import Reason, Receipts

_STATUS = {"missing": "F101", "empty": "F102", "twice": "F103"}
"""The verdicts for which a run is held."""

_NOTHING_BEFORE: Mapping[str, str] = MappingProxyType({})


def dump_files(run: Run, dump: str) -> list[Path]:
    """The files of a dump that a run received, in order."""
    return [Path(run.inbox) / receipt.file for receipt in _receipts(run, dump)]


def sha256_of(run: Run, dump: str) -> list[str]:
    """The SHA-256 of the files of a dump as they were received, in order."""
    return [receipt.sha256 for receipt in _receipts(run, dump)]


def _receipts(run: Run, dump: str) -> tuple[DumpReceipt, ...]:
    received = run.read(Receipts)
    return tuple(one for one in received.of(dump) if one.status == "received") if received is not None else ()


def receive(
    municipality: Municipality, inbox: Path, *, left: Sequence[str] = (), before: Mapping[str, str] = _NOTHING_BEFORE
) -> tuple[tuple[DumpReceipt, ...], pa.RecordBatch]:
    """Compare an inbox with the manifests: every expected file, and every file that nobody expects.

    Args:
        municipality: with the systems that are moved.
        inbox: where the dumps lie.
        left: the files, by name or pattern, of its systems that are not; they are noted, and not read.
        before: by SHA-256, the name under which a file came to a run before this one.
    """
    seen = _Seen(inbox, before)
    expected = list(expected_files(municipality, inbox))
    receipts = [_expected(one, seen, municipality) for one in expected]
    receipts += _others(inbox, {one.name for one in expected}, left, seen)
    counted = {one.dump: (one.there, one.wanted) for one in expected if one.role == "dump"}
    for dump, (there, wanted) in counted.items():
        if wanted is not None and there > wanted:
            seen.say("F104", f"{there} files, and {wanted} are expected", dump)
    return tuple(receipts), join_findings(seen.found)


class _Seen:
    """What was seen of an inbox so far: the files by their SHA-256, and what was found."""

    def __init__(self, inbox: Path, before: Mapping[str, str]) -> None:
        self.inbox = inbox
        self.before = before
        self.found: list[pa.RecordBatch] = []
        self._names: dict[str, str] = {}

    def same_as(self, sha256: str, name: str) -> str:
        """The name of the file with the same bytes that was seen before this one; empty where there is none."""
        other = self._names.setdefault(sha256, name) if sha256 else name
        return "" if other == name else other

    def say(self, code: str, detail: str, dump: str = "") -> None:
        """Note a finding about a file."""
        self.found.append(finding(code, CATALOGUE[code].severity, dump=dump or None, detail=detail))


def _expected(one: Expected, seen: _Seen, municipality: Municipality) -> DumpReceipt:
    """The verdict on a file that is expected."""
    inside = one.file is not None and one.file.resolve().is_relative_to(seen.inbox.resolve())
    folder = one.file is not None and one.file.is_dir()
    size = one.file.stat().st_size if one.file is not None and inside and not folder else 0
    sha256 = file_sha256(one.file) if one.file is not None and size else ""
    status, code, detail = "received", "", one.name
    if one.superseded:
        status, code = "superseded", "F133"
    elif one.file is None or not inside:
        status, code = ("absent", "F130") if one.optional else ("missing", "F101")
    elif size == 0 and not folder:
        status, code = "empty", "F131" if one.optional else "F102"
    elif other := seen.same_as(sha256, one.name):
        status, code, detail = "twice", "F103", f"{one.name}: same as {other}"
    elif seen.before.get(sha256, one.name) != one.name:
        code, detail = "F132", f"{one.name}: same as {seen.before[sha256]}"
    if status == "missing" and one.wanted:
        detail = f"{one.name}: {one.there} of {one.wanted} files"
    if code:
        seen.say(code, detail, one.dump)
    receipt = DumpReceipt.model_validate(
        {
            "dump": one.dump,
            "title": one.title,
            "delivery": one.delivery,
            "optional": one.optional,
            "file": one.name,
            "status": status,
            "bytes": size,
            "sha256": sha256,
            "role": one.role,
        }
    )
    if one.role == "control":
        return receipt.model_copy(update={"charset": encoding_of(one.file) if one.file is not None and size else ""})
    reader = municipality.dumps.get(one.dump)
    return receipt.model_copy(update=_how(reader)) if reader is not None else receipt


def _others(inbox: Path, expected: set[str], left: Sequence[str], seen: _Seen) -> Iterator[DumpReceipt]:
    """The verdicts on what is not expected: files, and folders in which nothing is."""
    patterns = tuple(map(as_glob, left))
    for name in _unnamed(inbox, expected):
        file = inbox / name
        sha256, status = "" if file.is_dir() else file_sha256(file), "left"
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            same = seen.same_as(sha256, name)
            status = "twice" if same else "unexpected"
            seen.say("F103" if same else "F104", f"{name}: same as {same}" if same else name)
        size = 0 if file.is_dir() else file.stat().st_size
        yield DumpReceipt.model_validate(
            {"dump": "", "title": "", "file": name, "status": status, "bytes": size, "sha256": sha256}
        )


def _unnamed(inbox: Path, expected: set[str]) -> Iterator[str]:
    """What lies in an inbox, and in folders of it in which something is expected, under a name that nothing expects."""
    folders = {parent.as_posix() for name in expected if not name.endswith("/") for parent in Path(name).parents}
    for folder in sorted({".", *folders}):
        for path in sorted((inbox / folder).iterdir()) if (inbox / folder).is_dir() else []:
            name = path.relative_to(inbox).as_posix()
            hidden = name.startswith(".") or name.endswith((".faults.csv", ".faults.csv.part"))
            if path.is_dir() and not hidden and name not in folders and f"{name}/" not in expected:
                yield f"{name}/"
            elif path.is_file() and not hidden and name not in expected:
                yield name


def lacking(receipts: Iterable[DumpReceipt]) -> tuple[DumpReceipt, ...]:
    """The expected files that did not come, or came empty or as a copy of another."""
    return tuple(
        receipt
        for receipt in receipts
        if receipt.expected and receipt.status in _STATUS and not (receipt.optional and receipt.status == "empty")
    )


def why_held(receipts: Iterable[DumpReceipt], inbox: Path) -> tuple[Reason, ...]:
    """Why a run goes no further with what was received, in Japanese and English; nothing where it may go on."""
    if not inbox.is_dir():
        said = f"there is no inbox {inbox}: put the dumps there, and run again"
        return (Reason(f"受領フォルダーがない ({inbox})", said),)
    receipts = tuple(receipts)
    came = any(r.dump and r.role == "dump" and r.status == "received" for r in receipts)
    if not came and not lacking(receipts):
        said = f"none of the dumps, which may all be absent, lies in {inbox}: there is nothing to move"
        return (Reason(f"任意の移行ファイルが一つも届いていない ({inbox})", said),)
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


def _how(reader: DumpReader) -> dict[str, object]:
    """How the files of a dump are read."""
    reading, dialect = reader.reading, reader.layout.dialect
    return {
        "framing": reading.framing.name,
        "charset": reading.charset.name,
        "dialect": dialect.title,
        "rules": {**dialect.rules, **dataclasses.asdict(reading.blanks), **reading.charset.policies},
        "sources": dialect.sources,
        "notes": (*map(str, reader.layout.notes), *reading.charset.notes),
        "layout": reader.spec.layout,
        "record_length": reading.framing.record_length,
    }
