"""What records of no known kind hold where the others say their kind, for a person who has to decide what they are.

A value that the manifest itself names is said as it is, padding by its name, and anything else by its kind of characters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets.contract import Charset
from extractors.decoder import Decoder
from extractors.kinds import Kind, bytes_of, compared_as_bytes
from extractors.layout import Field, Layout
from migration_reports.masking import MASKS

PADDINGS = ((0x00, "LOW-VALUES"), (0xFF, "HIGH-VALUES"))
SHOWN = 20
"""Characters of a masked value that are shown."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    """A field that tells kinds apart: how it is decoded, and the values that are named, by kind, with their bytes."""

    field: Field
    decoder: Decoder
    named: tuple[tuple[str, str, bytes], ...]


class UnknownKinds:
    """Says of records of no known kind what the fields hold that tell kinds apart.

    Args:
        kinds: the record kinds, proved by `Chooser`.
        layout, charset: of the records.
    """

    def __init__(self, kinds: Sequence[Kind], layout: Layout, charset: Charset) -> None:
        self._blank = charset.blank
        asked: dict[str, tuple[Field, list[tuple[str, str, bytes]]]] = {}
        for kind in kinds:
            if not kind.conditions:
                continue
            by_name = {f.name: f for f in layout.segment(kind.group).sections[0].fields}
            for name, values in kind.conditions.items():
                field, named = asked.setdefault(name, (by_name[name], []))
                for value in values if compared_as_bytes(field) else ():
                    first, last = bytes_of(layout, kind, field, value, charset)
                    if first == last:
                        named.append((kind.name, value, first))
        self._asked = [
            _Asked(field, Decoder((field,), charset, layout.dialect), tuple(named)) for field, named in asked.values()
        ]

    def describe(self, data: np.ndarray, pos: np.ndarray, limits: np.ndarray) -> pa.Array:
        """A sentence a record, of the records at `pos` to `limits`."""
        said = [self._field(asked, data, pos, limits) for asked in self._asked]
        return pc.binary_join_element_wise(*said, "; ") if said else pa.nulls(len(pos), pa.string())

    def _field(self, asked: _Asked, data: np.ndarray, pos: np.ndarray, limits: np.ndarray) -> pa.Array:
        field = asked.field
        cells = data[pos[:, None] + field.offset + np.arange(field.width)]
        masked = _masked(asked.decoder.decode(data, pos, limits).columns[0])
        said = pc.binary_join_element_wise(pa.scalar(f"{field.name} holds "), masked, "")

        def where(content: bytes, words: str) -> None:
            nonlocal said
            fits = (cells == np.frombuffer(content, np.uint8)).all(axis=1)
            said = pc.if_else(pa.array(fits), pa.scalar(f"{field.name} holds {words}"), said)

        where(bytes([self._blank]) * field.width, "spaces only")
        for byte, padding in PADDINGS:
            only = bytes([byte]) * field.width
            where(only, f"{padding} only (X'{only.hex().upper()}' as a value takes them)")
        for kind, value, content in asked.named:
            where(content, f"`{value}`")
            stem = content.rstrip(bytes([self._blank]))
            for byte, padding in PADDINGS if 0 < len(stem) < field.width else ():
                padded = stem.ljust(field.width, bytes([byte]))
                as_value = f"X'{padded.hex().upper()}'"
                where(padded, f"`{value}` with {padding} behind it: add {as_value} to the values of kind `{kind}`")
        short = pa.array(limits < pos + field.offset + field.width)
        return pc.if_else(short, pa.scalar(f"the record ends before the end of {field.name}"), said)


def _masked(column: pa.Array) -> pa.Array:
    """Values as people may see them who need not know whose they are; what is no value is said to be none."""
    if pa.types.is_fixed_size_binary(column.type):
        return pa.repeat(pa.scalar("other bytes"), len(column))
    text = column.cast(pa.string())
    for pattern, stands in (("[\\x00-\\x1f\\x7f-\\x9f]", "."), *((p.pattern, stands) for p, stands in MASKS)):
        text = pc.replace_substring_regex(text, pattern, stands)
    shown = pc.binary_join_element_wise("`", pc.utf8_slice_codeunits(text, 0, SHOWN), "`", "")
    return pc.fill_null(shown, "no value")
