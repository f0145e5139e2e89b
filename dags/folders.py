"""Which municipality's folder is meant: by its name, code or romaji, or by a path."""

from __future__ import annotations

from pathlib import Path

from dags.workspace import settings
from migration_reports.findings import RunError


def municipality_folder(name: str) -> Path:
    """The folder of a municipality that runs know, by its name, code or romaji.

    Raises:
        RunError: there is none, or several.
    """
    root = settings().municipalities
    folders = inside(root)
    found = [p for p in folders if name in (p.name, p.name[:6], p.name[7:])]
    if len(found) != 1:
        raise RunError(
            f"no municipality `{name[:60]}` in {root}; there are: {', '.join(p.name for p in folders) or 'none'}"
        )
    return found[0]


def municipality_folders(name: str | None) -> list[Path]:
    """The folders that are meant: every municipality's, one's by its name, or a path anywhere.

    Args:
        name: a municipality's folder, code or romaji; or a path to its folder, to a file in it, or to a folder of such.

    Raises:
        RunError: there is no such municipality.
    """
    if name is None:
        return inside(settings().municipalities)
    path = Path(name)
    if path.is_file():
        path = path.parent
    if path.is_dir():
        path = path.resolve()
        below = [folder for folder in inside(path) if (folder / "manifest.yaml").is_file()]
        return [path] if (path / "manifest.yaml").exists() or not below else below
    return [municipality_folder(name)]


def one_folder(name: str) -> Path:
    """The one folder that is meant, by a municipality's name, code or romaji, or by a path.

    Raises:
        RunError: there is none, or the path holds several.
    """
    found = municipality_folders(name)
    if len(found) != 1:
        raise RunError(f"{name} holds several municipalities: name one of {', '.join(p.name for p in found)}")
    return found[0]


def inside(root: Path) -> list[Path]:
    """The folders in a folder, in order; none where it is none."""
    return sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
