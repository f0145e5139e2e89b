"""The store of attachments of the joint centre: a file lies under its SHA-256, owner-only, and is never deleted.

What lies there may be named by rows of any promotion, in force or not: rollback and withdrawal leave it alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from dags.pipeline.run_folder import settings
from migration_reports.findings import RunError
from migration_reports.private_files import written_whole


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectStore:
    """The files of a store."""

    root: Path

    def keep(self, sha256: str, pieces: Iterable[bytes]) -> int:
        """Keep a file, byte for byte; one that lies there already is proved, and written anew where it is not whole.

        Args:
            sha256: what it must have.
            pieces: its bytes.

        Returns:
            How many bytes it has.

        Raises:
            RunError: it has another SHA-256 than it had when it was received, or the store does not give it back.
        """
        target = self.root / path_in_store(sha256)
        if target.is_file() and _sha256(target) == sha256:
            return target.stat().st_size
        digest = hashlib.sha256()
        with written_whole(target, durable=False) as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            if digest.hexdigest() != sha256:
                raise changed("it has another SHA-256")
        if _sha256(target) != sha256:
            raise RunError(f"{target} is not what was written to it; nothing was promoted. Look at its disk.")
        return target.stat().st_size

    def settle(self) -> None:
        """Let what was kept reach the disk: thousands of files at once, not one by one."""
        os.sync()


def object_store() -> ObjectStore:
    """The store of this home, or the one that HIKKOSHI_OBJECTS names: every process of a run agrees about it."""
    return ObjectStore(Path(os.environ.get("HIKKOSHI_OBJECTS") or settings().home / "objects").resolve())


def changed(why: str) -> RunError:
    """What is said of an attachment that is not what was received."""
    return RunError(
        f"an attachment has changed since it was received: {why}. Nothing was promoted. See who writes to the inbox; "
        "then run again, which receives what lies there."
    )


def path_in_store(sha256: str) -> str:
    """Where a file lies, from the root of the store."""
    return f"{sha256[:2]}/{sha256}"


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
