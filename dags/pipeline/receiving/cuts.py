"""The slices of a run's dumps: cut once, read anywhere, and what was counted of them added up."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dags.pipeline.receiving import inbox, per_file
from dags.pipeline.run_folder import Run, settings
from dags.pipeline.slice_files import write_context
from dags.pipeline.town import Municipality
from extractors.reading import Reading
from extractors.records import Slice
from extractors.slicing import cut
from extractors.stream import DumpStream
from migration_reports.findings import RunError
from migration_reports.records.counted import DumpAccount, SliceAccount
from migration_reports.records.steps import Cuts, DumpCuts, SliceCut
from target_schemas.postgres.staging import LAST

log = logging.getLogger("hikkoshi")

MAX_SLICES = 1_000
"""Of all dumps of a run: Airflow maps a task over 1,024 things at most."""


def plan(run: Run, municipality: Municipality) -> list[tuple[str, int]]:
    """Cut the dumps, and write the slices down with the hash of each; (dump, slice number from 1) of all of them.

    Raises:
        RunError: a dump has changed since it was received.
    """
    plans: dict[str, DumpCuts] = {}
    dumps = list(municipality.dumps)
    for dump in dumps:
        reader, files = municipality.dumps[dump], inbox.dump_files(run, dump)
        if not files:
            log.info("%s: it may be absent, and is", dump)
            plans[dump] = DumpCuts(slices=())
            continue
        made = cut(
            reader.reading,
            files,
            reader.kinds,
            target=settings().slice_bytes,
            at_most=max(MAX_SLICES // len(dumps), 1),
        )
        why = f": {made.reason}" if made.reason else ""
        log.info("%s: %d slice(s)%s", dump, len(made.slices), why)
        write_context(run.path, municipality, dump, inbox.dump_files(run, dump))
        plans[dump] = DumpCuts(
            slices=tuple(SliceCut(**dataclasses.asdict(part)) for part in made.slices),
            reason=made.reason,
            sha256=_hashes(run, dump, reader.reading, made.slices),
        )
    if run.read(Cuts) not in (None, Cuts(dumps=plans)):
        # What was read of other slices must not stand beside what will be read of these.
        for folder in ("mapped", "held", "looked_at", "linked", "findings/dumps"):
            shutil.rmtree(run.path / folder, ignore_errors=True)
        run.forget(SliceAccount)
    run.write(Cuts(dumps=plans))
    return [(dump, number) for dump, cuts in plans.items() for number in range(1, len(cuts.slices) + 1)]


def planned(run: Run, dump: str) -> tuple[Slice, ...]:
    """The slices of a dump.

    Raises:
        RunError: it was not received.
    """
    return tuple(
        Slice(part.offset, part.length, part.record, part.state, part.family) for part in _cuts(run, dump).slices
    )


def cuts_of(run: Run) -> Mapping[str, DumpCuts]:
    """How the dumps of a run were cut.

    Raises:
        RunError: none has been received.
    """
    cuts = run.read(Cuts)
    if cuts is None:
        raise RunError(f"no dump has been received by run {run.run_id}; nothing was read")
    return cuts.dumps


def _cuts(run: Run, dump: str) -> DumpCuts:
    dumps = cuts_of(run)
    if dump not in dumps:
        raise RunError(f"no dump `{dump[:60]}` has been received by run {run.run_id}")
    return dumps[dump]


def _hashes(run: Run, dump: str, reading: Reading, parts: Sequence[Slice]) -> tuple[str, ...]:
    """The hash of each slice's bytes; of a dump that is not cut none, because its files' own hashes are known."""
    if len(parts) == 1:
        return ()
    found = []
    with _opened(run, dump, reading) as stream:
        for part in parts:
            stream.hash_from_here()
            stream.read_to_end(part.length)
            found.append(stream.hash_so_far())
        stream.read_to_end()
    _prove(run, dump, dump, inbox.sha256_of(run, dump), stream.sha256)
    return tuple(found)


@contextlib.contextmanager
def opened(run: Run, dump: str, reading: Reading, number: int) -> Iterator[DumpStream]:
    """Open a dump where one of its slices begins, and prove in the end that what was read is what was received.

    Args:
        run: the run.
        dump: the dump.
        reading: how it is read.
        number: the number of the slice, from 1. However much of it is read in the block, all of it is hashed.

    Raises:
        RunError: it is not what was received, or cannot be read any more.
    """
    parts = planned(run, dump)
    part, name = parts[number - 1], named(dump, number, parts)
    with _opened(run, dump, reading, hashed=len(parts) == 1) as stream:
        if len(parts) > 1:
            stream.skip(part.offset)
            stream.hash_from_here()
            begun = stream.given
        yield stream
        if len(parts) > 1:
            stream.read_to_end(part.length - (stream.given - begun))
            _prove(run, dump, name, [_cuts(run, dump).sha256[number - 1]], [stream.hash_so_far()])
        else:
            stream.read_to_end()
            _prove(run, dump, name, inbox.sha256_of(run, dump), stream.sha256)


@contextlib.contextmanager
def _opened(run: Run, dump: str, reading: Reading, *, hashed: bool = True) -> Iterator[DumpStream]:
    files = inbox.dump_files(run, dump)
    try:
        stream = reading.open(files, hashed=hashed)
    except OSError as error:
        raise _changed(run, dump, error.strerror or "it cannot be read") from None
    with stream:
        try:
            yield stream
        except OSError as error:
            if error.filename is None or Path(error.filename) not in files:
                raise
            raise _changed(run, dump, error.strerror or "it cannot be read") from None


def _prove(run: Run, dump: str, name: str, received: Sequence[str], read: Sequence[str]) -> None:
    if list(received) != list(read):
        raise _changed(run, dump, f"what was read of {name} has another SHA-256 than what was received")


def _changed(run: Run, dump: str, why: str) -> RunError:
    files = ", ".join(file.name for file in inbox.dump_files(run, dump))
    return RunError(
        f"{dump} ({files} in {run.inbox}) has changed since it was received: {why}. Nothing was promoted. "
        "See who writes to the inbox; then run again, which receives what lies there."
    )


def named(dump: str, number: int, parts: Sequence[Slice]) -> str:
    """How a slice is called where people read of it."""
    return dump if len(parts) == 1 else f"{dump} {number} of {len(parts)}"


def last_record(number: int, parts: Sequence[Slice]) -> int:
    """The number of the last record that a slice may hold."""
    return parts[number].record - 1 if number < len(parts) else LAST


def join(run: Run, municipality: Municipality, dump: str) -> DumpAccount:
    """Add up what was counted of a dump's slices: it is what would have been counted of the whole.

    Raises:
        RunError: a slice has not been read, or is not the part of the dump that was planned.
    """
    parts = planned(run, dump)
    accounts = []
    for number, part in enumerate(parts, 1):
        name, counted = named(dump, number, parts), run.read(SliceAccount, slice_name(dump, number))
        if counted is None:
            raise RunError(f"{name} has not been read; see the log of its step and run that again")
        read = counted.read
        ends = part.record + read.records == last_record(number, parts) + 1 or number == len(parts)
        if part.length not in (-1, read.bytes) or not ends:
            raise RunError(f"{name} is not what was planned; the dump has changed since it was received. Run again.")
        accounts.append(counted)
    spec = municipality.dumps[dump].spec
    account = DumpAccount.of(SliceAccount.total(accounts), list(spec.records))
    files = per_file.with_cuts(account.files, spec, len(inbox.dump_files(run, dump)))
    return account.model_copy(update={"files": files})


def slice_name(dump: str, number: int) -> str:
    """How the account of a slice is called in the run's folder."""
    return f"{dump}/{number:04}"
