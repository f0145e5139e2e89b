"""COBOL copybook -> Layout: entries nested by their levels and placed by the dialect's rules, with every problem at once.

The whole data description entry is read: see docs/reference/reader.md. A clause that is not known is refused by name,
never skipped, because it might change bytes.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from extractors.copybooks.copying import Library, read_words
from extractors.copybooks.entries import read_entries
from extractors.copybooks.entry import Entry
from extractors.copybooks.placing import Placer
from extractors.copybooks.reference_format import SourceFormat
from extractors.copybooks.renaming import Named
from extractors.dialects import DEFAULT
from extractors.dialects.contract import Dialect
from extractors.layout import Item, Layout
from migration_reports.findings import Position, Problem, SpecError

PROBLEMS: Mapping[str, str] = {
    "L001": "the copybook cannot be read as text",
    "L002": "a line is too long",
    "L003": "a wrong indicator in column 7",
    "L004": "a literal is not closed",
    "L005": "text past column 72 (noted, and read)",
    "L006": "text that begins in column 7 (noted, and read)",
    "L007": "conditional compilation: which branch is text is not known",
    "L010": "an entry that does not begin with a level number",
    "L011": "a level number that does not fit",
    "L012": "a period is missing",
    "L013": "no data description entry",
    "L014": "a copybook that begins below level 01 (noted, and read as one record)",
    "L015": "level numbers that differ within a group (noted, and read)",
    "L016": "items of no record of the file (noted, and left out)",
    "L020": "a data name that COBOL does not allow",
    "L030": "a clause that is not known",
    "L032": "a clause given twice",
    "L033": "a clause that is not complete",
    "L040": "a PICTURE that cannot be read",
    "L041": "PICTURE missing, or on a group",
    "L042": "PICTURE and USAGE do not fit together",
    "L050": "an OCCURS count that does not fit",
    "L051": "DEPENDING ON something else than a whole number before the table",
    "L060": "a REDEFINES of something else than an item of the same group and level",
    "L061": "a RENAMES of something else than items of the record",
    "L062": "a RENAMES of bytes behind a table of varying size (noted, and left out)",
    "L070": "a layout that is too large",
    "L080": "a COPY of a text that is not there",
    "L081": "a COPY of itself",
}
"""What each problem code of a copybook means."""


def read_copybook(
    text: str,
    *,
    file: str,
    dialect: Dialect = DEFAULT,
    library: Library | None = None,
    source_format: SourceFormat = "auto",
    decimal_comma: bool = False,
    currency: str = "",
    replacing: Mapping[str, str] | None = None,
) -> Layout:
    """Read a copybook.

    Args:
        text: the copybook, in any reference format; one 01 level or several, which are views of the same bytes. Items
            without an 01 above them are one record of the file's name.
        file: how positions call it.
        dialect: the compiler's rules.
        library: where the texts of COPY come from.
        source_format: the reference format; `auto` sees it from the lines.
        decimal_comma: whether DECIMAL-POINT IS COMMA holds, which a program says and a copybook cannot.
        currency: currency signs of its pictures besides the usual ones.
        replacing: what stands for the tags of a copybook made for COPY REPLACING, such as `:TAG:`.

    Returns:
        The layout, offsets and widths in bytes.

    Raises:
        SpecError: with every problem found.
    """
    source = read_words(text, file, library=library, source_format=source_format, replacing=replacing)
    problems = list(source.problems)
    notes = list(source.notes)
    entries = read_entries(source.words, problems, decimal_comma=decimal_comma, currency=currency)
    entries = _of_the_file(entries, notes)
    roots, renames = _nest(entries, _record_name(file, entries), problems, notes)
    if not roots:
        if not problems:
            problems.append(Problem("L013", Position(file), "there is no data description entry", ("01 NAME ...",)))
        raise SpecError(problems)
    placer = Placer(dialect, problems)
    records = [placer.place(root, 0, None) for root in roots]
    record = records[0] if len(records) == 1 else _union(records, file)
    placer.check_size(record.width, roots[0])
    named = {number: Named(records[number], dialect) for number, _ in renames}
    renamed = tuple(r for at, entry in renames if (r := named[at].rename(entry, problems, notes)) is not None)
    if problems:
        raise SpecError(problems)
    return Layout(record, file, dialect, renamed, tuple(notes))


def _of_the_file(entries: list[Entry], notes: list[Problem]) -> list[Entry]:
    """The entries without those that are of no record of the file.

    Level 77 describes an item beside the records, and so does an 01 of the working storage or linkage of a program that
    describes its files too. Where there is nothing else, they are what was meant.
    """
    kept = entries
    for outside, what in (
        (_worked_with, "stands in the working storage or linkage, not in the file's record"),
        (_alone, "of level 77 is of no record"),
    ):
        left = [entry for entry in kept if not outside(entry)]
        if len(left) < len(kept) and any(entry.level == 1 for entry in left):
            first = next(entry for entry in kept if outside(entry))
            notes.append(Problem("L016", first.position, f"`{first.name[:40]}` {what}: left out, with others like it"))
            kept = left
    return kept


def _record_name(file: str, entries: Sequence[Entry]) -> str:
    """What the record of a copybook without an 01 is called: as the file is, and as none of its items."""
    name = re.sub(r"\W+", "-", PurePath(file).stem.upper()).strip("-_") or "RECORD"
    return f"{name}-RECORD" if any(entry.name == name for entry in entries) else name


def _nest(
    entries: Sequence[Entry], record_name: str, problems: list[Problem], notes: list[Problem]
) -> tuple[list[Entry], list[tuple[int, Entry]]]:
    """The tree of the levels, and the entries of level 66, each with the number of its record."""
    roots: list[Entry] = []
    renames: list[tuple[int, Entry]] = []
    stack: list[Entry] = []
    for entry in entries:
        if entry.level == 66:
            renames.append((max(len(roots) - 1, 0), entry))
            continue
        level = 1 if entry.level == 77 else entry.level
        while stack and (stack[-1].level if stack[-1].level != 77 else 1) >= level:
            stack.pop()
        if not stack and level != 1:
            message = f"there is no level 01 above level {entry.level:02}: read as one record, `{record_name}`"
            notes.append(Problem("L014", entry.position, message))
            stack.append(Entry(1, record_name, entry.position))
            roots.append(stack[-1])
        if not stack:
            roots.append(entry)
        else:
            parent = stack[-1]
            if parent.picture is not None:
                message = f"`{parent.name}` has a PICTURE and so cannot have items below it"
                problems.append(Problem("L041", parent.position, message))
                parent.picture = None
            entry.inherited = parent.stored
            entry.unsigned = entry.unsigned or (entry.storage is None and parent.unsigned)
            if parent.children and parent.children[0].level != entry.level:
                message = (
                    f"level {entry.level:02} is taken for an item of `{parent.name[:40]}`, "
                    f"whose first item has level {parent.children[0].level:02}"
                )
                notes.append(Problem("L015", entry.position, message))
            parent.children.append(entry)
        stack.append(entry)
    for entry in entries:
        if entry.level != 66 and not entry.elementary and not entry.children:
            message = f"`{entry.name}` has neither a PICTURE nor items below it"
            problems.append(Problem("L041", entry.position, message))
    return roots, renames


def _union(records: Sequence[Item], file: str) -> Item:
    """Several records of one file: views of the same bytes."""
    first = records[0].name
    views = [records[0], *(_redefining(record, first) for record in records[1:])]
    width = max(record.width for record in records)
    return Item("", 0, 0, width, Position(file), children=tuple(views))


def _redefining(record: Item, first: str) -> Item:
    return dataclasses.replace(record, redefines=first)


def _worked_with(entry: Entry) -> bool:
    """Whether an entry stands in a section of a program that describes no file."""
    return entry.section not in ("", "FILE")


def _alone(entry: Entry) -> bool:
    return entry.level == 77
