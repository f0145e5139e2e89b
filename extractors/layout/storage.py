"""How COBOL stores an item, and what comes of it: what is described on one side, the bytes and type on the other."""

from __future__ import annotations

import dataclasses

import pyarrow as pa

from extractors.layout.items import Picture


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """What a USAGE clause asks for.

    Attributes:
        name: as messages call it.
        picture: whether such an item has a PICTURE.
        size: its bytes, where the clause gives them: a binary number, which may be called SIGNED or UNSIGNED.
    """

    name: str
    picture: bool = True
    size: int = 0


DISPLAY = Storage("DISPLAY")
"""Characters: what an item is without the clause."""
DISPLAY_1 = Storage("DISPLAY-1")
NATIONAL = Storage("NATIONAL")


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """What a copybook says of how an elementary item is stored; `picture` is None where it has none."""

    storage: Storage
    picture: Picture | None
    leading: bool = False
    separate: bool = False
    unsigned: bool = False

    @property
    def category(self) -> str:
        """That of its PICTURE; empty without one."""
        return self.picture.category if self.picture is not None else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """The place that an elementary item takes.

    Attributes:
        width: its bytes.
        type: the Arrow type of its values.
        picture: as its bytes are read, which may hold more than the copybook says.
        boundary: of which number of bytes its offset is a multiple under SYNCHRONIZED.
    """

    width: int
    type: pa.DataType
    picture: Picture
    boundary: int = 1
