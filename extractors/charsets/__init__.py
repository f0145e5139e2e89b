"""Charsets: one file a vendor, each a code that reads the text of its mainframes completely."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from extractors.characters import Charset, CharsetFamily
from extractors.charsets import fujitsu, ibm, single_byte
from extractors.options import choose

CHARSETS: tuple[CharsetFamily, ...] = (fujitsu.CHARSET, ibm.CHARSET, single_byte.CHARSET)


def load(name: str, options: Mapping[str, str], folder: Path) -> Charset:
    """Make a charset by name.

    Args:
        name: its name in the family.
        options: its own options, as text.
        folder: what a table file's path is relative to.

    Raises:
        SpecError: the name or an option is not known, or a table file cannot be used.
    """
    return choose("charset", name, CHARSETS, options).make(options, folder)
