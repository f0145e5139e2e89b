"""A text is of a form that a pattern says: the whole of it, not a part.

A pattern has characters, classes (`[0-9A-Z]`, `[^0-9]`), groups, `|`, and how often what stands before comes (`?`, `*`,
`+`, `{7}`, `{1,3}`); what a class does not say any other way, such as a full stop, stands in one: `[.]`.

    postal_code: {form: postal_code, pattern: "[0-9]{7}", of: residents}

Source: the instance's.
"""

from __future__ import annotations

import re

import polars as pl

from validators.shapes._given import Given
from validators.shapes._terms import Term, literal
from validators.shapes.contract import Parameter, Rule, Shape

_PIECE = re.compile(
    r"""(?P<atom>[^\\.^$*+?{}\[\]()|]|\[\^?(?:[^\\\[\]^&~-](?:-[^\\\[\]^&~-])?)+-?\])|(?P<open>\()|(?P<close>\))|(?P<either>\|)"""
    r"""|(?P<times>[*+?]|\{\d{1,3}(?:,(?:\d{1,3})?)?\})"""
)
MOST = 255
"""How often PostgreSQL lets something come."""


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where the text is not of the form."""
    column, pattern = given.column("form", "text"), given.text("pattern")
    if problem := refused(pattern):
        given.wrong("R002", f"pattern `{pattern[:60]}`: {problem}")
        return ()
    whole = f"^(?:{pattern})$"
    text = column.value
    wrong = Term(~text.expr.str.contains(whole), f"({text.sql} !~ {literal(whole)})")
    return given.mask((column,), wrong, f"{column.ja}の形式", f"form of the {column.en}")


def refused(pattern: str) -> str:
    """Why a pattern cannot be used, because the engines would not read it alike; empty where it can."""
    at, depth, repeatable = 0, 0, False
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            return f"`{pattern[at]}` cannot stand there"
        kind = piece.lastgroup
        if kind == "times" and (not repeatable or any(int(n) > MOST for n in re.findall(r"\d+", piece[0]))):
            return f"`{piece[0]}` says how often something comes, {MOST} times at most"
        depth += {"open": 1, "close": -1}.get(kind or "", 0)
        if depth < 0:
            break
        repeatable = kind in ("atom", "close")
        at = piece.end()
    if depth or not pattern:
        return "a bracket stands alone" if pattern else "it is empty"
    try:
        pl.Series([""]).str.contains(f"^(?:{pattern})$")
    except pl.exceptions.ComputeError:
        return "a range runs backwards, or it is too large"
    return ""


SHAPE = Shape(
    "form",
    __doc__ or "",
    "V415",
    (Parameter("form", "the text", required=True), Parameter("pattern", "how the whole of it looks", required=True)),
    make,
)
