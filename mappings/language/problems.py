"""What may be wrong with a manifest or a mapping, by code; and where problems that others find stand in a folder."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from mappings.language.folder import SystemFolder
from migration_reports.trouble import Problem

PROBLEMS: Mapping[str, str] = {
    "Y001": "a file that is too large or too deep",
    "Y002": "a file that is no YAML",
    "Y003": "anchors, aliases or tags",
    "Y004": "a key that is no text",
    "Y005": "a key that stands twice",
    "Y006": "a file that is missing or cannot be read",
    "Y007": "a path that leaves its folder",
    "Y010": "an unknown key",
    "Y011": "a key that is missing",
    "Y012": "a value that is not allowed",
    "Y013": "a municipality code whose check digit is wrong",
    "Y014": "a folder name that does not fit its manifest",
    "Y015": "a code table that cannot be used",
    "Y020": "a record kind or dump that is not known",
    "Y021": "a source field that is not known",
    "Y022": "a source field that is neither mapped nor ignored",
    "Y023": "a source field that is mapped and ignored",
    "Y024": "a control that cannot be computed",
    "Y025": "a field that nobody has decided about",
    "Y026": "a guess of draft that nobody has confirmed",
    "Y027": "a table (OCCURS) that is not known",
    "Y028": "a join that cannot be made",
    "Y030": "a target table or system that is not known",
    "Y031": "a target column that is not known",
    "Y032": "a target column that is not filled",
    "Y033": "a type that cannot fit",
    "Y034": "a code outside the target's code set",
    "Y040": "a transform that is not known",
    "Y041": "a transform's parameter that is not allowed",
    "Y042": "a column that is filled in two ways, or in none",
    "Y043": "a rule or a setting of it that is not known or cannot be used",
    "Y044": "a condition or expression that cannot be used",
    "Y050": "something to leave out that the package does not have",
    "Y051": "a package that is not known",
    "Y060": "a number of an occurrence that a row does not have",
    "Y061": "runs that a table (OCCURS) cannot have",
    "Y070": "a join called like a header or trailer of the dump",
    "Y071": "a field that tells a transform nothing",
    "Y072": "the manifest's reference_date, where it has none",
    "Y081": "a column that the program gives, and no mapping fills",
    "Y090": "a delivery whose files cannot be told",
    "Y091": "a name in braces that stands for nothing",
    "Y092": "attachments that cannot be found or told apart",
    "Y100": "a control whose groups nothing states",
    "Y101": "parts of a control that do not belong together",
    "Y102": "a control per parent that no parent states",
    "Y103": "records that are left without a reason, or all of them",
    "Y110": "a set of map files of which some are not named",
    "Y115": "a decision about candidates that cannot be used",
    "Y116": "candidates that are not known",
    "Y117": "decisions about candidates that contradict one another",
    "Y118": "candidates resolved in the column by which they are found",
}
"""What each problem code of a manifest or mapping means."""


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
