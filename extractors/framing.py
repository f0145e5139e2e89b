"""What a framing is: how records lie in a dump, found in one buffer of it at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np


@dataclasses.dataclass(frozen=True, slots=True)
class Framed:
    """The records found in a buffer.

    Attributes:
        pos: int64, where each whole record begins in the buffer.
        used: bytes from the buffer's start that belong to them; the rest is carried into the next buffer.
    """

    pos: np.ndarray
    used: int


Index = Callable[[np.ndarray, int, int, bool], Framed]
"""(buffer, first byte, last byte + 1, whether the dump ends here) -> Framed. `pos` is relative to the buffer."""


@dataclasses.dataclass(frozen=True, slots=True)
class Framing:
    """A framing made for one dump: its record length (the longest, where they differ) and its index function."""

    name: str
    record_length: int
    index: Index


@dataclasses.dataclass(frozen=True, slots=True)
class FramingFamily:
    """One framing as the registry knows it.

    `make` gets the options as text and the layout's length in bytes.
    """

    name: str
    doc: str
    options: Mapping[str, str]
    make: Callable[[Mapping[str, str], int], Framing]
