"""Attachments: files beside a dump that the records of a kind name, each with a path, and perhaps its bytes and SHA-256."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field

from migration_reports.specs import Spec
from migration_reports.trouble import Position, Problem

Grade = Literal["error", "alert"]


class ObjectsSpec(Spec):
    """Where the files lie that records of a kind name, and which fields name them."""

    folder: str | None = Field(None, description="the folder of the inbox that they lie in; with zip, of the archive")
    zip: str | None = Field(None, description="the ZIP archive in the inbox that they lie in")
    key: str = Field(description="the field that holds a file's path; a blank one names no file")
    prefix: str = Field("", description="what each path begins with in the records, and not where the files lie")
    sha256: str | None = Field(None, description="the field that holds the file's SHA-256, hexadecimal")
    bytes: str | None = Field(None, description="the field that holds how many bytes the file has")
    missing: Grade = Field("error", description="what it is that a record names a file which is not there")
    altered: Grade = Field("error", description="what it is that a file has another SHA-256, or other bytes, than said")
    extra: Grade = Field("alert", description="what it is that a file lies there which no record names")

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the record that it reads."""
        return tuple(field for field in (self.key, self.sha256, self.bytes) if field is not None)

    @property
    def place(self) -> str:
        """Where they lie, as people call it."""
        return "!".join(part for part in (self.zip, self.folder) if part)

    @property
    def received(self) -> str:
        """What is received for them, as it stands among the files: the archive, or the folder with a slash."""
        return self.zip if self.zip is not None else f"{self.folder}/"


def check_objects(spec: ObjectsSpec, role: str, place: Position, problems: list[Problem]) -> None:
    """Check where attachments lie.

    Args:
        spec: what is said of them.
        role: of the records that name them.
        place: where it is said.
        problems: is added to.
    """
    if spec.folder is None and spec.zip is None:
        problems.append(Problem("Y092", place, "nothing says where the attachments lie", ("folder", "zip")))
    if role != "data":
        problems.append(Problem("Y092", place, "a header or trailer names no attachments"))
    for path in (spec.folder, spec.zip):
        parts = PurePosixPath(path) if path is not None else PurePosixPath("x")
        if parts.is_absolute() or ".." in parts.parts or not parts.parts:
            problems.append(Problem("Y007", place, f"`{str(path)[:80]}` lies outside the inbox"))
