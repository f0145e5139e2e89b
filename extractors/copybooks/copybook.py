"""COBOL copybook -> Layout: entries nested by their levels and placed by the dialect's rules, with every problem at once.

The whole data description entry is read: see docs/reference/reader.md. A clause that is not known is refused by name,
never skipped, because it might change bytes.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from extractors.copybooks.copying import Library, read_words
from extractors.copybooks.entries import UNREADABLE, Entry, Reference, meant, read_entries
from extractors.copybooks.reference_format import SourceFormat
from extractors.dialects import DEFAULT
from extractors.dialects.contract import Dialect
from extractors.layout import Item, Layout, Picture, Rename, every_item, make_field
from extractors.layout.storage import DISPLAY, DISPLAY_1, NATIONAL, Described, Stored
from extractors.usages import BY_NAME, stored
from extractors.usages.contract import Usage
from migration_reports.findings import Position, Problem, SpecError

MAX_RECORD = 16 * 1024 * 1024
MAX_FIELDS = 100_000
MAX_VARYING_DEPTH = 7
MAX_ALLOWED = 20

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
    placer = _Placer(dialect, problems)
    records = [placer.place(root, 0, None) for root in roots]
    record = records[0] if len(records) == 1 else _union(records, file)
    placer.check_size(record.width, roots[0])
    named = {number: _Named(records[number], dialect) for number, _ in renames}
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


class _Placer:
    """Gives every entry its offset and width."""

    def __init__(self, dialect: Dialect, problems: list[Problem]) -> None:
        self._dialect = dialect
        self._problems = problems
        self._fields = 0
        self._too_large = False
        self._above: list[Entry] = []
        # What a table may depend on: the items placed so far, each with the groups above it, by name and by qualified
        # name; items of a table are taken out behind it.
        self._before: dict[tuple[str, ...], list[tuple[Item, tuple[Entry, ...]]]] = {}
        self._known: list[tuple[str, ...]] = []
        self._whole: list[str] = []

    def place(self, entry: Entry, offset: int, sign: tuple[bool, bool] | None, *, sync: bool = False) -> Item:
        """Place an entry at an offset from the record's start, with what it inherits from its groups."""
        sign = sign if entry.leading is None else (entry.leading, entry.separate)
        sync = sync or entry.sync
        before, known = self._fields, len(self._known)
        children: list[Item] = []
        usage, place = None, None
        counter = self._counter(entry, entry.depending) if entry.depending is not None else 0
        if entry.elementary:
            usage, place = self._stored(entry, sign)
            width = place.width
            self._fields += 1
        else:
            width = 0
            at = 0
            starts: dict[str, int] = {}
            self._above.append(entry)
            for child in entry.children:
                start = at
                if child.redefines is not None:
                    start = self._redefined(child, starts)
                else:
                    start += -(offset + start) % self._boundary(child, sync)
                item = self.place(child, offset + start, sign, sync=sync)
                children.append(item)
                starts[item.name] = start
                at = max(at, start + item.extent)
                width = max(width, at)
                self.check_size(width, child)
            self._above.pop()
            if entry.occurs_clause:
                # Every occurrence begins on the boundary that the first one begins on.
                width += -width % max((self._widest(child, sync) for child in entry.children), default=1)
        picture = place.picture if place is not None else entry.picture
        self._fields = before + (self._fields - before) * (1 if entry.depending else entry.occurs)
        placed = Item(
            name=entry.name,
            level=entry.level,
            offset=offset,
            width=width,
            position=entry.position,
            occurs=entry.occurs,
            ordinal=entry.ordinal,
            occurs_clause=entry.occurs_clause,
            least=entry.least,
            depending=entry.depending.name if entry.depending else None,
            counter=counter,
            redefines=entry.redefines.upper if entry.redefines else None,
            picture=picture,
            usage=usage.name if usage is not None else None,
            arrow_type=place.type if place is not None else None,
            leading=bool(sign and sign[0]),
            ascii_signs=self._dialect.ascii_signs if picture is not None and picture.signed else "ebcdic",
            justified=entry.justified,
            blank_when_zero=entry.blank_when_zero,
            value=entry.value,
            conditions=tuple(entry.conditions),
            children=tuple(children),
        )
        if entry.occurs_clause:
            while len(self._known) > known:
                self._before[self._known.pop()].pop()
        elif usage is not None:
            self._know(placed)
        return placed

    def _know(self, item: Item) -> None:
        above = tuple(self._above)
        for key in {(item.name,), *((item.name, group.name) for group in above)}:
            self._before.setdefault(key, []).append((item, above))
            self._known.append(key)
        if len(self._whole) < MAX_ALLOWED and not item.filler and _counts(item):
            self._whole.append(item.name)

    def check_size(self, width: int, entry: Entry) -> None:
        """Find a record too large, once."""
        if not self._too_large and (width > MAX_RECORD or self._fields > MAX_FIELDS):
            self._too_large = True
            most = f"more than {MAX_RECORD:,} bytes or {MAX_FIELDS:,} fields"
            self._problem("L070", entry.position, f"`{entry.name}` makes the record too large: {most}")

    def _boundary(self, entry: Entry, sync: bool) -> int:
        """The boundary of an entry: its own, or that of the item with which its bytes begin."""
        while not entry.elementary and entry.children:
            sync = sync or entry.sync
            entry = entry.children[0]
        return self._alignment(entry, sync)

    def _widest(self, entry: Entry, sync: bool) -> int:
        sync = sync or entry.sync
        if entry.elementary:
            return self._alignment(entry, sync)
        return max((self._widest(child, sync) for child in entry.children), default=1)

    def _alignment(self, entry: Entry, sync: bool) -> int:
        if not (sync or entry.sync):
            return 1
        found = stored(_described(entry, None), self._dialect)
        return found[1].boundary if found is not None else 1

    def _stored(self, entry: Entry, sign: tuple[bool, bool] | None) -> tuple[Usage, Stored]:
        """The usage of an elementary entry, and the place that it takes."""
        item = _described(entry, sign)
        if item.picture is not None and not item.storage.picture:
            self._misfit(entry, f"{item.storage.name} takes no PICTURE", ())
            item = dataclasses.replace(item, storage=DISPLAY)
        found = stored(item, self._dialect)
        if found is None:
            self._misfit(entry, *_reason(item))
            found = stored(dataclasses.replace(item, storage=DISPLAY), self._dialect)
        assert found is not None
        return found

    def _redefined(self, entry: Entry, starts: Mapping[str, int]) -> int:
        assert entry.redefines is not None
        name = entry.redefines.upper
        if name not in starts or (name == entry.name and name != "FILLER"):
            message = f"`{name[:40]}` does not stand before `{entry.name}` in the same group"
            if name == entry.name:
                message = f"`{entry.name[:40]}` redefines itself"
            hint = meant(name, starts, self._problems)
            allowed = tuple(itertools.islice(starts, MAX_ALLOWED))
            self._problems.append(Problem("L060", entry.redefines.position, message, allowed, hint))
            return 0
        return starts[name]

    def _counter(self, entry: Entry, reference: Reference) -> int:
        """The ordinal of the item that counts a table: the nearest one of that name before it, which must be plain.

        Nearest is what shares the most groups with the table. An item of another table has many values, and so is none.
        """
        if sum(above.depending is not None for above in self._above) >= MAX_VARYING_DEPTH:
            message = f"more than {MAX_VARYING_DEPTH} tables of varying size inside one another"
            self._problem("L070", entry.position, message)
        found: Item | None = None
        most = 0
        # Of items in the order of the record, a later one never shares fewer groups than an earlier one.
        for item, above in reversed(self._before.get((reference.name, *reference.of[:1]), ())):
            if not _within(above, reference.of):
                continue
            shared = _shared(above, self._above)
            if found is not None and shared < most:
                break
            if found is not None:
                message = f"`{entry.name}` depends on `{reference.name[:40]}`, which several groups have"
                hint = f"say which: {reference.name} OF {above[-1].name}" if above else ""
                self._problems.append(Problem("L051", entry.position, message, (), hint))
                return 0
            found, most = item, shared
        if found is not None and (found.picture is UNREADABLE or _counts(found)):
            return found.ordinal
        name = " OF ".join((reference.name, *reference.of))
        message = f"`{entry.name}` depends on `{name[:80]}`, which is no whole number before it"
        hint = meant(reference.name, (key[0] for key in self._before if len(key) == 1), self._problems)
        self._problems.append(Problem("L051", entry.position, message, tuple(self._whole), hint))
        return 0

    def _misfit(self, entry: Entry, message: str, allowed: tuple[str, ...]) -> None:
        if entry.picture is not UNREADABLE:
            self._problems.append(Problem("L042", entry.usage_position or entry.position, message, allowed))

    def _problem(self, code: str, position: Position, message: str) -> None:
        self._problems.append(Problem(code, position, message))


def _described(entry: Entry, sign: tuple[bool, bool] | None) -> Described:
    """What is said of an entry: a USAGE of its group does not hold for text, nor a SIGN of it for numbers without S."""
    picture, storage = entry.picture, entry.stored or DISPLAY
    if picture is None:
        return Described(storage, None, unsigned=entry.unsigned)
    of_group = entry.storage is None and picture.category not in ("numeric", "edited")
    if of_group and not (picture.category == "national" and storage in (DISPLAY_1, NATIONAL)):
        storage = DISPLAY
    # An item's own SIGN SEPARATE takes its byte.
    leading, separate = sign if sign is not None and (picture.signed or entry.separate) else (False, False)
    return Described(storage, picture, leading, separate)


def _reason(item: Described) -> tuple[str, tuple[str, ...]]:
    """Why no usage has such an item, and what would be one."""
    assert item.picture is not None
    text = item.picture.text[:20]
    match item.category:
        case "national":
            return "PICTURE N and G are double-byte", ("DISPLAY-1", "NATIONAL")
        case "edited":
            return f"PICTURE {text} is edited text", ("DISPLAY",)
        case "numeric" if item.storage == DISPLAY_1:
            return "DISPLAY-1 belongs to PICTURE G or N", ("DISPLAY", "COMP", "COMP-3")
        case "numeric" if item.storage == NATIONAL:
            return "a national number is not read", ("DISPLAY", "COMP", "COMP-3")
        case "numeric":
            return "a binary number has at most 38 digits", ("PIC 9(1) to 9(38)",)
    return f"PICTURE {text} is text", ("DISPLAY",)


def _shared(above: Sequence[Entry], others: Sequence[Entry]) -> int:
    """How many groups two items have in common."""
    pairs = zip(above, others, strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one is not other), min(len(above), len(others)))


def _within(above: Sequence[Entry | Item], of: Sequence[str]) -> bool:
    """Whether the groups above an item are those that qualify it, the nearest first; some may be left out."""
    names = (group.name for group in reversed(above))
    return all(name in names for name in of)


def _counts(item: Item) -> bool:
    """Whether an item is a whole number that a table may depend on."""
    assert item.picture is not None
    assert item.usage is not None
    whole = item.picture.category == "numeric" and item.arrow_type == "int64"
    # Counts are read one at a time, by a kernel.
    return whole and BY_NAME[item.usage].prepare is not None


class _Named:
    """The items of a record as level 66 names them."""

    def __init__(self, record: Item, dialect: Dialect) -> None:
        self._dialect = dialect
        self._items: dict[str, list[tuple[Item, tuple[Item, ...]]]] = {}
        # Where the first table of varying size begins: what stands behind it has no fixed place.
        self._moving = min((item.offset for item in every_item(record) if item.depending), default=record.width)
        self._list(record, ())

    def _list(self, item: Item, above: tuple[Item, ...]) -> None:
        self._items.setdefault(item.name, []).append((item, above))
        for child in item.children:
            self._list(child, (*above, item))

    def rename(self, entry: Entry, problems: list[Problem], notes: list[Problem]) -> Rename | None:
        """The field that an entry is: another name for one item, or for the bytes from one to another as text."""
        assert entry.renames is not None
        pair: list[tuple[Item, tuple[Item, ...]]] = []
        for reference in entry.renames:
            named = self._items.get(reference.name, ())
            found = next((one for one in named if _within(one[1], reference.of)), None)
            why = "" if found is not None else "which is no item of the record"
            if found is not None and any(item.occurs_clause for item in (found[0], *found[1])):
                why = "which is a table" if found[0].occurs_clause else "which is an item of a table"
            if found is None or why:
                name = " OF ".join((reference.name, *reference.of))
                hint = "" if found is not None else meant(reference.name, self._items, problems)
                message = f"RENAMES `{name[:80]}`, {why}"
                problems.append(Problem("L061", reference.word.position, message, (), hint))
                return None
            pair.append(found)
        (first, above_first), (last, above_last) = pair
        width = last.offset + last.width - first.offset
        if width <= 0:
            problems.append(Problem("L061", entry.position, f"`{entry.name}` would have no bytes"))
            return None
        if first.offset + width > self._moving:
            message = f"`{entry.name}` renames bytes behind a table of varying size: it is not read"
            notes.append(Problem("L062", entry.position, message))
            return None
        if first is last and first.elementary:
            base = make_field(first, first.offset, (), ())
        else:
            text = Described(DISPLAY, Picture(f"X({width})", "alphanumeric", width, width))
            read_as = stored(text, self._dialect)
            assert read_as is not None
            usage, place = read_as
            item = Item(
                entry.name, 66, first.offset, width, entry.position,
                picture=place.picture, usage=usage.name, arrow_type=place.type,
            )  # fmt: skip
            base = make_field(item, first.offset, (), ())
        # It is read where the groups that hold all its bytes are: a view that is left out takes its names with it.
        one, other = (*above_first, first), (*above_last, last)
        within = tuple(
            item.name for item, same in zip(one, other, strict=False) if item is same and not item.elementary
        )
        field = dataclasses.replace(base, name=entry.name, data_name=entry.name, within=within, ordinal=0, renames=True)
        return Rename(field)
