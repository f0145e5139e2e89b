"""Entries of named values as rows of cells: a row an entry, with a column for each name, or a row a value."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from extractors.containers._cells import EMPTY, Cell, head_of, row_of, saying
from extractors.containers.contract import Damaged
from extractors.kernels.rows import Says

MOST_NAMES = 2_000

Entry = Sequence[tuple[str, Cell]]
"""The values of an entry, each with its name; a name may come several times."""

Read = Callable[[], Iterator[Entry | bytes]]
"""Reads the file from its beginning: its entries, and between them what is to be said."""


def as_rows(container: str, read: Read, first: Iterable[str] = ()) -> Iterator[bytes]:
    """A row an entry. The file is read twice, because its names are known at its end only.

    Args:
        container: whose file it is.
        read: reads it.
        first: names that stand at the beginning, whether or not they come.
    """
    names = dict.fromkeys(first)
    # What comes before a damage is read all the same, and the damage told when it is reached again.
    with contextlib.suppress(Damaged):
        for entry in read():
            names.update(dict.fromkeys(name for name, _ in _numbered(() if isinstance(entry, bytes) else entry)))
            if len(names) > MOST_NAMES:
                break
    if len(names) > MOST_NAMES:
        raise Damaged(f"{container}: more than {MOST_NAMES:,} names and repetitions; read it a value a row", 0)
    yield head_of(names)
    rows = values = 0
    for entry in read():
        if isinstance(entry, bytes):
            yield entry
            continue
        cells = dict(_numbered(entry))
        rows, values = rows + 1, values + len(cells)
        yield row_of([cells.get(name, EMPTY) for name in names])
    yield saying(Says.ACCOUNT, f"{values:,} values in {rows:,} rows")


def as_values(read: Read, head: Sequence[str], key: int) -> Iterator[bytes]:
    """A row a value: the first values of its entry, its name, which of that name it is, and itself.

    Args:
        read: reads the file.
        head: the names of the columns.
        key: how many values at the beginning of an entry tell which it is.
    """
    yield head_of(head)
    values = 0
    seen: Counter[str] = Counter()
    for entry in read():
        if isinstance(entry, bytes):
            yield entry
            continue
        if key:
            seen.clear()
        for name, cell in entry[key:]:
            seen[name] += 1
            values += 1
            yield row_of([*(cell for _, cell in entry[:key]), (name, 0), (str(seen[name]), 0), cell])
    yield saying(Says.ACCOUNT, f"{values:,} values")


def _numbered(entry: Entry) -> Iterator[tuple[str, Cell]]:
    """The values, the second of a name and those after it with a number."""
    seen: Counter[str] = Counter()
    for name, cell in entry:
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name}({seen[name]})"), cell
