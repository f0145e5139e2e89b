"""What is shown of everything that is decoded, to whoever compares it with the bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from extractors.decoder import Decoder


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """Some decoded columns, where their sections begin and their records end in the data, and of which records they are."""

    decoder: Decoder
    data: np.ndarray
    starts: np.ndarray
    limits: np.ndarray
    records: np.ndarray
    columns: Sequence[pa.Array]


class Observer(Protocol):
    """Is shown everything that is decoded, with the bytes that it was decoded from."""

    def begin(self, kind: str, numbers: np.ndarray) -> None:
        """The records that come next: their kind and their numbers."""
        ...

    def see(self, seen: Seen) -> None:
        """Columns of them."""
        ...
