"""Files that hold what is known of residents or of runs: for their owner only, and there whole or not at all.

A file is written beside its place under another name, reaches the disk, and is then renamed: neither a reader nor a
power failure ever meets half of it. What a process that was killed left under the other name begins with `PART`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PART = ".part-"


def private_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, and every folder above it that is missing."""
    for folder in (*reversed(path.parents), path):
        folder.mkdir(exist_ok=True, mode=0o700)


def write_whole(path: Path, data: bytes) -> Path:
    """Write a file, whole; gives its path."""
    with written_whole(path) as file:
        file.write(data)
    return path


@contextlib.contextmanager
def written_whole(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place when the block ends, and leaves what was there where the block fails.

    Args:
        path: the file; its folder is made where it is missing.
        durable: whether it must outlast a power failure. What can be made again need not, and is written faster.
    """
    private_folder(path.parent)
    # With an ending of its own, so that who lists files of a kind meets none that a killed process left half.
    part = path.with_name(f"{PART}{os.getpid()}-{path.name}~")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Let a renaming reach the disk: it is the folder's to remember."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
