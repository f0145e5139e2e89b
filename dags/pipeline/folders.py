"""Which municipality's folder is meant: by its name, code or romaji, or by a path."""

from __future__ import annotations

from pathlib import Path

from dags.pipeline.run_folder import settings
from mappings.language.reader import MANIFEST
from migration_reports.trouble import UsageError, did_you_mean


def municipality_folder(name: str) -> Path:
    """The folder of a municipality that runs know, by its name, code or romaji, or by its path.

    Raises:
        UsageError: there is none, or several; or the path is of a folder that runs do not know.
    """
    root = settings().municipalities
    folders = inside(root)
    found = [p for p in folders if name in (p.name, p.name[:6], p.name[7:])]
    path = _town_of(Path(name))
    if not found and path.is_dir():
        found = [p for p in folders if p.resolve() == path]
        if not found:
            raise UsageError(
                f"{path} does not lie in {root}, whose municipalities are the ones that runs know. "
                f"Copy it there, or set HIKKOSHI_MUNICIPALITIES={path.parent} for this command and for Airflow."
            )
    if len(found) != 1:
        raise UsageError(_nobody(name, root, folders))
    return found[0]


def municipality_folders(name: str | None) -> list[Path]:
    """The folders that are meant: every municipality's, one's by its name, or a path anywhere.

    Args:
        name: a municipality's folder, code or romaji; or a path to its folder, to a file or folder in it, or to a folder
            of such.

    Raises:
        UsageError: there is no such municipality.
    """
    if name is None:
        return inside(settings().municipalities)
    path = _town_of(Path(name))
    if path.is_dir():
        below = [folder for folder in inside(path) if (folder / MANIFEST).is_file()]
        return [path] if (path / MANIFEST).exists() or not below else below
    return [municipality_folder(name)]


def _town_of(path: Path) -> Path:
    """The municipality's folder that a path leads to or into: the highest with a manifest, for its systems have their own."""
    if not path.exists():
        return path
    path = path.resolve()
    folder = path.parent if path.is_file() else path
    return next((p for p in (folder.parent.parent, folder.parent, folder) if (p / MANIFEST).is_file()), folder)


def one_folder(name: str) -> Path:
    """The one folder that is meant, by a municipality's name, code or romaji, or by a path.

    Raises:
        UsageError: there is none, or the path holds several.
    """
    found = municipality_folders(name)
    if len(found) != 1:
        raise UsageError(f"{name} holds several municipalities: name one of {', '.join(p.name for p in found)}")
    return found[0]


def called(folder: Path) -> str:
    """How a command may call a folder: by its romaji where runs know it, or else by its path from here."""
    root = settings().municipalities
    if folder.resolve().parent == root:
        return folder.name[7:] or folder.name
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def inside(root: Path) -> list[Path]:
    """The folders in a folder, in order; none where it is none."""
    return sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []


def _nobody(name: str, root: Path, folders: list[Path]) -> str:
    """What is said of a name that is nobody's, or of a path that leads to no folder."""
    if Path(name).name != name:
        return f"there is no folder {name[:200]}"
    names = [word for p in folders for word in (p.name, p.name[:6], p.name[7:])]
    hint = did_you_mean(name, names)
    known = ", ".join(p.name for p in folders) or "none"
    return (
        f"no municipality `{name[:60]}` in {root}, and no folder of that name here; {f'{hint} ' if hint else ''}"
        f"there are: {known}"
    )
