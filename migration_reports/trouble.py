"""What is raised: a spec's problems, all at once, with their places; a system that is away; a run or a call that is refused.

Nothing heavy is imported here, for the command must know these errors before it does anything, and the ledger lists runs
without Arrow. Stages that make findings take all of it from `migration_reports.findings`.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import unicodedata
from collections.abc import Iterable

FIRST_PLACES = 5
"""How many places are told of what was met more often."""


class Severity(enum.StrEnum):
    """The field's two severities, and a note below them (住民記録システム標準仕様書: エラー, アラート)."""

    ERROR = "error"
    ALERT = "alert"
    NOTE = "note"


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """A place in a text that a person wrote; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """What a problem speaks of, as it is defined: a field's line in its copybook, or a target's column (no place)."""

    text: str
    position: Position | None = None

    def __str__(self) -> str:
        return self.text if self.position is None else f"{self.position}: {self.text}"


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a spec: what, where, what is allowed, what to do, and how what it speaks of is defined."""

    code: str
    position: Position
    message: str
    allowed: tuple[str, ...] = ()
    hint: str = ""
    defined: tuple[Definition, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.position}: {self.code} {self.message}"]
        if self.allowed:
            lines.append(f"    allowed here: {', '.join(map(_quoted, self.allowed))}")
        if self.hint:
            lines.append(f"    {self.hint}")
        lines.extend(f"    {definition}" for definition in self.defined)
        return "\n".join(lines)


def _quoted(allowed: str) -> str:
    """What is allowed in backquotes, where it is a value that may hold commas itself; as it is, where it is a phrase."""
    return allowed if " " in allowed and allowed[0].isalnum() else f"`{allowed}`"


MAX_SHOWN = 200
"""So many problems of a spec are printed; what is wrong in a thousand places is wrong in one way."""


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The hint that offers the nearest of some names, whatever the case of its letters; empty where none is near."""
    close = nearest(word, names)
    return f"did you mean `{close}`?" if close is not None and close != word else ""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The nearest of some names, whatever the case or width of its letters; None where none is near."""
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(_folded(name), name)
    close = difflib.get_close_matches(_folded(word), folded, 1)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


class SpecError(Exception):
    """A spec that cannot be used; carries every problem of it, in the order of its places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.position.file, p.position.line, p.position.column)))
        shown = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            shown.append(f"and {len(self.problems) - MAX_SHOWN:,} more problems")
        super().__init__("\n".join(shown))


class TransientError(Exception):
    """A system that is away (a database, a share): trying again later may succeed."""


class RunError(Exception):
    """A run that may not go on for a reason a person must decide about; trying again alone will not help."""


class UsageError(RunError):
    """A call that names what is not there, or cannot be meant so: nothing was begun, and the call must be mended."""
