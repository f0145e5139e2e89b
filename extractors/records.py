"""A stream of bytes -> records: one file and one buffer after another, every byte counted once.

Records keep their number (from 1) and their byte offset in the dump. One buffer serves them all: what is decoded is
copied out of it before the next read. Nothing here decodes, so a record can be found again by its number (`fetch`) as
fast as memory allows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import BinaryIO

import numpy as np

from extractors.containers.contract import Damaged
from extractors.framings.contract import BEGUN, MAX_LENGTH, Framed, Framing, State, Trouble
from extractors.kernels.memory import SLACK
from extractors.layout import Layout
from extractors.stream import DumpStream

BUFFER = 8 * 1024 * 1024
"""Bytes of a buffer: some batches of usual records, and little enough to stay near the core."""

BUFFER_LEAST = 1 << 12

NO_PLACES = np.zeros(0, np.int64)

Dump = BinaryIO | DumpStream
"""The bytes of a dump: of one file, or of several one after another."""


@dataclasses.dataclass(slots=True)
class Account:
    """Where the bytes of a dump went; complete when the reading has come to its end.

    `left_out` are those of fixed headers and trailers of its files, which are no part of `bytes`.
    """

    bytes: int = 0
    records: int = 0
    of_no_kind: int = 0
    left_over: int = 0
    in_records: int = 0
    descriptors: int = 0
    skipped: int = 0
    left_out: int = 0
    kinds: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def closes(self) -> bool:
        """Whether every byte and every record is accounted for."""
        everything = self.in_records + self.descriptors + self.skipped + self.left_over
        return self.bytes == everything and self.records == sum(self.kinds.values()) + self.of_no_kind


@dataclasses.dataclass(frozen=True, slots=True)
class Records:
    """Consecutive records: `data[pos:limits]` are a record's bytes, `offsets` its places in the dump.

    `end` is where in the dump what was framed with them ends, and `state` what the framing remembers there. Of rows that
    were laid, `data` is what they were laid into, and `flags` what was odd in them (`framings.contract.Laid`).
    """

    data: np.ndarray
    pos: np.ndarray
    limits: np.ndarray
    numbers: np.ndarray
    offsets: np.ndarray
    troubles: tuple[Trouble, ...] = ()
    end: int = 0
    state: State = ()
    flags: np.ndarray | None = None

    def some(self, chosen: slice | np.ndarray) -> Records:
        """Some of them, without what was wrong between them."""
        return Records(
            self.data,
            self.pos[chosen],
            self.limits[chosen],
            self.numbers[chosen],
            self.offsets[chosen],
            state=self.state,
            flags=None if self.flags is None else self.flags[chosen],
        )

    def laid(self, framing: Framing, layout: Layout) -> Records:
        """The records in the places of the layout: themselves, unless they are rows of cells."""
        if framing.lay is None:
            return self
        rows = framing.lay(self.data, self.pos, self.limits, self.state)
        pos = SLACK + layout.length * np.arange(len(self.pos), dtype=np.int64)
        return dataclasses.replace(self, data=rows.data, pos=pos, limits=pos + layout.length, flags=rows.flags)


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """A part of a dump that can be read by itself.

    `offset` and `length` are bytes of the (unwrapped) dump, a length of -1 all that follow; `record` is the number of
    its first record, `state` what the framing must remember, `family` the last record number of each kind before it.
    """

    offset: int
    length: int
    record: int
    state: State = ()
    family: tuple[int, ...] = ()


def frames(
    dump: Dump,
    framing: Framing,
    layout: Layout,
    account: Account,
    *,
    base: int = 0,
    state: State = (),
    first_record: int = 1,
    length: int | None = None,
    buffer_bytes: int = BUFFER,
) -> Iterator[Records]:
    """Frame a stream from where it stands, each of its files by itself.

    Args:
        dump: the bytes.
        framing, layout: how records lie in it, and what one looks like.
        account: is added to.
        base: the offset in the dump of the stream's first byte.
        state: what the framing must remember of what came before.
        first_record: the number of the first record.
        length: how many bytes to read at most (a slice); None: all.
        buffer_bytes: bytes of a buffer.

    Yields:
        The records of each buffer, good until the next are asked for; troubles come with those before them, their `at` an offset in the dump.
    """
    file = _File(dump, framing, layout, account, length, max(buffer_bytes, BUFFER_LEAST))
    number = first_record
    before = dump.left_out if isinstance(dump, DumpStream) else 0
    while True:
        base, number = yield from file.frames(base, state, number)
        if isinstance(dump, DumpStream):
            account.left_out += dump.left_out - before
            before = dump.left_out
        done = length is not None and account.bytes >= length
        if done or not isinstance(dump, DumpStream) or not dump.advance():
            return
        state = ()


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    """Frames the file that a dump stands in; see `frames`."""

    dump: Dump
    framing: Framing
    layout: Layout
    account: Account
    length: int | None
    room: int

    def frames(self, base: int, state: State, number: int) -> Generator[Records, None, tuple[int, int]]:
        """Frame it to its end; gives the offset in the dump of what follows it, and the number of the next record."""
        account, room = self.account, self.room
        # Behind the last record a whole layout can be read without looking.
        tail = self.layout.length + SLACK
        carried = b""
        ends = at_end = False
        buffer = np.empty(0, np.uint8)
        while True:
            if len(buffer) < SLACK + len(carried) + room + tail:
                buffer = np.empty(SLACK + len(carried) + room + room // 8 + tail, np.uint8)
            view = memoryview(buffer)  # type: ignore[arg-type]
            view[SLACK : SLACK + len(carried)] = carried
            want = self._wanted(room)
            got, damage = _read_full(self.dump, view[SLACK + len(carried) : SLACK + len(carried) + want])
            account.bytes += got
            ends = got < room
            at_end = got < want
            stop = SLACK + len(carried) + got
            buffer[:SLACK] = 0
            buffer[stop : stop + tail] = 0
            at = SLACK
            while True:
                framed = self.framing.index(buffer, at, stop, ends, state)
                state = framed.state
                troubles = tuple(self._placed(t, base + at - SLACK) for t in framed.troubles)
                account.records += len(framed.pos)
                account.in_records += int((framed.limits - framed.pos).sum())
                account.descriptors += framed.overhead
                account.skipped += sum(t.skipped for t in framed.troubles)
                at += framed.used
                yield _records(framed, buffer, base, number, troubles, base + at - SLACK)
                number += len(framed.pos)
                if framed.stopped or not framed.again or not framed.used:
                    break
            if framed.stopped or ends:
                break
            carried = bytes(view[at:stop])
            base += at - SLACK
            if at == SLACK:
                room = min(2 * room, 4 * MAX_LENGTH)
        base += at - SLACK
        left = stop - at
        if framed.stopped and not ends:
            drained, damage = self._drain()
            left += drained
        account.left_over += left
        last = []
        if damage is not None:
            last.append(Trouble("F109", base + left, 0, f"{damage} (byte {damage.offset} of the file)"))
        if left:
            last.append(Trouble("F105", base, 0, f"{left} bytes after {number - 1} records"))
        promised = self.framing.promised(state) if at_end and not (left or framed.stopped or last) else 0
        if promised:
            last.append(Trouble("F107", base, 0, f"the file ends {promised} bytes before its last block does"))
        if isinstance(self.dump, DumpStream) and self.dump.short:
            last.append(Trouble("F105", base + left, 0, "the file is shorter than its header and trailer"))
        if last:
            placed = tuple(self._placed(t, 0) for t in last)
            yield Records(buffer, NO_PLACES, NO_PLACES, NO_PLACES, NO_PLACES, placed, base + left)
        return base + left, number

    def _wanted(self, room: int) -> int:
        return room if self.length is None else min(room, self.length - self.account.bytes)

    def _placed(self, trouble: Trouble, base: int) -> Trouble:
        """A trouble with its offset in the dump; of several files, it names the one that it is in."""
        dump = self.dump
        where = f" ({dump.parts[-1].path.name})" if isinstance(dump, DumpStream) and dump.several else ""
        return dataclasses.replace(trouble, at=trouble.at + base, detail=trouble.detail + where)

    def _drain(self) -> tuple[int, Damaged | None]:
        """Count what nobody can read."""
        drained = 0
        block = memoryview(bytearray(1 << 20))
        while True:
            want = self._wanted(len(block))
            got, damage = _read_full(self.dump, block[:want])
            self.account.bytes += got
            drained += got
            if got < len(block):
                return drained, damage


WHOLE = Slice(0, -1, 1)
"""A dump that is not cut."""


def frame(
    dump: Dump, framing: Framing, layout: Layout, account: Account, part: Slice, *, buffer_bytes: int = BUFFER
) -> Iterator[Records]:
    """Frame a slice, at whose first byte the stream stands; see `frames`."""
    return frames(
        dump,
        framing,
        layout,
        account,
        base=part.offset,
        state=part.state,
        first_record=part.record,
        length=part.length if part.length >= 0 else None,
        buffer_bytes=buffer_bytes,
    )


def fetch(
    dump: Dump, framing: Framing, layout: Layout, wanted: Iterable[int], part: Slice = WHOLE
) -> Iterator[tuple[int, int, bytes]]:
    """Find records of a slice again by their numbers: (number, offset in the dump, its own bytes), in order."""
    numbers = np.unique(np.fromiter(wanted, np.int64))
    for records in frame(dump, framing, layout, Account(), part):
        here = (
            numbers[(numbers >= records.numbers[0]) & (numbers <= records.numbers[-1])] if len(records.numbers) else []
        )
        for number in here:
            row = int(number - records.numbers[0])
            data = records.data[records.pos[row] : records.limits[row]].tobytes()
            yield int(number), int(records.offsets[row]), data
        if len(numbers) and len(records.numbers) and records.numbers[-1] >= numbers[-1]:
            return


def slices(dump: Dump, framing: Framing, layout: Layout, *, sizes: Sequence[int], target: int) -> tuple[Slice, ...]:
    """Split a dump into slices of about `target` bytes.

    Args:
        dump: the bytes, at their beginning; read through once unless the records are of one length.
        framing, layout: how records lie in it.
        sizes: bytes of each of its files.
        target: bytes of a slice.

    Returns:
        Slices that follow one another; those of fixed records are found by arithmetic, others by the sparse index that
        one pass over the descriptor words makes. Behind a damaged place nothing is cut, because what is made of damage
        depends on the bytes that follow it.
    """
    places = (
        _by_arithmetic(framing.record_length, sizes, target)
        if framing.fixed
        else _by_words(dump, framing, layout, target)
    )
    made = [Slice(0, 0, 1)]
    for offset, number, state in places:
        if offset - made[-1].offset >= target and offset < sum(sizes):
            made[-1] = dataclasses.replace(made[-1], length=offset - made[-1].offset)
            made.append(Slice(offset, 0, number, state))
    # The last goes on to the end of the last file, whatever is found there.
    made[-1] = dataclasses.replace(made[-1], length=-1)
    return tuple(made)


def _by_arithmetic(length: int, sizes: Sequence[int], target: int) -> Iterator[tuple[int, int, State]]:
    """Where records of one length, or files, begin, the next that is `target` bytes from the one before."""
    begun, base, number = 0, 0, 1
    for size in sizes:
        while (place := max(-(-(begun + target - base) // length), 0)) * length < size:
            begun = base + place * length
            yield begun, number + place, BEGUN if place else ()
        base += size
        number += size // length


def _by_words(dump: Dump, framing: Framing, layout: Layout, target: int) -> Iterator[tuple[int, int, State]]:
    """Places up to which records could be followed: (offset, number of the next record, state)."""
    number = 1
    for records in frames(dump, framing, layout, Account(), buffer_bytes=min(target, BUFFER)):
        # The remainder of a file is no damage to the next.
        if any(trouble.code != "F105" for trouble in records.troubles):
            return
        number += len(records.pos)
        yield records.end, number, records.state


def _records(
    framed: Framed, buffer: np.ndarray, base: int, number: int, troubles: tuple[Trouble, ...], end: int
) -> Records:
    places = framed.places if framed.places is not None else framed.pos
    numbers = np.arange(number, number + len(framed.pos), dtype=np.int64)
    data = framed.data if framed.data is not None else buffer
    return Records(data, framed.pos, framed.limits, numbers, places - SLACK + base, troubles, end, framed.state)


def _read_full(dump: Dump, view: memoryview) -> tuple[int, Damaged | None]:
    """Fill the view; fewer bytes mean that the file has ended, or is damaged there."""
    got = 0
    while got < len(view):
        try:
            count = dump.readinto(view[got:])  # type: ignore[union-attr]
        except Damaged as damage:
            return got, damage
        if not count:
            break
        got += count
    return got, None
