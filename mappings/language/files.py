"""The files that specs name: inside their folder, UTF-8, not too large; and what is said of one that is not."""

from __future__ import annotations

import codecs
import hashlib
import itertools
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Protocol

from migration_reports.trouble import Position, Problem, nearest

MAX_FILE = 4_000_000

MOST_FILES = 2_000
"""So many files of a folder are compared with the name of one that is missing."""

MOST_SHOWN = 12


class Noted(Protocol):
    """Where the SHA-256 of a file is noted."""

    def __setitem__(self, path: str, digest: str) -> None:
        """Note one."""


def inside(folder: Path, path: str) -> Path | None:
    """The file at a path relative to a folder; None where it lies outside, by its name or through a link."""
    whole = (folder / path).resolve()
    return whole if whole.is_relative_to(folder.resolve()) and not Path(path).is_absolute() else None


def text_of(
    file: Path, path: str, place: Position, problems: list[Problem], noted: Noted, roots: Iterable[Path]
) -> str | None:
    """A file's text; None where it cannot be read, and `problems` says why.

    Args:
        file: the file.
        path: how the spec names it.
        place: where it does.
        problems: are added to.
        noted: takes its SHA-256.
        roots: the folders in which files of its kind may lie.
    """
    try:
        if file.stat().st_size > MAX_FILE:
            problems.append(Problem("Y001", place, f"`{path}` is larger than {MAX_FILE:,} bytes"))
            return None
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError:
        problems.append(missing(path, place, roots))
        return None
    except UnicodeDecodeError:
        problems.append(Problem("Y006", place, f"`{path}` is not UTF-8 text", hint=_encoding(data)))
        return None
    noted[path] = hashlib.sha256(data).hexdigest()
    return text


def _encoding(data: bytes) -> str:
    """What a text looks like that is no UTF-8, and what to do."""
    for encoding, name in (("utf-16", "UTF-16"), ("cp932", "Shift_JIS"), ("euc_jp", "EUC-JP")):
        if encoding == "utf-16" and data[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            continue
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return f"it looks like {name}: save it as UTF-8"
    return "save it as UTF-8"


def missing(path: str, place: Position, roots: Iterable[Path]) -> Problem:
    """The problem of a file that cannot be read: which files of its kind there are, and which of them is nearest."""
    wanted = PurePosixPath(path)
    there = [
        PurePosixPath(file.relative_to(root).as_posix())
        for root in roots
        for file in itertools.islice(root.rglob(f"*{wanted.suffix}"), MOST_FILES)
        if file.is_file()
    ]
    near = nearest(str(wanted.with_suffix("")), [str(name.with_suffix("")) for name in sorted(there)])
    hint = f"did you mean `{near}{wanted.suffix}`?" if near else "does the file exist?"
    # In the folder itself stand manifest and mappings, which nobody means who names a file.
    beside = sorted({str(name) for name in there if name.parent == wanted.parent and len(name.parts) > 1})
    return Problem("Y006", place, f"`{path[:80]}` cannot be read", tuple(beside[:MOST_SHOWN]), hint)
