"""Level 66: other names for items of a record, or for the bytes from one to another."""

from __future__ import annotations

import dataclasses

from extractors.copybooks.entry import Entry, meant, qualifies
from extractors.dialects.contract import Dialect
from extractors.layout import Item, Picture, Rename, every_item, make_field
from extractors.layout.storage import DISPLAY, Described
from extractors.usages import stored
from migration_reports.findings import Problem


class Named:
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
            found = next((one for one in named if qualifies(one[1], reference.of)), None)
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
