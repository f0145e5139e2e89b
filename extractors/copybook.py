"""COBOL copybook -> Layout: entries nested by their levels and placed by the dialect's rules, with every problem at once.

The whole data description entry is read: see docs/reference/reader.md. A clause that is not known is refused by name,
never skipped, because it might change bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from extractors.copying import Library, read_words
from extractors.dialect import Dialect, binary_size
from extractors.dialects import DEFAULT
from extractors.entries import Entry, read_entries
from extractors.layout import (
    Item,
    Layout,
    Picture,
    Rename,
    Storage,
    every_item,
    make_field,
)
from extractors.reference_format import SourceFormat
from migration_reports.findings import Position, Problem, SpecError, did_you_mean

MAX_RECORD = 16 * 1024 * 1024
MAX_FIELDS = 100_000
MAX_VARYING_DEPTH = 7

PROBLEMS: Mapping[str, str] = {
    "L001": "the copybook cannot be read as text",
    "L002": "a line is too long",
    "L003": "a wrong indicator in column 7",
    "L004": "a literal is not closed",
    "L005": "text past column 72 (noted, and read)",
    "L010": "an entry that does not begin with a level number",
    "L011": "a level number that does not fit",
    "L012": "a period is missing",
    "L013": "no data description entry",
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
) -> Layout:
    """Read a copybook.

    Args:
        text: the copybook, in any reference format; one 01 level or several, which are views of the same bytes.
        file: how positions call it.
        dialect: the compiler's rules.
        library: where the texts of COPY come from.
        source_format: the reference format; `auto` sees it from the lines.

    Returns:
        The layout, offsets and widths in bytes.

    Raises:
        SpecError: with every problem found.
    """
    source = read_words(text, file, library=library, source_format=source_format)
    problems = list(source.problems)
    if problems and not source.words:
        raise SpecError(problems)
    entries = read_entries(source.words, problems)
    roots, renames = _nest(entries, problems)
    if not roots and not problems:
        problems.append(Problem("L013", Position(file), "there is no data description entry", ("01 NAME ...",)))
    if problems:
        raise SpecError(problems)
    placer = _Placer(dialect, problems)
    records = [placer.place(root, 0, None, None, sync=False) for root in roots]
    record = records[0] if len(records) == 1 else _union(records, file)
    if not problems and (record.width > MAX_RECORD or placer.fields > MAX_FIELDS):
        sizes = f"{record.width:,} bytes, {placer.fields:,} fields"
        problems.append(Problem("L070", roots[0].position, f"{sizes} are too many"))
    if not problems:
        _check_counters(record, problems)
    renamed = tuple(r for entry in renames if (r := _rename(entry, record, problems)) is not None)
    if problems:
        raise SpecError(problems)
    return Layout(record, file, dialect, renamed, source.notes)


def _nest(entries: Sequence[Entry], problems: list[Problem]) -> tuple[list[Entry], list[Entry]]:
    """The tree of the levels, and the entries of level 66."""
    roots: list[Entry] = []
    renames: list[Entry] = []
    stack: list[Entry] = []
    for entry in entries:
        if entry.level == 66:
            renames.append(entry)
            continue
        level = 1 if entry.level == 77 else entry.level
        while stack and (stack[-1].level if stack[-1].level != 77 else 1) >= level:
            stack.pop()
        if not stack:
            if roots and level != 1:
                message = f"level {entry.level:02} stands outside the record"
                problems.append(Problem("L011", entry.position, message, ("01",)))
                continue
            roots.append(entry)
        else:
            parent = stack[-1]
            if parent.picture is not None:
                message = f"`{parent.name}` has a PICTURE and so cannot have items below it"
                problems.append(Problem("L041", parent.position, message))
            if parent.children and parent.children[0].level != entry.level:
                message = f"level {entry.level:02} does not match its siblings' level"
                problems.append(Problem("L011", entry.position, message, (f"{parent.children[0].level:02}",)))
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


class _Placer:
    """Gives every entry its offset and width."""

    def __init__(self, dialect: Dialect, problems: list[Problem]) -> None:
        self._dialect = dialect
        self._problems = problems
        self.fields = 0

    def place(
        self, entry: Entry, offset: int, storage: Storage | None, sign: tuple[bool, bool] | None, *, sync: bool
    ) -> Item:
        """Place an entry at an offset from the record's start, with what it inherits from its groups."""
        storage = entry.storage or storage
        sign = sign if entry.leading is None else (entry.leading, entry.separate)
        sync = sync or entry.sync
        before = self.fields
        children: list[Item] = []
        usage = None
        picture = entry.picture
        if entry.elementary:
            usage, width, picture = self._stored(entry, storage, sign)
            self.fields += 1
        else:
            width = 0
            at = 0
            starts: dict[str, int] = {}
            for child in entry.children:
                start = at
                if child.redefines is not None:
                    start = self._redefined(child, starts)
                else:
                    start += -(offset + start) % self._boundary(child, storage, sync)
                item = self.place(child, offset + start, storage, sign, sync=sync)
                children.append(item)
                starts[item.name] = start
                at = max(at, start + item.extent)
                width = max(width, at)
                if width > MAX_RECORD or self.fields > MAX_FIELDS:
                    self._problem("L070", child.position, f"`{child.name}` makes the record too large")
                    break
            if entry.occurs_clause:
                # Every occurrence begins on the boundary that the first one begins on.
                width += -width % max((self._widest(child, storage, sync) for child in entry.children), default=1)
        self.fields = before + (self.fields - before) * (1 if entry.depending else entry.occurs)
        return Item(
            name=entry.name,
            level=entry.level,
            offset=offset,
            width=width,
            position=entry.position,
            occurs=entry.occurs,
            occurs_clause=entry.occurs_clause,
            least=entry.least,
            depending=entry.depending.upper if entry.depending else None,
            redefines=entry.redefines.upper if entry.redefines else None,
            picture=picture,
            usage=usage,
            leading=bool(sign and sign[0]),
            justified=entry.justified,
            blank_when_zero=entry.blank_when_zero,
            value=entry.value,
            conditions=tuple(entry.conditions),
            children=tuple(children),
        )

    def _boundary(self, entry: Entry, storage: Storage | None, sync: bool) -> int:
        """The boundary of an entry: its own, or that of the item with which its bytes begin."""
        while not entry.elementary and entry.children:
            storage, sync = entry.storage or storage, sync or entry.sync
            entry = entry.children[0]
        return self._alignment(entry, storage, sync)

    def _widest(self, entry: Entry, storage: Storage | None, sync: bool) -> int:
        storage, sync = entry.storage or storage, sync or entry.sync
        if entry.elementary:
            return self._alignment(entry, storage, sync)
        return max((self._widest(child, storage, sync) for child in entry.children), default=1)

    def _alignment(self, entry: Entry, storage: Storage | None, sync: bool) -> int:
        storage = entry.storage or storage
        if not (sync or entry.sync) or storage is None:
            return 1
        match storage:
            case Storage.BINARY | Storage.NATIVE:
                if entry.picture is None or entry.picture.category != "numeric":
                    return 1
                size = self._binary_size(entry.picture)
                return min(size, self._dialect.sync_long) if size in (1, 2, 4, 8) else self._dialect.sync_long
            case Storage.FLOAT | Storage.INDEX:
                return 4 if self._dialect.sync_long > 1 else 1
            case Storage.DOUBLE:
                return 8 if self._dialect.sync_long > 1 else 1
            case Storage.POINTER:
                return self._dialect.pointer_size if self._dialect.sync_long > 1 else 1
        return 1

    def _binary_size(self, picture: Picture) -> int:
        return binary_size(self._dialect.binary_sizes, picture.size, signed=picture.signed)

    def _stored(
        self, entry: Entry, storage: Storage | None, sign: tuple[bool, bool] | None
    ) -> tuple[str, int, Picture]:
        """(usage, bytes, picture) of an elementary entry."""
        dialect = self._dialect
        picture = entry.picture
        if picture is None:
            return self._without_picture(storage)
        if picture.category == "national":
            if entry.storage not in (None, Storage.DISPLAY_1, Storage.NATIONAL, Storage.DISPLAY):
                self._misfit(entry, "PICTURE N and G are double-byte", ("DISPLAY-1", "NATIONAL"))
            utf16 = storage == Storage.NATIONAL and dialect.national == "utf-16"
            return ("utf16" if utf16 else "national"), 2 * picture.positions, picture
        if picture.category in ("alphanumeric", "alphabetic"):
            if entry.storage in (Storage.BYTES, Storage.BINARY, Storage.NATIVE) and picture.category == "alphanumeric":
                # Micro Focus: as many bytes of an unsigned number; past eight of them only bytes.
                if picture.size <= 8:
                    digits = len(str(256**picture.size - 1))
                    return self._order(entry.storage), picture.size, Picture(picture.text, "numeric", digits, digits)
                return "raw", picture.size, picture
            if entry.storage not in (None, Storage.DISPLAY):
                self._misfit(entry, f"PICTURE {picture.text[:20]} is text", ("DISPLAY",))
            return ("text" if picture.category == "alphabetic" else "mixed"), picture.positions, picture
        if picture.category == "edited":
            if storage not in (None, Storage.DISPLAY):
                self._misfit(entry, f"PICTURE {picture.text[:20]} is edited text", ("DISPLAY",))
            return "edited", picture.positions, picture
        return self._number(entry, storage, sign, picture)

    def _without_picture(self, storage: Storage | None) -> tuple[str, int, Picture]:
        dialect = self._dialect
        little = "_little" if dialect.float_order == "little" else ""
        match storage:
            case Storage.FLOAT | Storage.DOUBLE:
                name = f"float_{dialect.float_format}{little if dialect.float_format == 'ieee' else ''}"
                width = 4 if storage == Storage.FLOAT else 8
                return name, width, Picture(str(storage), "numeric", width, width)
            case Storage.INDEX:
                return self._order(Storage.NATIVE), 4, Picture("INDEX", "numeric", 10, 10, signed=True)
        return "raw", dialect.pointer_size, Picture("POINTER", "alphanumeric", dialect.pointer_size, 1)

    def _number(
        self, entry: Entry, storage: Storage | None, sign: tuple[bool, bool] | None, picture: Picture
    ) -> tuple[str, int, Picture]:
        match storage:
            case Storage.PACKED:
                return "packed", picture.size // 2 + 1, picture
            case Storage.PACKED_UNSIGNED:
                return "packed_unsigned", (picture.size + 1) // 2, picture
            case Storage.BINARY | Storage.NATIVE:
                if picture.size > 38:
                    self._misfit(entry, "a binary number has at most 38 digits", ("PIC 9(1) to 9(38)",))
                return self._order(storage), self._binary_size(picture), picture
            case Storage.BYTES:
                size = binary_size("1-8", picture.size, signed=picture.signed)
                return "binary", size, picture
            case Storage.DISPLAY_1:
                self._misfit(entry, "DISPLAY-1 belongs to PICTURE G or N", ("DISPLAY", "COMP", "COMP-3"))
            case Storage.NATIONAL:
                self._misfit(entry, "a national number is not read", ("DISPLAY", "COMP", "COMP-3"))
        leading, separate = sign or (False, False)
        if separate:
            return "zoned_separate", picture.size + 1, picture
        if leading and picture.signed:
            return "zoned_leading", picture.size, picture
        return "zoned", picture.size, picture

    def _order(self, storage: Storage | None) -> str:
        order = self._dialect.comp_5_order if storage == Storage.NATIVE else self._dialect.binary_order
        return "binary_little" if order == "little" else "binary"

    def _redefined(self, entry: Entry, starts: Mapping[str, int]) -> int:
        assert entry.redefines is not None
        name = entry.redefines.upper
        if name not in starts:
            self._problems.append(
                Problem(
                    "L060",
                    entry.redefines.position,
                    f"`{name[:40]}` does not stand before `{entry.name}` in the same group",
                    tuple(starts)[:20],
                    did_you_mean(name, starts),
                )
            )
            return 0
        return starts[name]

    def _misfit(self, entry: Entry, message: str, allowed: tuple[str, ...]) -> None:
        self._problems.append(Problem("L042", entry.usage_position or entry.position, message, allowed))

    def _problem(self, code: str, position: Position, message: str) -> None:
        self._problems.append(Problem(code, position, message))


def _check_counters(record: Item, problems: list[Problem]) -> None:
    """Every DEPENDING ON names a whole number that stands before its table."""
    before: dict[str, Item] = {}

    def walk(item: Item, depth: int) -> None:
        if item.depending is not None:
            depth += 1
            counter = before.get(item.depending)
            whole = counter is not None and counter.picture is not None and counter.picture.category == "numeric"
            if counter is None or not whole or counter.picture is None or counter.picture.scale > 0:
                problems.append(
                    Problem(
                        "L051",
                        item.position,
                        f"`{item.name}` depends on `{item.depending[:40]}`, which is no whole number before it",
                        tuple(n for n, i in before.items() if i.picture and i.picture.category == "numeric")[:20],
                        did_you_mean(item.depending, before),
                    )
                )
            if depth > MAX_VARYING_DEPTH:
                message = f"more than {MAX_VARYING_DEPTH} tables of varying size inside one another"
                problems.append(Problem("L070", item.position, message))
        if item.elementary:
            before.setdefault(item.name, item)
        for child in item.children:
            walk(child, depth)

    walk(record, 0)


def _rename(entry: Entry, record: Item, problems: list[Problem]) -> Rename | None:
    """The field that a level 66 entry is: another name for one item, or for the bytes from one to another as text."""
    assert entry.renames is not None
    first_word, last_word = entry.renames
    items = {item.name: item for item in reversed(list(every_item(record)))}
    for word in (first_word, last_word):
        if word.upper not in items or items[word.upper].occurs_clause:
            hint = did_you_mean(word.upper, items)
            message = f"RENAMES `{word.text[:40]}`, which is no item of the record"
            problems.append(Problem("L061", word.position, message, (), hint))
            return None
    first, last = items[first_word.upper], items[last_word.upper]
    width = last.offset + last.width - first.offset
    if width <= 0:
        problems.append(Problem("L061", entry.position, f"`{entry.name}` would have no bytes"))
        return None
    if first is last and first.elementary:
        base = make_field(first, first.offset, (), ())
    else:
        text = f"X({width})"
        item = Item(
            entry.name,
            66,
            first.offset,
            width,
            entry.position,
            picture=Picture(text, "alphanumeric", width, width),
            usage="mixed",
        )
        base = make_field(item, first.offset, (), ())
    return Rename(dataclasses.replace(base, name=entry.name, data_name=entry.name, renames=True))
