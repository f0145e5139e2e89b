"""Specs: frozen models of the YAML that people write, its parts with their places, and what is said of one that does not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import pydantic

from migration_reports.slips import slip_in
from migration_reports.trouble import Position, Problem, did_you_mean
from migration_reports.wording import refused
from migration_reports.yaml_text import Places


class Spec(pydantic.BaseModel):
    """A part of a spec: nothing unknown in it, and nothing changes it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


@dataclasses.dataclass(frozen=True, slots=True)
class Located:
    """A spec with the places of its parts."""

    file: str
    places: Places

    def at(self, *path: str | int) -> Position:
        """The place of a part, or of the nearest part that contains it.

        A number that the text does not have is passed over: a single part stands for a list of one.
        """
        found: tuple[str | int, ...] = ()
        for number, part in enumerate(path):
            if (*found, part) in self.places:
                found = (*found, part)
            elif not isinstance(part, int) or number == len(path) - 1:
                break
        return self.places[found]


S = TypeVar("S", bound=Spec)

NOTHING: Mapping[str, Any] = MappingProxyType({})


def checked(
    model: type[S],
    data: Any,
    located: Located,
    problems: list[Problem],
    *,
    allowed: Mapping[str, Sequence[str]] = NOTHING,
    hints: Mapping[str, str] = NOTHING,
) -> S | None:
    """Make a model of plain data; None where it does not fit.

    Args:
        model: the model.
        data: the data.
        located: with the places of its parts.
        problems: everything that is wrong with it is added.
        allowed: by key, what may stand where it is missing.
        hints: by key that is unknown at the top, what is to be said of it.
    """
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        problems.extend(_problem(e, located, model, allowed, hints) for e in error.errors(include_url=False))
        return None


def _problem(
    error: Any, located: Located, model: type[Spec], may: Mapping[str, Sequence[str]], hints: Mapping[str, str]
) -> Problem:
    path: tuple[str | int, ...] = tuple(error["loc"])
    kind = error["type"]
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        allowed = _keys(model, path[:-1])
        place = located.at(*path, "key")
        known = hints.get(name, "") if len(path) == 1 else ""
        hint = slip_in(name) or known or did_you_mean(name, allowed)
        return Problem("Y010", place, f"unknown key `{name[:60]}`", allowed, hint)
    if kind == "missing":
        return Problem("Y011", located.at(*path), f"key `{name}` is missing", tuple(may.get(name, ())))
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    message, allowed, hint = refused(error)
    return Problem("Y012", located.at(*path), f"`{key}`: {message}", allowed, hint)


def _keys(model: type[Spec], path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that a model allows at a path."""
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, pydantic.BaseModel):
            fields = {field.alias or name: field for name, field in current.model_fields.items()}
            current = fields[str(part)].annotation if part in fields else None
        else:
            # One step into a mapping or a sequence: what it holds.
            inner = [a for a in get_args(current) if a not in (type(None), Ellipsis, str)]
            current = inner[-1] if inner else None
        while current is not None and get_origin(current) in (Annotated, Union, UnionType):
            inner = [a for a in get_args(current) if a is not type(None)]
            current = next((a for a in inner if not isinstance(a, str)), None)
    if isinstance(current, type) and issubclass(current, pydantic.BaseModel):
        written: tuple[str, ...] = getattr(current, "written", ())
        return written or tuple(field.alias or name for name, field in current.model_fields.items())
    return ()
