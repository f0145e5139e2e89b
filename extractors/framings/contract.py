"""What a framing is: how records lie in a dump, found in one buffer of it at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from extractors.layout import Layout
from extractors.options import Options

MAX_LENGTH = 16 * 1024 * 1024
"""Bytes of the longest record or block that is believed."""

MOST_RECORDS = 65_536
"""That are framed in one go: of a whole buffer room would have to be made for as many as could be in it."""

State = tuple[int, ...]
"""What a framing must remember from buffer to buffer, and at the start of a slice: () at the start of a file."""

BEGUN: State = (1,)
"""The state of a framing that remembers nothing but that its file has begun."""


@dataclasses.dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong between the records: `at` bytes into the buffer, `skipped` bytes that belong to no record.

    With `more` it goes on with what was wrong at the end of the buffer before: both are one.
    """

    code: str
    at: int
    skipped: int
    detail: str
    more: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Framed:
    """The records found in a buffer.

    Attributes:
        pos: int64, where each whole record's own bytes begin in `data`.
        limits: int64, where they end.
        used: bytes from the buffer's start that are done with; the rest is carried into the next buffer.
        overhead: how many of them are descriptor words, delimiters and padding.
        state: what to remember for the next buffer.
        data: the bytes that `pos` counts in, where records had to be put together; None: the buffer.
        places: int64, where each record begins in the buffer, if that is not `pos`.
        troubles: what was wrong between the records.
        again: whether the rest of the buffer can be framed at once, without reading more.
        stopped: whether nothing after `used` can be read.
    """

    pos: np.ndarray
    limits: np.ndarray
    used: int
    overhead: int = 0
    state: State = ()
    data: np.ndarray | None = None
    places: np.ndarray | None = None
    troubles: tuple[Trouble, ...] = ()
    again: bool = False
    stopped: bool = False


Index = Callable[[np.ndarray, int, int, bool, State], Framed]
"""(buffer, first byte, last byte + 1, whether the file ends here, state) -> Framed. Positions count in the buffer."""


Wrap = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(bytes of records one after another, the length of each) -> a piece of a dump; pieces follow one another in a file.

Raises ValueError where records of such lengths cannot lie in it.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Laid:
    """Rows laid into records of the layout's length, one behind another, and what was odd in them.

    Attributes:
        data: uint8, with `SLACK` bytes before the first record and after the last.
        flags: (rows, columns + 1) uint16, of each cell, and last of the row itself, bits of `kernels.rows`.
    """

    data: np.ndarray
    flags: np.ndarray


Lay = Callable[[np.ndarray, np.ndarray, np.ndarray, State], Laid]
"""(data, where rows begin in it, where they end, what the framing remembers behind them) -> the rows, laid."""


@dataclasses.dataclass(frozen=True, slots=True)
class Framing:
    """A framing made for one dump.

    Attributes:
        name: its name in the family.
        record_length: bytes of a record, or of the longest where they differ.
        index: finds the records.
        wrap: the inverse.
        fixed: whether every record has that length, so that slices are found by arithmetic.
        padded: whether a record that is shorter than its layout had trailing spaces left out, which is no finding.
        exact: whether a record that is longer than its layout is a finding.
        promised: bytes that a file which ends in a state should still have had, such as those of a block.
        opening: what a file begins with, before its records: the head of rows.
        lay: where records are rows of cells, puts the cells into the places of the layout; None where they stand there.
    """

    name: str
    record_length: int
    index: Index
    wrap: Wrap
    fixed: bool = False
    padded: bool = False
    exact: bool = True
    promised: Callable[[State], int] = lambda _: 0
    opening: bytes = b""
    lay: Lay | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class FramingFamily:
    """One framing as the registry knows it.

    `make` gets the options as text and the layout.
    """

    name: str
    doc: str
    options: Mapping[str, str]
    make: Callable[[Options, Layout], Framing]
