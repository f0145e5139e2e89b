"""YAML text -> plain data and the place of every key and value.

Every scalar is a string (`011002` stays Sapporo's code), so types are the model's business. YAML here is untrusted:
anchors, aliases and tags are refused, and size, depth and number of nodes are bounded. Duplicate keys are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from migration_reports.slips import QUOTES, in_our_words, slips
from migration_reports.trouble import Position, Problem, SpecError

MAX_TEXT = 1_000_000
MAX_DEPTH = 30
MAX_NODES = 200_000

Path = tuple[str | int, ...]
Places = Mapping[Path, Position]
Document = tuple[dict[str, Any], Places]
"""What a file says, and where."""


def read_yaml(text: str, file: str) -> tuple[Any, Places]:
    """Read one YAML document.

    Args:
        text: the document.
        file: how positions call it.

    Returns:
        Mappings, sequences and strings, and the position of each by its path; a key's own place stands under
        (*path, "key").

    Raises:
        SpecError: the text is no YAML, or uses what is not allowed.
    """
    if len(text) > MAX_TEXT:
        raise SpecError([Problem("Y001", Position(file), f"the file is longer than {MAX_TEXT:,} characters")])
    problems: list[Problem] = []
    try:
        node = _compose(text, file, problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        found = tuple(slips(text, file, mark.line + 1 if mark else 0))
        raise SpecError(found or [in_our_words(error, text, file)]) from None
    except yaml.YAMLError:
        raise SpecError(
            [Problem("Y002", Position(file), "no YAML: it has characters that YAML does not allow")]
        ) from None
    places: dict[Path, Position] = {(): Position(file)}
    data = _plain(node, (), file, places, problems) if node is not None else {}
    if problems:
        raise SpecError(problems)
    return data, places


def _compose(text: str, file: str, problems: list[Problem]) -> yaml.Node | None:
    """The document's node, by libyaml where it is there, ten times as fast; its complaints are worded by PyYAML's own."""
    try:
        return _composed(text, file, problems, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.YAMLError:
        problems.clear()
        return _composed(text, file, problems, yaml.BaseLoader)


def _composed(text: str, file: str, problems: list[Problem], loader: type[yaml.BaseLoader]) -> yaml.Node | None:
    _screen(text, file, problems, loader)
    if problems:
        raise SpecError(problems)
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def _screen(text: str, file: str, problems: list[Problem], loader: type[yaml.BaseLoader]) -> None:
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=loader)):
        mark = event.start_mark
        place = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problems.append(Problem("Y003", place, "anchors and aliases are not allowed", hint="write it out"))
        if getattr(event, "tag", None):
            problems.append(Problem("Y003", place, "tags are not allowed", hint="every value is read as text"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES or len(problems) > 20:
            problems.append(Problem("Y001", place, "the document is too deep or too large"))
            return


def _plain(node: yaml.Node, path: Path, file: str, places: dict[Path, Position], problems: list[Problem]) -> Any:
    places[path] = Position(file, node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.ScalarNode):
        if not node.style and node.value[:1] in QUOTES and node.value[-1:] in QUOTES and node.value:
            message, hint = "full-width quotes are part of the value", 'write the half-width `"` on both sides'
            problems.append(Problem("Y002", places[path], message, hint=hint))
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, at), file, places, problems) for at, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key, value in node.value:
        place = Position(file, key.start_mark.line + 1, key.start_mark.column + 1)
        if not isinstance(key, yaml.ScalarNode):
            problems.append(Problem("Y004", place, "a key must be text"))
        elif key.value in result:
            problems.append(Problem("Y005", place, f"key `{key.value[:60]}` stands twice", hint="remove one of them"))
        else:
            places[(*path, key.value, "key")] = place
            result[key.value] = _plain(value, (*path, key.value), file, places, problems)
    return result
