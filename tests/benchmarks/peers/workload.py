"""One deterministic file that every peer can read, and the values that it was made of.

Text is A to Z, digits and spaces, which CCSID 037, 290, 500 and 930 code alike, so no peer loses by its code page.
Signs are those that COBOL writes: C and D for signed items, F for unsigned ones. Nothing in the file is faulty.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

SEED = 20_251
RECORD_LENGTH = 200
DISTINCT_TEXTS = 4_096

Column = tuple[np.ndarray, pl.Series]
"""The bytes of a field (a row a record), and its values."""


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One elementary item of the copybook.

    Attributes:
        name: the data name.
        clause: what stands after it in the copybook.
        kind: `text`, `zoned`, `packed` or `binary`.
        digits: digits of a number, characters of a text.
        scale: digits after the point.
        signed: whether negative values occur.
    """

    name: str
    clause: str
    kind: str
    digits: int
    scale: int = 0
    signed: bool = False

    @property
    def width(self) -> int:
        """Bytes in the record."""
        if self.kind == "packed":
            return self.digits // 2 + 1
        if self.kind == "binary":
            return 2 if self.digits <= 4 else 4 if self.digits <= 9 else 8
        return self.digits

    @property
    def text(self) -> bool:
        """Whether its values are text."""
        return self.kind == "text"


ITEMS: tuple[Item, ...] = (
    Item("REC-NUMBER", "PIC 9(9) COMP", "binary", 9),
    Item("KEY-TEXT", "PIC X(10)", "text", 10),
    Item("NAME-TEXT", "PIC X(40)", "text", 40),
    Item("STREET-TEXT", "PIC X(40)", "text", 40),
    Item("TOWN-TEXT", "PIC X(20)", "text", 20),
    Item("CLASS-TEXT", "PIC X(5)", "text", 5),
    Item("MARK-TEXT", "PIC X(6)", "text", 6),
    Item("ZONED-DATE", "PIC 9(8)", "zoned", 8),
    Item("ZONED-COUNT", "PIC 9(3)", "zoned", 3),
    Item("ZONED-SIGNED", "PIC S9(9)", "zoned", 9, signed=True),
    Item("ZONED-AMOUNT", "PIC S9(7)V99", "zoned", 9, 2, signed=True),
    Item("PACKED-SHORT", "PIC S9(5) COMP-3", "packed", 5, signed=True),
    Item("PACKED-WHOLE", "PIC S9(9) COMP-3", "packed", 9, signed=True),
    Item("PACKED-CODE", "PIC 9(7) COMP-3", "packed", 7),
    Item("PACKED-RATE", "PIC S9(3)V9(4) COMP-3", "packed", 7, 4, signed=True),
    Item("PACKED-AMOUNT", "PIC S9(13)V99 COMP-3", "packed", 15, 2, signed=True),
    Item("PACKED-LONG", "PIC S9(15) COMP-3", "packed", 15, signed=True),
    Item("BINARY-HALF", "PIC S9(4) COMP", "binary", 4, signed=True),
    Item("BINARY-WORD", "PIC S9(9) COMP", "binary", 9, signed=True),
    Item("BINARY-TWICE", "PIC S9(18) COMP", "binary", 18, signed=True),
)
NAMES = tuple(item.name for item in ITEMS)


@dataclasses.dataclass(frozen=True, slots=True)
class Workload:
    """The files that peers read.

    Attributes:
        records: how many records.
        fixed: RECFM FB: records of 200 bytes.
        variable: the same records, each after a record descriptor word.
        copybook: the layout, in reference format.
        truth: the values, a column an item: text without trailing spaces, numbers as decimals.
    """

    records: int
    fixed: Path
    variable: Path
    copybook: Path
    truth: pl.DataFrame

    @property
    def megabytes(self) -> float:
        """Size of the records, without descriptor words, in units of a million bytes."""
        return self.records * RECORD_LENGTH / 1e6


def copybook() -> str:
    """The layout as COBOL, in columns 8 to 72."""
    lines = ["       01  PEER-RECORD."]
    lines += [f"           05  {item.name:<16}{item.clause}." for item in ITEMS]
    return "\n".join(lines) + "\n"


def make(folder: Path, records: int) -> Workload:
    """Make the files.

    Args:
        folder: where; it is made if need be.
        records: how many records.

    Returns:
        The workload; for one number of records its bytes are the same on every machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.Generator(np.random.PCG64(SEED))
    texts = _texts(rng)
    columns = [_column(item, records, rng, texts) for item in ITEMS]
    data = np.concatenate([block for block, _ in columns], axis=1)
    assert data.shape == (records, RECORD_LENGTH)
    word = np.tile(np.array([0, RECORD_LENGTH + 4, 0, 0], np.uint8), (records, 1))
    fixed, variable, layout = folder / f"fb-{records}.dat", folder / f"v-{records}.dat", folder / "peer.cpy"
    fixed.write_bytes(data.tobytes())
    variable.write_bytes(np.concatenate([word, data], axis=1).tobytes())
    layout.write_text(copybook(), "ascii")
    return Workload(records, fixed, variable, layout, pl.DataFrame([series for _, series in columns]))


def digest(path: Path) -> str:
    """A short name for the bytes of a file, so that two runs can be told to have read the same."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _texts(rng: np.random.Generator) -> list[str]:
    """Invented words of two to four syllables."""
    onsets, vowels = np.array(list("BDFGHKLMNPRSTVZ")), np.array(list("AEIOU"))
    counts = rng.integers(2, 5, DISTINCT_TEXTS)
    made = rng.integers(0, len(onsets) * len(vowels), (DISTINCT_TEXTS, 4))
    return [
        "".join(onsets[code // len(vowels)] + vowels[code % len(vowels)] for code in row[:count])
        for row, count in zip(made, counts, strict=True)
    ]


def _column(item: Item, records: int, rng: np.random.Generator, texts: list[str]) -> Column:
    if item.text:
        return _text_column(item, records, rng, texts)
    if item.name == "REC-NUMBER":
        values = np.arange(1, records + 1, dtype=np.int64)
    else:
        # Amounts of all magnitudes: most of what stands in real fields begins with zeros.
        values = rng.integers(0, 10**item.digits, records) // 10 ** rng.integers(0, item.digits, records)
        values = np.where(rng.random(records) < 0.3, -values, values) if item.signed else values
    encode: dict[str, Callable[[Item, np.ndarray], np.ndarray]] = {
        "zoned": _zoned,
        "packed": _packed,
        "binary": _binary,
    }
    block = encode[item.kind](item, values)
    return block, _decimals(item, values)


def _decimals(item: Item, values: np.ndarray) -> pl.Series:
    """The values as decimals; through text, since a division could round."""
    if item.scale == 0:
        return pl.Series(item.name, values).cast(pl.Decimal(38, 0))
    whole = pl.Series(np.char.mod(f"%0{item.scale + 1}d", np.abs(values)).tolist())
    sign = pl.Series(np.where(values < 0, "-", "").tolist())
    written = sign + whole.str.head(-item.scale) + "." + whole.str.tail(item.scale)
    return written.alias(item.name).cast(pl.Decimal(38, item.scale))


def _text_column(item: Item, records: int, rng: np.random.Generator, texts: list[str]) -> Column:
    if item.width <= 10:
        made = [f"{number:0{item.width}d}"[-item.width :] for number in range(DISTINCT_TEXTS)]
        made = [text if index % 3 else text[: item.width // 2] for index, text in enumerate(made)]
    else:
        others = rng.permutation(DISTINCT_TEXTS)
        made = [
            f"{text} {texts[other]} {other}"[: item.width].rstrip() for text, other in zip(texts, others, strict=True)
        ]
    padded = "".join(text.ljust(item.width) for text in made).encode("cp037")
    table = np.frombuffer(padded, np.uint8).reshape(DISTINCT_TEXTS, item.width)
    chosen = rng.integers(0, DISTINCT_TEXTS, records)
    return table[chosen], pl.Series(item.name, made).gather(chosen)


def _digits(values: np.ndarray, count: int) -> np.ndarray:
    powers = 10 ** np.arange(count - 1, -1, -1, dtype=np.int64)
    digits: np.ndarray = (np.abs(values)[:, None] // powers % 10).astype(np.uint8)
    return digits


def _zoned(item: Item, values: np.ndarray) -> np.ndarray:
    block = _digits(values, item.digits) | 0xF0
    if item.signed:
        block[:, -1] = block[:, -1] & 0x0F | np.where(values < 0, 0xD0, 0xC0)
    return block


def _packed(item: Item, values: np.ndarray) -> np.ndarray:
    digits = _digits(values, item.width * 2 - 1)
    sign = np.where(values < 0, 0x0D, 0x0C) if item.signed else np.full(len(values), 0x0F)
    nibbles = np.concatenate([digits, sign[:, None].astype(np.uint8)], axis=1)
    packed: np.ndarray = nibbles[:, 0::2] << 4 | nibbles[:, 1::2]
    return packed


def _binary(item: Item, values: np.ndarray) -> np.ndarray:
    return values.astype(f">i{item.width}").view(np.uint8).reshape(len(values), item.width)
