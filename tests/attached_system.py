"""An invented system whose documents are files beside a dump, and an invented town that has twenty of them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from target_schemas.sheets import read_systems
from target_schemas.systems import FOLDER

HERE = Path(__file__).parent / "attached"
TOWN = "990035_reiji"
DOCUMENTS = 20


def _read():
    with tempfile.TemporaryDirectory() as place:
        systems = Path(place)
        (systems / "papers").symlink_to(HERE / "papers")
        return read_systems(systems, ("papers",), FOLDER.parent / "codes")[0]


SYSTEM = _read()


def town_in(folder):
    """Lay out the town's specs; gives their folder."""
    return Path(shutil.copytree(HERE / "town", folder / TOWN))


def content(number):
    """The bytes of a document: not text of any charset, and one of them large enough for several blocks."""
    return bytes([number, 0xFF, 0x0D, 0x0A]) * (700_000 if number == 3 else 10 + number)


def named(number):
    """Where a document lies, below the folder of attachments; Japanese, as towns call them."""
    return f"H18/第{number:02}号.tif"


def attachments():
    """Every document, by the name that it lies under."""
    return {named(number): content(number) for number in range(1, DOCUMENTS + 1)}


def record(number, *, path=None, size=None, sha256=None):
    """A record: its path as the old machine wrote it, with backslashes and a drive."""
    data = content(number)
    path = "D:\\BUNSHO\\" + named(number).replace("/", "\\") if path is None else path
    parts = (
        f"D{number:06}",
        f"件名{number}",
        path,
        f"{len(data) if size is None else size:09}",
        hashlib.sha256(data).hexdigest().upper() if sha256 is None else sha256,
    )
    widths = (7, 20, 40, 9, 64)
    return b"".join(part.encode("shift_jis").ljust(width) for part, width in zip(parts, widths, strict=True))


def dump(records):
    """A dump of some records, with its trailer."""
    return b"".join(records) + f"T{len(records):06}".encode().ljust(140)
