"""How the problems of specs are printed: for people, for programs, for GitHub's annotations, for code scanning."""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dags.authoring.check import Checked
from dags.authoring.excerpt import excerpt
from dags.authoring.problems import MEND, PROBLEMS, page_of
from migration_reports.findings import Position, Problem

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """One way to print what was checked."""

    name: str
    render: Callable[[Sequence[Checked]], str]


GUESS = "Y026"
"""A guess of draft: nothing is wrong, but somebody must look at it."""

WIDTH = 100
"""How wide an excerpt may be where nobody looks at a terminal."""


def _text(checked: Sequence[Checked], width: int = WIDTH) -> str:
    """Problems as file:line:column, each with its line, what is allowed and what to do; guesses at the end, as one.

    A municipality without any has a line of its own; notes stand last.
    """
    lines = []
    for one in checked:
        for problem in one.problems:
            if problem.code != GUESS:
                head, *rest = str(problem).split("\n")
                shown = excerpt(problem.position, one.lines, width) if one.lines is not None else ()
                lines += [head, *shown, *rest]
        guesses = sum(problem.code == GUESS for problem in one.problems)
        if guesses:
            open_ = "1 guess" if guesses == 1 else f"{guesses} guesses"
            lines.append(f"{one.folder.name}: {GUESS} {open_} of draft open: `hikkoshi accept {one.name}`")
        if not one.problems:
            lines.append(f"{one.folder.name}: ok ({one.summary})")
        lines += [f"note: {note}" for note in one.notes]
    return "\n".join(lines)


def _json(checked: Sequence[Checked]) -> str:
    """A list of problems, each with its own keys."""
    return json.dumps([_plain(p) for one in checked for p in one.problems], ensure_ascii=False, indent=1)


def _plain(problem: Problem) -> dict[str, Any]:
    return {
        **_place(problem.position),
        "code": problem.code,
        "message": problem.message,
        "allowed": list(problem.allowed),
        "hint": problem.hint,
        "defined": [{"text": d.text, **(_place(d.position) if d.position else {})} for d in problem.defined],
        "page": page_of(problem.code),
    }


def _place(position: Position) -> dict[str, Any]:
    return {"file": position.file, "line": position.line, "column": position.column}


def _github(checked: Sequence[Checked]) -> str:
    """A workflow command for each problem, so that GitHub shows it beside the line."""
    lines = []
    for problem in (p for one in checked for p in one.problems):
        at = problem.position
        where = {"file": at.file, "line": str(at.line), "col": str(at.column), "title": problem.code}
        properties = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in where.items())
        lines.append(f"::error {properties}::{_escaped(_says(problem))}")
    return "\n".join(lines)


def _escaped(text: str, more: str = "") -> str:
    """A text as GitHub's workflow commands take it; in a property, colons and commas are escaped too."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _says(problem: Problem) -> str:
    """The message, with what is allowed and what to do on lines of their own."""
    head, _, rest = str(problem).partition("\n")
    message = head.removeprefix(f"{problem.position}: {problem.code} ")
    return "\n".join([message, *(line.strip() for line in rest.splitlines())])


def _sarif(checked: Sequence[Checked]) -> str:
    """SARIF 2.1.0: one run, a rule for each code, a result for each problem."""
    problems = [problem for one in checked for problem in one.problems]
    codes = sorted({problem.code for problem in problems})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": PROBLEMS.get(code, code)},
            "help": {"text": MEND.get(code, "")},
            "helpUri": page_of(code),
        }
        for code in codes
    ]
    results = [
        {
            "ruleId": problem.code,
            "ruleIndex": codes.index(problem.code),
            "level": "error",
            "message": {"text": _says(problem)},
            "locations": [{"physicalLocation": _physical(problem.position)}],
            "relatedLocations": [
                {"physicalLocation": _physical(d.position), "message": {"text": d.text}}
                for d in problem.defined
                if d.position is not None
            ],
        }
        for problem in problems
    ]
    run: Mapping[str, Any] = {
        "tool": {"driver": {"name": "hikkoshi", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def _physical(position: Position) -> dict[str, Any]:
    path = Path(position.file)
    uri = path.as_uri() if path.is_absolute() else urllib.parse.quote(path.as_posix())
    return {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": position.line, "startColumn": position.column},
    }


FORMATS: tuple[Format, ...] = (
    Format("text", _text),
    Format("json", _json),
    Format("github", _github),
    Format("sarif", _sarif),
)
"""Every way to print problems; the first is the usual one."""


def render(checked: Sequence[Checked], name: str, *, width: int = WIDTH) -> str:
    """Print what was checked.

    Args:
        checked: the municipalities.
        name: a format's name.
        width: how wide an excerpt of a text may be, in columns of a terminal.

    Raises:
        KeyError: there is no such format.
    """
    if name == FORMATS[0].name:
        return _text(checked, width)
    return {form.name: form for form in FORMATS}[name].render(checked)
