"""What a usage is: how the bytes of a field encode a value, both ways.

Decoding is a compiled kernel that the driver calls over a tile of records; what it finds odd it lists as (field,
record, flags). Each flag has a finding code, and the rule of what becomes of the value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from extractors.characters import Charset
    from extractors.layout import Field

LOST = 1
"""The flag of a number that the bytes do not hold: the value is null."""
OUT_OF_PICTURE = 2
"""The flag of a binary number with more digits than its PICTURE: the value is kept."""

UNDEFINED = 1
USER_DEFINED = 2
EXTENDED = 4
LOW_VALUES = 8
CONTROL = 16
VARIANT = 32
HALF = 64
NOT_CLOSED = 128
STRAY = 256

TEXT_FLAGS: Mapping[int, str | None] = {
    UNDEFINED: "D211",
    USER_DEFINED: "D221",
    EXTENDED: "D222",
    LOW_VALUES: "D214",
    CONTROL: "D216",
    VARIANT: None,
    HALF: "D213",
    NOT_CLOSED: "D212",
    STRAY: "D215",
}
"""Finding code of each flag of the text kernel; those of a character are 1 << (character class - 1).

A VARIANT is counted without a finding."""

Encode = Callable[["Field", "pa.Array | np.ndarray", "Charset", "np.ndarray"], "np.ndarray"]
"""Write a column into a (records, width) uint8 view of the records; returns the mask of values that do not fit."""


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """One way that bytes encode a value.

    Attributes:
        name: its name in the family.
        doc: the module's docstring, for the reference.
        kernel: the compiled decoding function.
        flags: finding code of each flag that the kernel may set; None where it is only counted.
        blank_code: the finding code of a value that is lost because every byte is a space, where that is another.
        empty: the bytes that, alone, say nothing: a field of only these is not filled.
        encode: the inverse.
    """

    name: str
    doc: str
    kernel: Any
    flags: Mapping[int, str | None]
    empty: bytes
    encode: Encode
    blank_code: str | None = None
