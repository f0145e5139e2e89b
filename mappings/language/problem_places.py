"""Problems that other stages find in what a system's folder says, at the places where the folder says it."""

from __future__ import annotations

import dataclasses
import re

from mappings.language.folder import SystemFolder
from migration_reports.trouble import Problem


def at_option(spec: SystemFolder, problem: Problem) -> Problem:
    """A problem of a dump at the line of the option that it speaks of, where the manifest has one."""
    places = spec.manifest_places.places
    starts = {places[path]: path for path in places if path[:1] in (("dumps",), ("policies",)) and path[-1] != "key"}
    path = starts.get(problem.position, ())
    path = path[:-1] if path[-1:] == ("name",) else path
    words = set(re.findall(r"\w+", problem.message))
    options = [
        at
        for at in places
        if at[: len(path)] == path and len(at) > len(path) + 1 and at[-1] == "key" and at[-2] in words
    ]
    # `name` and the like of the dump itself are no options: those stand one level further in.
    inner = [at for at in options if len(at) == 5 or at[0] == "policies"]
    if problem.code not in ("L903", "L904") or not path or not inner:
        return problem
    return dataclasses.replace(problem, position=places[inner[0]])


def shown(spec: SystemFolder, problem: Problem) -> Problem:
    """A problem whose file is called as those of specs are, by its folder: charsets know it by a path of their own."""
    file = (spec.path / problem.position.file).resolve()
    for root in spec.roots:
        if file.is_file() and file.is_relative_to(root.path.resolve()):
            name = root.shown(file.relative_to(root.path.resolve()).as_posix())
            return dataclasses.replace(problem, position=dataclasses.replace(problem.position, file=name))
    return problem
