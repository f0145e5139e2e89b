"""A stream of bytes -> records: one buffer after another, every byte counted once.

Records keep their number (from 1) and their byte offset in the dump. One buffer serves them all: what is decoded is
copied out of it before the next read. Nothing here decodes, so a record can be found again by its number (`fetch`) as
fast as memory allows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np

from extractors.container import Damaged
from extractors.framing import MAX_LENGTH, Framed, Framing, State, Trouble
from extractors.layout import Layout
from extractors.memory import SLACK

BUFFER = 8 * 1024 * 1024
"""Bytes of a buffer: some batches of usual records, and little enough to stay near the core."""


BUFFER_LEAST = 1 << 12


@dataclasses.dataclass(slots=True)
class Account:
    """Where the bytes of a dump went; complete when the reading has come to its end."""

    bytes: int = 0
    records: int = 0
    of_no_kind: int = 0
    left_over: int = 0
    in_records: int = 0
    descriptors: int = 0
    skipped: int = 0
    kinds: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def closes(self) -> bool:
        """Whether every byte and every record is accounted for."""
        everything = self.in_records + self.descriptors + self.skipped + self.left_over
        return self.bytes == everything and self.records == sum(self.kinds.values()) + self.of_no_kind


@dataclasses.dataclass(frozen=True, slots=True)
class Records:
    """Consecutive records: `data[pos:limits]` are a record's bytes, `offsets` its places in the dump."""

    data: np.ndarray
    pos: np.ndarray
    limits: np.ndarray
    numbers: np.ndarray
    offsets: np.ndarray
    troubles: tuple[Trouble, ...] = ()

    def some(self, chosen: slice | np.ndarray) -> Records:
        """Some of them."""
        return Records(self.data, self.pos[chosen], self.limits[chosen], self.numbers[chosen], self.offsets[chosen])


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
    dump: BinaryIO,
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
    """Frame a stream from where it stands.

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
    room = max(buffer_bytes, BUFFER_LEAST)
    # Behind the last record a whole layout can be read without looking.
    tail = layout.length + SLACK
    carried = b""
    number = first_record
    ends = False
    damage: Trouble | None = None
    buffer = np.empty(0, np.uint8)
    while not ends:
        if len(buffer) < SLACK + len(carried) + room + tail:
            buffer = np.empty(SLACK + len(carried) + room + room // 8 + tail, np.uint8)
        view = memoryview(buffer)  # type: ignore[arg-type]
        view[SLACK : SLACK + len(carried)] = carried
        want = room if length is None else min(room, length - account.bytes)
        try:
            got = _read_full(dump, view[SLACK + len(carried) : SLACK + len(carried) + want])
        except _DamagedAfter as error:
            got = error.got
            damage = Trouble("F109", 0, 0, f"{error.damage} (byte {error.damage.offset} of the file)")
        account.bytes += got
        ends = got < room
        stop = SLACK + len(carried) + got
        buffer[:SLACK] = 0
        buffer[stop : stop + tail] = 0
        at = SLACK
        while True:
            framed = framing.index(buffer, at, stop, ends, state)
            state = framed.state
            troubles = tuple(dataclasses.replace(t, at=t.at + base + at - SLACK) for t in framed.troubles)
            count = len(framed.pos)
            account.records += count
            account.in_records += int((framed.limits - framed.pos).sum())
            account.descriptors += framed.overhead
            account.skipped += sum(t.skipped for t in framed.troubles)
            yield _records(framed, buffer, base, number, troubles)
            number += count
            at += framed.used
            # Behind a damaged place that was skipped, the rest of the buffer is framed afresh.
            if framed.stopped or not framed.troubles or not framed.used:
                break
        if framed.stopped or ends:
            account.left_over += stop - at
            if framed.stopped:
                account.left_over += _drain(dump, account, None if length is None else length)
            if damage is not None:
                place = dataclasses.replace(damage, at=base + stop - SLACK)
                none = np.zeros(0, np.int64)
                yield Records(buffer, none, none, none, none, (place,))
            return
        carried = bytes(view[at:stop])
        base += at - SLACK
        if at == SLACK:
            room = min(2 * room, 4 * MAX_LENGTH)


WHOLE = Slice(0, -1, 1)
"""A dump that is not cut."""


def frame(
    dump: BinaryIO, framing: Framing, layout: Layout, account: Account, part: Slice, *, buffer_bytes: int = BUFFER
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
    dump: BinaryIO, framing: Framing, layout: Layout, wanted: Iterable[int], part: Slice = WHOLE
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


def slices(dump: BinaryIO, framing: Framing, layout: Layout, *, size: int, target: int) -> tuple[Slice, ...]:
    """Split a dump into slices of about `target` bytes.

    Args:
        dump: the bytes, at their beginning; read through once unless the records are of one length.
        framing, layout: how records lie in it.
        size: bytes of the dump.
        target: bytes of a slice.

    Returns:
        Slices that follow one another; those of fixed records are found by arithmetic, others by the sparse index that
        one pass over the descriptor words makes. Behind a damaged place nothing is cut, because what is made of damage
        depends on the bytes that follow it.
    """
    if framing.fixed:
        step = max(-(-target // framing.record_length), 1) * framing.record_length
        return tuple(
            Slice(offset, min(step, size - offset), offset // framing.record_length + 1)
            for offset in range(0, max(size, 1), step)
        )
    marks: list[Slice] = []
    state: State = ()
    base, number, carried, ends = 0, 1, b"", False
    room = max(min(target, BUFFER), BUFFER_LEAST)
    tail = layout.length + SLACK
    begun = Slice(0, 0, 1)
    while not ends:
        buffer = np.zeros(SLACK + len(carried) + room + tail, np.uint8)
        view = memoryview(buffer)  # type: ignore[arg-type]
        view[SLACK : SLACK + len(carried)] = carried
        got = _read_full(dump, view[SLACK + len(carried) : SLACK + len(carried) + room])
        ends = got < room
        stop = SLACK + len(carried) + got
        framed = framing.index(buffer, SLACK, stop, ends, state)
        if framed.troubles:
            break
        state = framed.state
        number += len(framed.pos)
        at = SLACK + framed.used
        carried = bytes(view[at:stop])
        base += framed.used
        if not framed.used:
            room = min(2 * room, 4 * MAX_LENGTH)
        if base - begun.offset >= target and not ends:
            marks.append(dataclasses.replace(begun, length=base - begun.offset))
            begun = Slice(base, 0, number, state)
    marks.append(dataclasses.replace(begun, length=size - begun.offset))
    return tuple(marks)


def _records(framed: Framed, buffer: np.ndarray, base: int, number: int, troubles: tuple[Trouble, ...]) -> Records:
    places = framed.places if framed.places is not None else framed.pos
    numbers = np.arange(number, number + len(framed.pos), dtype=np.int64)
    data = framed.data if framed.data is not None else buffer
    return Records(data, framed.pos, framed.limits, numbers, places - SLACK + base, troubles)


class _DamagedAfter(Exception):  # noqa: N818
    def __init__(self, got: int, damage: Damaged) -> None:
        super().__init__(str(damage))
        self.got = got
        self.damage = damage


def _read_full(dump: BinaryIO, view: memoryview) -> int:
    """Fill the view; fewer bytes mean that the dump has ended."""
    got = 0
    while got < len(view):
        try:
            count = dump.readinto(view[got:])  # type: ignore[attr-defined]
        except Damaged as damage:
            raise _DamagedAfter(got, damage) from None
        if not count:
            break
        got += count
    return got


def _drain(dump: BinaryIO, account: Account, length: int | None) -> int:
    """Count what nobody can read."""
    drained = 0
    block = memoryview(bytearray(1 << 20))
    while True:
        want = len(block) if length is None else min(len(block), length - account.bytes)
        try:
            got = _read_full(dump, block[:want])
        except _DamagedAfter as error:
            got = error.got
        account.bytes += got
        drained += got
        if got < len(block):
            return drained
