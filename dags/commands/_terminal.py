r"""What the commands share with a person at a terminal: where they write, and how long work takes.

Values, names and messages are shown as they are: `:100:` is no picture, `[red]` no colour. What a dump or a file name holds
must never drive the terminal, so a character that is not seen is spelled: ESC is \x1b, U+202E is \u202e.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Controls, marks of direction and joining, half surrogates (bytes of a file name that are no text), line separators."""


def visible(text: str, *, lines: bool = True) -> str:
    """A text with every character spelled that is not seen; its line ends too, unless they are `lines` of a message.

    Private-use characters, which are gaiji, and variation selectors stay as they are.
    """
    kept = "\n" if lines else ""
    if text.isprintable():
        return text
    return "".join(c if c in kept or unicodedata.category(c) not in _UNSEEN else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


class Terminal(Console):
    """A terminal, or a file in its form, on which a text stands as it is, and nothing in a text is a command to it."""

    def __init__(self, **more: Any) -> None:
        super().__init__(emoji=False, markup=False, highlight=False, **more)

    def render_str(self, text: str, **more: Any) -> Text:
        """A text as it is shown: spelled before it is measured."""
        return super().render_str(visible(text), **more)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """What is shown of anything: what comes made, such as Markdown, is spelled here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


class LogFormatter(logging.Formatter):
    """Lines of the log, as a terminal shows them."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return visible(super().format(record))


out = Terminal(width=None if sys.stdout.isatty() else 200)
err = Terminal(stderr=True)


@contextlib.contextmanager
def progress(title: str, *, enabled: bool = True) -> Iterator[Callable[[int, int], None] | None]:
    """Show how much of some work is done; gives what is told of it, or None where nobody looks at a terminal."""
    if not (enabled and err.is_terminal):
        yield None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(visible(title), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
