"""What a diagnosis proposes: one way to read something of a dump, with its evidence and the manifest lines that say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from extractors.layout import Layout
from extractors.reading import Choice

LayoutOf = Callable[[Choice], Layout]
"""The layout by a dialect."""


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """One way to read something of the dump: how strongly the sample speaks for it (0 to 1), and why.

    Attributes:
        family: container, framing, charset or dialect.
        choice: the member and its options.
        strength: from 0 to 1.
        evidence: what was seen.
        options: of the dump itself, such as its header.
        doubt: what the bytes do not decide about it; stands as a comment in the manifest.
        equals: other members that the sample speaks for as much; a person decides, so none of them is pasted.
        same: other members that come to the same here, so that it does not matter which is taken.
    """

    family: str
    choice: Choice
    strength: float
    evidence: tuple[str, ...]
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    doubt: str = ""
    equals: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

    @property
    def yaml(self) -> str:
        """The manifest line of the member, without the dump's own options."""
        return f"{self.family}: {said(self.choice)}"

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything to paste."""
        line = f'{self.family}: "?"  # {said(self.choice)} {self.doubt}' if self.equals else self.yaml
        comment = f"  # {self.doubt}" if self.doubt and not self.equals else ""
        return (line + comment, *([f"options: {_flow(self.options)}"] if self.options else []))


def said(choice: Choice) -> str:
    """A member of a family as YAML says it."""
    if not choice.options:
        return choice.name
    return _flow(choice.options, f"name: {choice.name}, ")


def _flow(options: Mapping[str, str], first: str = "") -> str:
    return "{" + first + ", ".join(f'{key}: "{value}"' for key, value in options.items()) + "}"
