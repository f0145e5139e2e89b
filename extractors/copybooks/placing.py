"""Entries of a copybook, each at its offset: the dialect's rules of room, boundaries and tables, and what a table counts by."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from extractors.copybooks.entry import UNREADABLE, Entry, Reference, meant, qualifies
from extractors.dialects.contract import Dialect
from extractors.layout import Item
from extractors.layout.storage import DISPLAY, DISPLAY_1, NATIONAL, Described, Stored
from extractors.usages import BY_NAME, stored
from extractors.usages.contract import Usage
from migration_reports.findings import Position, Problem

MAX_RECORD = 16 * 1024 * 1024
MAX_FIELDS = 100_000
MAX_VARYING_DEPTH = 7
MAX_ALLOWED = 20


class Placer:
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
            if not qualifies(above, reference.of):
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


def _counts(item: Item) -> bool:
    """Whether an item is a whole number that a table may depend on."""
    assert item.picture is not None
    assert item.usage is not None
    whole = item.picture.category == "numeric" and item.arrow_type == "int64"
    # Counts are read one at a time, by a kernel.
    return whole and BY_NAME[item.usage].prepare is not None
