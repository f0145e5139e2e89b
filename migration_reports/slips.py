"""The slips behind YAML that cannot be read: what Japanese keyboards type for `:`, spaces and quotes, and open brackets.

They are looked for only where a text or a value was refused: everywhere else such characters are good text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import yaml

from migration_reports.trouble import Position, Problem

COLON, SPACE = "\N{FULLWIDTH COLON}", "\N{IDEOGRAPHIC SPACE}"
QUOTES = "\u201c\u201d\u2018\u2019\N{FULLWIDTH QUOTATION MARK}\N{FULLWIDTH APOSTROPHE}"

_NAMES = {COLON: "colon", SPACE: "space", **dict.fromkeys(QUOTES, "quote"), "［": "bracket", "｛": "brace"}
_WRITE = {
    "colon": "write the half-width `:` and a space behind it",
    "space": "write half-width spaces",
    "quote": 'write the half-width `"` on both sides',
    "bracket": "write the half-width `[` and `]`, and `,` between",
    "brace": "write the half-width `{` and `}`, and `,` between",
    "tab": "write spaces: YAML takes no tab before a key or a value",
}
_PLACES = (
    re.compile(rf"^[ \t{SPACE}]*?([\t{SPACE}])"),
    re.compile(rf"^[ \t{SPACE}]*(?:- +)*[^\s:{COLON}#\"'\[\]{{}},]+({COLON})"),
    re.compile(rf"\{{(?:[^{{}}]*,)?[ {SPACE}]*[^\s:{COLON}#\"'\[\]{{}},]+({COLON})"),
    re.compile(rf"(?:[:,]|^[ ]*-)[ ]*([\t{SPACE}])"),
    re.compile(rf"[:\[,{{-][ ]*([{QUOTES}［｛])"),
)
"""Where a character stands for one of YAML's own: in the indentation, behind a key, before a value."""


def slips(text: str, file: str, last: int) -> Iterator[Problem]:
    """The full-width characters and tabs that stand where YAML has signs of its own, up to a line."""
    for number, line in enumerate(text.splitlines()[:last], 1):
        if line.lstrip(f" \t{SPACE}").startswith("#"):
            continue
        for column in sorted({match.start(1) for place in _PLACES for match in place.finditer(line)}):
            name = _NAMES.get(line[column], "tab")
            what = f"a full-width {name} `{line[column]}`" if name != "tab" else "a tab"
            place = Position(file, number, column + 1)
            yield Problem("Y002", place, f"no YAML: {what} stands here", hint=_WRITE[name])


def slip_in(value: str) -> str:
    """The hint that a refused value or key has full-width characters; empty where it has none."""
    for character in value:
        if character in _NAMES:
            return f"it has a full-width {_NAMES[character]} (`{character}`): {_WRITE[_NAMES[character]]}"
    half = unicodedata.normalize("NFKC", value)
    if any("！" <= character <= "～" for character in value):
        return f"it is written in full-width characters: write `{half[:40]}`"
    return ""


def unclosed(text: str, line: int, *, ended: bool) -> tuple[str, int, int] | None:
    """The innermost bracket that is open where reading stopped, with its line and column from 0.

    Args:
        text: the document.
        line: where reading stopped, from 0.
        ended: whether that is the text's end; else a bracket of the same line may be closed further on.

    Returns:
        None where no bracket is to blame.
    """
    stack: list[tuple[str, yaml.Mark]] = []
    try:
        for token in yaml.scan(text, Loader=yaml.BaseLoader):
            if token.start_mark.line > line:
                break
            if isinstance(token, (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)):
                stack.append(("[" if isinstance(token, yaml.FlowSequenceStartToken) else "{", token.start_mark))
            elif isinstance(token, (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)) and stack:
                stack.pop()
    except yaml.YAMLError:
        pass
    if not stack or (stack[-1][1].line >= line and not ended):
        return None
    bracket, mark = stack[-1]
    return bracket, mark.line, mark.column


def runs_on(text: str, line: int) -> tuple[int, int] | None:
    """Where a quote begins that was closed by a later one, with keys between: its line and column from 0."""
    found = None
    try:
        for token in yaml.scan(text, Loader=yaml.BaseLoader):
            if token.start_mark.line > line:
                break
            if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"') and ": " in token.value:
                found = token.start_mark if token.start_mark.line < token.end_mark.line else found
    except yaml.YAMLError:
        pass
    return (found.line, found.column) if found is not None else None


UNCLOSED = "the quote is not closed on its line"
SAID = (
    ("mapping values are not allowed", "a second `: ` stands on this line", "quote the value, or begin the key on a line of its own"),
    ("could not find expected ':'", "this line has no `: `", "write `key: value`, or indent it below the value that it continues"),
    ("expected <block end>", "the indentation is none of the lines above", "begin the line where its neighbours begin"),
    ("cannot start any token", "a value may not begin with this character", "put the value into quotes"),
    ("unexpected end of stream", UNCLOSED, "write the closing quote"),
    ("expected ',' or", "a comma or the closing bracket is missing here", "write `,` between values, `]` or `}` behind the last"),
)  # fmt: skip
"""What is said for what PyYAML says: a part of its words, ours, and what to do."""


def in_our_words(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """What a text that is no YAML is told, at the place that must be mended."""
    said = str(error.problem or "")
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem("Y002", Position(file), f"no YAML: {said or 'it cannot be read'}")
    if (bracket := unclosed(text, mark.line, ended=not text[mark.index :].strip())) is not None:
        sign, line, column = bracket
        message = f"no YAML: the bracket `{sign}` is not closed"
        return Problem(
            "Y002", Position(file, line + 1, column + 1), message, hint=f"write `{'}' if sign == '{' else ']'}`"
        )
    if (quote := runs_on(text, mark.line)) is not None:
        return Problem(
            "Y002", Position(file, quote[0] + 1, quote[1] + 1), f"no YAML: {UNCLOSED}", hint="write the closing quote"
        )
    for part, ours, do in SAID:
        if part in said:
            # A quote or a key is mended where it begins, not where its end was missed.
            begins = error.context_mark if "quote" in ours or "no `: `" in ours else None
            at = begins or mark
            return Problem("Y002", Position(file, at.line + 1, at.column + 1), f"no YAML: {ours}", hint=do)
    return Problem("Y002", Position(file, mark.line + 1, mark.column + 1), f"no YAML: {said or 'it cannot be read'}")
