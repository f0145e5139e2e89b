"""Watching the steps of a run in this process, and putting other functions in the place of a module's meanwhile."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import Any

from dags import steps

STEPS = (
    "begin", "receive", "extract_map_stage", "join_slices", "validate", "reconcile", "approve", "promote", "report",
)  # fmt: skip

Around = Callable[[str, tuple[Any, ...]], contextlib.AbstractContextManager[object]]
"""Gives for a step's name and arguments what it runs inside."""


@contextlib.contextmanager
def replaced(module: types.ModuleType, **functions: Callable[..., Any]) -> Iterator[None]:
    """Put other functions in the place of a module's, as long as the block lasts."""
    former = {name: getattr(module, name) for name in functions}
    for name, function in functions.items():
        setattr(module, name, function)
    try:
        yield
    finally:
        for name, function in former.items():
            setattr(module, name, function)


def watched(around: Around) -> contextlib.AbstractContextManager[None]:
    """Let each step of the runs that the block begins run inside what is given for it."""

    def inside(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **options: Any) -> Any:
            with around(name, words):
                return step(*words, **options)

        return call

    return replaced(steps, **{name: inside(name, getattr(steps, name)) for name in STEPS})
