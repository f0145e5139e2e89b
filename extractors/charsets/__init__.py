"""Charsets: one file a vendor, each a code that reads the text of its mainframes completely."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from extractors.charsets import (
    euc_jp,
    fujitsu,
    hitachi,
    ibm,
    iso_2022_jp,
    jis_8080,
    nec,
    shift_jis,
    single_byte,
    unisys,
    utf_8,
    utf_16,
)
from extractors.charsets.contract import Charset, CharsetFamily
from extractors.options import choose, made

CHARSETS: tuple[CharsetFamily, ...] = (
    fujitsu.CHARSET,
    hitachi.CHARSET,
    ibm.CHARSET,
    nec.CHARSET,
    unisys.CHARSET,
    jis_8080.CHARSET,
    iso_2022_jp.CHARSET,
    shift_jis.CHARSET,
    euc_jp.CHARSET,
    utf_8.CHARSET,
    utf_16.CHARSET,
    single_byte.CHARSET,
)


def load(name: str, options: Mapping[str, str], folder: Path) -> Charset:
    """Make a charset by name.

    Args:
        name: its name in the family.
        options: its own options, as text.
        folder: what a table file's path is relative to.

    Raises:
        SpecError: the name or an option is not known, or a table file cannot be used; with every problem.
    """
    family = choose("charset", name, CHARSETS)
    what = f"option of charset {name}"
    return made(options, lambda said: family.make(said, folder), known=family.options, what=what)
