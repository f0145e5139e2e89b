"""Files beside a dump that its records name: found in a folder or a ZIP archive, never unpacked, read a block at a time."""

from __future__ import annotations

from pathlib import Path

from extractors.attachments.archive import Archive
from extractors.attachments.folder import Folder
from extractors.attachments.source import Listing, Source, UnreadableError, normal, read_whole

__all__ = ["Listing", "Source", "UnreadableError", "normal", "read_whole", "source_of"]


def source_of(inbox: Path, *, archive: str | None, folder: str | None) -> Source:
    """Where attachments lie: in a folder of an inbox, in a ZIP archive in it, or in a folder of that archive."""
    return Archive(inbox / archive, folder or "") if archive is not None else Folder(inbox / (folder or "."))
