"""Text that is Unicode in the dump: what the usages of its two forms share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from extractors.charsets import _unicode as unicode
from extractors.charsets._character_tables import decode_tables
from extractors.charsets.contract import UNICODE, Charset
from extractors.dialects.contract import Dialect
from extractors.kernels import plan as p
from extractors.kernels.memory import Kernel
from extractors.layout import Field
from extractors.layout.storage import DISPLAY, DISPLAY_1, NATIONAL, Described
from extractors.usages._characters import prepare_text
from extractors.usages.contract import NOT_CLOSED, STRAY, TEXT, TEXT_FLAGS, Prepared, Rules, Stores, Texts, Usage

FLAGS = {flag: code for flag, code in TEXT_FLAGS.items() if flag not in (NOT_CLOSED, STRAY)}
"""Text without shift codes: what is odd is its characters."""


def is_double(item: Described) -> bool:
    """Whether an item is PICTURE N or G, under a USAGE that these may have."""
    return item.category == "national" and item.storage in (DISPLAY, DISPLAY_1, NATIONAL)


def is_utf16(item: Described, dialect: Dialect) -> bool:
    """Whether a double-byte item is Unicode: one that is NATIONAL, where the dialect has that as UTF-16."""
    national = item.storage == NATIONAL
    if item.picture is not None and item.storage == DISPLAY and "N" in item.picture.text.upper():
        national = dialect.plain_n == "national"
    return national and dialect.national == "utf-16"


def usage(
    name: str,
    doc: str,
    *,
    kernel: Kernel,
    codec: Callable[[Charset], str],
    little: Callable[[Rules], bool] | None = None,
    stores: Stores | None = None,
    unit: int = 1,
) -> Usage:
    """The usage of a form of Unicode.

    Args:
        name, doc, stores, unit: as a `Usage` has them.
        kernel: reads it.
        codec: Python's name of the form that is written.
        little: whether the first byte of two is the least significant, where the form has an order.
    """

    def prepare(row: np.ndarray, field: Field, rules: Rules) -> Prepared:
        row[p.LITTLE] = little is not None and little(rules)
        return prepare_text(row, rules, decode_tables(_source(rules.charset), shifted=False), kernel)

    def codes(field: Field, rules: Rules, flag: int, texts: Texts) -> tuple[np.ndarray, np.ndarray]:
        source = _source(rules.charset)
        again = texts.read(unicode.undecided(source))
        rows, points = unicode.codes(again, source.double >> 24, flag.bit_length())
        return rows, points if rules.charset.usage is not None else UNICODE + points

    def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
        return _encode(codec(charset), column, cells)

    return Usage(
        name=name,
        doc=doc,
        value=TEXT,
        stores=stores,
        prepare=prepare,
        codes=codes,
        flags=FLAGS,
        empty=b"\x00\x20",
        encode=encode,
        unit=unit,
    )


def _source(charset: Charset) -> Charset:
    """What the field is read by: the dump's charset where that is Unicode, which EBCDIC beside UTF-16 fields is not."""
    return charset if charset.usage is not None else unicode.plain()


def _encode(codec: str, column: pa.Array | np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Write a column of text by one of Python's codecs, padded with its spaces; what is too long does not fit."""
    texts = pa.array(column, pa.string()).fill_null("")
    misfit = np.zeros(len(texts), bool)
    width = cells.shape[1]
    padding = (" " * width).encode(codec)
    for row, text in enumerate(texts.to_pylist()):
        data = text.encode(codec, "replace")
        misfit[row] = len(data) > width
        cells[row] = np.frombuffer((data + padding)[:width], np.uint8)
    return misfit
