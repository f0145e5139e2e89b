"""Character table files: one file a form, each read and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from extractors.options import choose
from extractors.table_files import csv, hulft, jef4j, ucm, unijef
from extractors.table_files.contract import MAX_BYTES, MAX_LINE, Mapped, TableFile, TableForm, Taken, check
from migration_reports.findings import Position, Problem, SpecError

__all__ = ["TABLE_FILES", "check", "read", "read_text", "write"]

MAX_PROBLEMS = 1_000

TABLE_FILES: tuple[TableForm, ...] = (jef4j.FORM, ucm.FORM, unijef.FORM, hulft.FORM, csv.FORM)
"""In the order in which a file is tried; the last one takes what no other recognises."""


def read(
    path: Path,
    *,
    name: str,
    form: str | None = None,
    options: Mapping[str, str] | None = None,
    taken: Taken | None = None,
) -> TableFile:
    """Read a table file, and check it.

    Args:
        path: the file, UTF-8 or Shift_JIS.
        name: how messages call it.
        form: its form, by name; recognised from its beginning, where not given.
        options: those of the form.
        taken: why a code of some length may not be defined, or None where it may.

    Raises:
        SpecError: with every line that cannot be used, and whatever `check` finds in the others.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError([Problem("L901", Position(name), f"the table file is larger than {MAX_BYTES:,} bytes")])
        data = path.read_bytes()
    except OSError as error:
        raise SpecError(
            [Problem("L901", Position(name), f"the table file cannot be read ({error.strerror})")]
        ) from None
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return read_text(text, name=name, form=form, options=options, taken=taken)
    raise SpecError([Problem("L901", Position(name), "the table file is neither UTF-8 nor Shift_JIS text")])


def read_text(
    text: str,
    *,
    name: str,
    form: str | None = None,
    options: Mapping[str, str] | None = None,
    taken: Taken | None = None,
) -> TableFile:
    """Read the text of a table file; see `read`."""
    problems: list[Problem] = []

    def report(line: int, message: str, *allowed: str) -> None:
        problems.append(Problem("L902", Position(name, line), message, allowed))
        if len(problems) > MAX_PROBLEMS:
            # A file of which nothing can be used is another kind of file; its millionth line says nothing new.
            raise SpecError([*problems, Problem("L901", Position(name, line), "there is more; is this a table file?")])

    given = options or {}
    if form is None:
        member = next((f for f in TABLE_FILES if f.recognise(text[:4096])), csv.FORM)
    else:
        member = choose("form of table file", form, TABLE_FILES, given)
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MAX_LINE:
            raise SpecError([Problem("L902", Position(name, number), f"a line of more than {MAX_LINE:,} characters")])
    mappings: tuple[Mapped, ...] = tuple(member.read(text, given, report))
    table = TableFile(name, mappings)
    problems.extend(check(table, taken=taken))
    if not mappings and not problems:
        problems.append(Problem("L901", Position(name), f"the table file holds no mapping, read as {member.name}"))
    if problems:
        raise SpecError(sorted(problems, key=lambda p: p.position.line))
    return table


def write(table: TableFile, *, form: str) -> tuple[str, Mapping[str, int]]:
    """The text of a table in a form, and how many of what the form cannot carry, by what that is.

    Raises:
        SpecError: there is no such form.
    """
    return choose("form of table file", form, TABLE_FILES).write(table)
