"""What a usage is: how the bytes of a field encode a value, both ways.

Decoding is a compiled kernel that the driver calls over a tile of records, or, for what is rare, a function over a
whole batch. What it finds odd is listed as (field, flags, record). Each flag has a finding code, and the rule of what
becomes of the value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from extractors.charsets.contract import Charset
    from extractors.kernels.memory import Kernel
    from extractors.layout.layout import Field

LOST = 1
"""The flag of a number that the bytes do not hold: the value is null."""
OUT_OF_PICTURE = 2
"""The flag of a number that its PICTURE does not describe, or that loses digits in its type: the value is kept."""

UNDEFINED = 1
USER_DEFINED = 2
EXTENDED = 4
LOW_VALUES = 8
CONTROL = 16
VARIANT = 32
DECIDED = 64
HALF = 128
NOT_CLOSED = 256
STRAY = 512

TEXT_FLAGS: Mapping[int, str | None] = {
    UNDEFINED: "D211",
    USER_DEFINED: "D221",
    EXTENDED: "D222",
    LOW_VALUES: "D214",
    CONTROL: "D216",
    VARIANT: None,
    DECIDED: None,
    HALF: "D213",
    NOT_CLOSED: "D212",
    STRAY: "D215",
}
"""Finding code of each flag of the text kernel; those of a character are 1 << (character class - 1).

A VARIANT and a DECIDED gaiji are counted without a finding."""

NUMBER, TEXT, WHOLE = "number", "text", "whole"
"""What a kernel writes: numbers of eight or sixteen bytes, UTF-8 into an arena, or a whole column without a kernel."""

Encode = Callable[["Field", "pa.Array | np.ndarray", "Charset", "np.ndarray"], "np.ndarray"]
"""Write a column into a (records, width) uint8 view of the records; returns the mask of values that do not fit."""

Read = Callable[["Field", "np.ndarray", "np.ndarray", "Charset"], "tuple[pa.Array, np.ndarray, np.ndarray]"]
"""(field, bytes, places of the field's first bytes, charset) -> its column, and (records, flags) of what is odd."""


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """One way that bytes encode a value.

    Attributes:
        name: its name in the family.
        doc: the module's docstring, for the reference.
        value: NUMBER, TEXT or WHOLE.
        flags: finding code of each flag that decoding may set; None where it is only counted.
        empty: the bytes that, alone, say nothing: a field of only these is not filled.
        encode: the inverse.
        kernel: the kernel that reads a field of this usage; None where `read` does.
        read: decodes a whole column where there is no kernel.
        blank_code: the finding code of a number that is lost because all its bytes are spaces, LOW-VALUES or
            HIGH-VALUES.
    """

    name: str
    doc: str
    value: str
    flags: Mapping[int, str | None]
    empty: bytes
    encode: Encode
    kernel: Callable[[Field], Kernel] | None = None
    read: Read | None = None
    blank_code: str | None = None
