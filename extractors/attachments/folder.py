"""A folder of attachments: regular files in it and below it; links are not followed, wherever they lead."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from extractors.attachments.source import BLOCK, Listing, UnreadableError, add


@dataclasses.dataclass(frozen=True, slots=True)
class Folder:
    """The files of a folder."""

    path: Path

    def listing(self) -> Listing:
        """The names of its files, in order; hidden ones are none."""
        names: dict[str, str] = {}
        refused: Counter[str] = Counter()
        for called, mode in sorted(self._entries(self.path)):
            if not stat.S_ISREG(mode):
                refused["a link, or no file"] += 1
            else:
                add(names, refused, called, os.fsencode(called).decode("utf-8", "replace"))
        return Listing(names, refused)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file."""
        try:
            opened = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(opened, "rb", buffering=0) as file:
                while piece := file.read(BLOCK):
                    yield piece
        except OSError as error:
            raise UnreadableError(error.strerror or "it cannot be read") from None

    def _entries(self, folder: Path) -> Iterator[tuple[str, int]]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        yield from self._entries(Path(entry.path))
                    else:
                        called = Path(entry.path).relative_to(self.path).as_posix()
                        yield called, entry.stat(follow_symlinks=False).st_mode
        except OSError as error:
            raise UnreadableError(error.strerror or "it cannot be read") from None
