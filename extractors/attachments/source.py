"""What gives attachments, and how their names are compared with what records say."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Protocol

BLOCK = 1 << 20

BACKSLASHES = "\\¥＼￥"
"""What stands between the folders of a path on the machines of the time: in JIS, 5C is a yen sign."""

BLANKS = " \u3000\t\r\n\0"
"""What a field is filled up with around a path."""


class UnreadableError(Exception):
    """A file, or an archive, that cannot be read to its end; says why, and no name."""


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """What lies there.

    Attributes:
        names: of each file that may be read, by the name that records are compared with, how the source calls it.
        refused: why others may not be, and how many.
    """

    names: Mapping[str, str]
    refused: Counter[str]


class Source(Protocol):
    """A folder or an archive."""

    def listing(self) -> Listing:
        """Give the names of its files.

        Raises:
            UnreadableError: it cannot be read at all.
        """

    def pieces(self, name: str) -> Iterator[bytes]:
        """Give the bytes of a file, by the name that the source calls it.

        Raises:
            UnreadableError: it cannot be read to its end.
        """


def normal(name: str) -> str:
    """A path as it is compared: slashes between folders, composed characters, no blanks around it, nothing for here."""
    slashed = name.translate({ord(character): "/" for character in BACKSLASHES})
    return unicodedata.normalize("NFC", slashed).strip(BLANKS).removeprefix("./")


def hostile(name: str) -> bool:
    """Whether a name leaves its folder, or is none that a file may have."""
    parts = name.split("/")
    return not name or re.match(r"[A-Za-z]:", name) is not None or bool({"", ".."} & set(parts)) or "\0" in name


def add(names: dict[str, str], refused: Counter[str], called: str, shown: str) -> None:
    """Add a file to a listing, under its normal name, or the reason why not."""
    name = normal(shown)
    if hostile(name):
        refused["its name leaves the folder"] += 1
    elif name in names:
        refused["another file has the same name"] += 1
    else:
        names[name] = called


def read_whole(source: Source, called: str) -> tuple[int, str]:
    """The bytes of a file, counted, and their SHA-256.

    Raises:
        UnreadableError: it cannot be read to its end.
    """
    size, digest = 0, hashlib.sha256()
    for piece in source.pieces(called):
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()
