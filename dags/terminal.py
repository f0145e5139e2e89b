"""What the commands share with a person at a terminal: where they write, how long work takes, how help shows examples."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)


def help_with(text: str, *examples: str) -> str:
    """A command's help: what it does, and lines that may be typed."""
    heading = "Example" if len(examples) == 1 else "Examples"
    return f"{text}\n\n\b\n{heading}:\n" + "\n".join(f"  {example}" for example in examples)


@contextlib.contextmanager
def progress(title: str, *, enabled: bool = True) -> Iterator[Callable[[int, int], None] | None]:
    """Show how much of some work is done; gives what is told of it, or None where nobody looks at a terminal."""
    if not (enabled and err.is_terminal):
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
