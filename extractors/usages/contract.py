"""What a usage is: which items of a copybook it reads, and how the bytes of a field encode a value, both ways.

Decoding is a compiled kernel that the driver calls over a tile of records, or, for what is rare, a function over a
whole batch. What it finds odd is listed as (field, flags, record). Each flag has a finding code, and the rule of what
becomes of the value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import numpy as np

    from extractors.charsets.contract import Charset
    from extractors.dialects.contract import Dialect
    from extractors.kernels.memory import Kernel
    from extractors.layout import Field
    from extractors.layout.storage import Described, Storage, Stored

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


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all fields of a dump: its charset, its compiler's dialect, and whether padded digits are read."""

    charset: Charset
    dialect: Dialect
    padded: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """How a field is read: the kernel, the tables that its row points to, and how many bytes of UTF-8 a byte can become."""

    kernel: Kernel
    tables: tuple[np.ndarray, ...] = ()
    growth: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Texts:
    """Texts of a field to look at once more.

    Attributes:
        data: uint8, with `SLACK` bytes before and after the texts.
        starts: int64, where each begins in it.
        limits: int64, where its record ends.
        read: reads them again under another charset.
    """

    data: np.ndarray
    starts: np.ndarray
    limits: np.ndarray
    read: Callable[[Charset], pa.Array]


Stores = Callable[["Described", "Dialect"], "Stored | None"]
"""What an item takes that is of this usage; None where it is of another."""

Prepare = Callable[["np.ndarray", "Field", Rules], Prepared]
"""Write into a field's row of the kernels' arguments what its kernel needs besides place, width and padding."""

Codes = Callable[["Field", Rules, int, Texts], "tuple[np.ndarray, np.ndarray]"]
"""The codes behind a flag of a character class: (index of the text, code), in order."""

Encode = Callable[["Field", "pa.Array | np.ndarray", "Charset", "np.ndarray"], "np.ndarray"]
"""Write a column into a (records, width) uint8 view of the records; returns the mask of values that do not fit."""

Read = Callable[["Field", "np.ndarray", "np.ndarray", Rules], "tuple[pa.Array, np.ndarray, np.ndarray]"]
"""(field, bytes, places of the field's first bytes, rules) -> its column, and (records, flags) of what is odd."""


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
        words: words of the USAGE clause that it adds to those of the others, and what they ask for.
        stores: which items of a copybook are of it; None where a charset alone chooses it.
        becomes: the name of the usage that reads its fields under a charset, where it is another.
        prepare: chooses the kernel that reads a field and writes its arguments; None where `read` reads all.
        read: decodes a whole column where there is no kernel.
        codes: of a text, lists what stands behind its flags.
        blank_code: the finding code of a number that is lost because all its bytes are spaces, LOW-VALUES or
            HIGH-VALUES.
        unit: bytes of the smallest unit of a text, of which its padding is made.
    """

    name: str
    doc: str
    value: str
    flags: Mapping[int, str | None]
    empty: bytes
    encode: Encode
    words: Mapping[str, Storage] = dataclasses.field(default_factory=dict)
    stores: Stores | None = None
    becomes: Callable[[Charset], str | None] | None = None
    prepare: Prepare | None = None
    read: Read | None = None
    codes: Codes | None = None
    blank_code: str | None = None
    unit: int = 1


def kernel_type(field: Field) -> pa.DataType:
    """What a kernel of numbers writes: the field's own type, but for the zeros that a P on the right adds."""
    if field.picture.scale >= 0:
        return field.arrow_type
    return pa.int64() if field.picture.size <= 18 else pa.decimal128(38, 0)
