"""What is said of a value that a model refuses, in our words rather than Pydantic's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from migration_reports.slips import slip_in
from migration_reports.trouble import did_you_mean

FORMS: Mapping[str, tuple[str, str]] = {
    r"^\d{4}-\d{2}-\d{2}$": ("is no day", "YYYY-MM-DD"),
    r"^packages/[a-z0-9_]+$": ("is no package's name", "packages/<vendor>_<product>, in small Latin letters"),
    r"^[a-z][a-z0-9_]{0,39}$": (
        "is no name of a series",
        "a small Latin letter, then such letters, digits and _; at most 40",
    ),
}
"""What a text is not, and what is allowed, by the pattern that it does not fit."""

_SAYS = {
    "string_type": "must be a single text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be keys with values, indented below it",
    "mapping_type": "must be keys with values, indented below it",
    "model_type": "must be keys with values, indented below it",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
}


def refused(error: Any) -> tuple[str, tuple[str, ...], str]:
    """What is wrong with a value, what is allowed in its place, and a hint.

    Args:
        error: what Pydantic says of it, one entry of `ValidationError.errors()`.

    Returns:
        The message begins with the value where it is a text.
    """
    given, kind, context = error.get("input"), error["type"], error.get("ctx", {})
    word = f"`{given[:40]}` " if isinstance(given, str) else ""
    slip = slip_in(given) if isinstance(given, str) else ""
    if kind == "literal_error":
        allowed = tuple(re.findall("'([^']*)'", str(context.get("expected", ""))))
        # One digit instead of another is no slip of the fingers: which is meant nobody can tell.
        near = isinstance(given, str) and not any(map(str.isdigit, given))
        hint = did_you_mean(given, allowed) if near else ""
        return f"{word or 'this '}is not allowed", allowed, hint or slip
    if kind.startswith("int_"):
        return f"{word or 'this '}is no whole number", (), slip
    if kind == "string_pattern_mismatch" and context.get("pattern") in FORMS:
        what, form = FORMS[context["pattern"]]
        return f"{word}{what}", (form,), slip
    if kind in _SAYS:
        return f"{word}{_SAYS[kind].format(**context)}", (), slip
    message = error["msg"].removeprefix("Value error, ").lower()
    return f"{word if kind != 'value_error' else ''}{message}", (), slip
