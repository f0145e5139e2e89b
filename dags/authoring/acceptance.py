"""`hikkoshi accept`: the guesses of draft that nobody has confirmed, and how a confirmed one is struck out of its file.

Only the entry `guessed:` of a column goes; everything else of the file stays as it is, byte for byte. What would be written
is read again first, and must say the same as before without the guesses; else nothing is written.
"""

from __future__ import annotations

import codecs
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mappings.language.reader import MAPPING
from migration_reports.findings import Position, SpecError, UsageError, did_you_mean
from migration_reports.yaml_text import read_yaml


@dataclasses.dataclass(frozen=True, slots=True)
class OpenGuess:
    """A guess that nobody has confirmed.

    Attributes:
        file: the mapping that it stands in.
        position: of its `guessed:`.
        name: its table and column.
        reason: why draft guessed it.
        lines: the column's lines and the comments above them, as they stand in the file, without the guess.
        start: where the entry begins in the file's text, its separator or indentation with it.
        end: where it ends.
    """

    file: Path
    position: Position
    name: str
    reason: str
    lines: tuple[str, ...]
    start: int
    end: int


def open_guesses(folder: Path) -> tuple[OpenGuess, ...]:
    """The guesses of a municipality's own mappings, in the order of files and lines; those of its package are the package's.

    Raises:
        SpecError: a mapping is no YAML.
    """
    found: list[OpenGuess] = []
    for file in sorted(folder.glob(f"*/{MAPPING}")):
        text = _text(file)
        if "guessed" in text:
            read_yaml(text, _shown(file))
            found += _guesses(file, text, yaml.compose(text, Loader=yaml.BaseLoader))
    return tuple(found)


def chosen(guesses: Sequence[OpenGuess], places: Sequence[str]) -> tuple[OpenGuess, ...]:
    """The guesses that are named: table.column, system.table.column, or file:line as check says it.

    Raises:
        UsageError: a place is none of a guess, or of guesses of several systems.
    """
    known: dict[str, dict[OpenGuess, None]] = {}
    for one in guesses:
        at, inner = one.position.line, one.position.file.partition("/")[2]
        system = one.file.parent.name
        files = (one.position.file, inner, one.file.name, str(one.file))
        for name in (one.name, f"{system}.{one.name}", *(f"{file}:{at}" for file in files)):
            known.setdefault(name, {})[one] = None
    wanted: list[OpenGuess] = []
    for place in places:
        short = place.rpartition(":")[0] if place.count(":") > 1 else place
        meant = known.get(place) or known.get(short) or known.get(str(Path(short).resolve())) or {}
        if len(meant) > 1:
            names = ", ".join(f"{one.file.parent.name}.{one.name}" for one in meant)
            raise UsageError(f"`{place[:80]}` is a guess of several systems; say which: {names}")
        if not meant:
            hint = did_you_mean(place, [one.name for one in guesses])
            raise UsageError(f"`{place[:80]}` is no open guess; {f'{hint} ' if hint else ''}`--list` shows them")
        wanted.extend(meant)
    return tuple(dict.fromkeys(wanted))


def strike(guesses: Sequence[OpenGuess]) -> tuple[Path, ...]:
    """Take confirmed guesses out of their files: every file whole, or none; gives the files.

    Raises:
        UsageError: a file has been changed since it was read, or an entry cannot be taken out by itself.
    """
    ready: dict[Path, bytes] = {}
    for file in dict.fromkeys(guess.file for guess in guesses):
        mine = [guess for guess in guesses if guess.file == file]
        before = _text(file)
        if any(guess not in _guesses(file, before, yaml.compose(before, Loader=yaml.BaseLoader)) for guess in mine):
            raise UsageError(f"{file} has been changed meanwhile; nothing was written. Call `hikkoshi accept` again.")
        after = before
        for guess in sorted(mine, key=lambda guess: guess.start, reverse=True):
            after = after[: guess.start] + after[guess.end :]
        _prove(file, before, after, {guess.name for guess in mine})
        bom = codecs.BOM_UTF8 if file.read_bytes().startswith(codecs.BOM_UTF8) else b""
        ready[file] = bom + after.encode()
    parts = {file: file.with_name(f".part-{os.getpid()}-{file.name}") for file in ready}
    try:
        for file, data in ready.items():
            parts[file].write_bytes(data)
            parts[file].chmod(file.stat().st_mode & 0o777)
        for file, part in parts.items():
            part.replace(file)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return tuple(ready)


def _shown(file: Path) -> str:
    """How positions call a mapping: by the municipality's folder and the system's."""
    return "/".join(file.parts[-3:])


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text; `hikkoshi check` says more") from None


def _guesses(file: Path, text: str, root: yaml.Node | None) -> Iterator[OpenGuess]:
    shown = _shown(file)
    for table, parts in _entries(_value(root, "tables")):
        for part in parts.value if isinstance(parts, yaml.SequenceNode) else [parts]:
            columns = _value(part, "columns")
            for name, spec in columns.value if isinstance(columns, yaml.MappingNode) else ():
                if not isinstance(spec, yaml.MappingNode):
                    continue
                for key, value in spec.value:
                    if key.value == "guessed" and isinstance(value, yaml.ScalarNode):
                        cut = _in_brackets if spec.flow_style else _on_lines
                        start, end = cut(text, key.start_mark.index, value.end_mark.index)
                        position = Position(shown, key.start_mark.line + 1, key.start_mark.column + 1)
                        around = _around(text, name.start_mark.line, start, end, spec.end_mark.index)
                        yield OpenGuess(file, position, f"{table}.{name.value}", value.value, around, start, end)


def _around(text: str, line: int, start: int, end: int, last: int) -> tuple[str, ...]:
    """A column as it stands without its guess: the comments above it, and its lines without those of the next column."""
    lines = text.splitlines()
    first = line
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    begins = sum(map(len, text.splitlines(keepends=True)[:line]))
    own = [each for each in (text[begins:start] + text[end:last]).splitlines() if each.strip()]
    while own and own[-1].lstrip().startswith("#"):
        own.pop()
    indent = len(lines[line]) - len(lines[line].lstrip())
    return tuple(each[indent:] if not each[:indent].strip() else each for each in (*lines[first:line], *own))


def _entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            yield key.value, value


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _entries(node) if key == name), None)


def _in_brackets(text: str, start: int, end: int) -> tuple[int, int]:
    """What must go so that an entry in braces is gone: the comma before it, or else the one behind, with it."""
    before = text[:start].rstrip(" \r\n")
    if before.endswith(","):
        return len(before) - 1, end
    behind = text[end:].lstrip(" ")
    return (start, len(text) - len(behind[1:].lstrip(" "))) if behind.startswith(",") else (start, end)


def _on_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """What must go so that an entry on lines of its own is gone; a comment behind it stays."""
    line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    if text[end - 1] in "\r\n":
        # A block scalar ends where the next line begins.
        return line, end
    stop = min((at for at in (text.find("\n", end), text.find("\r", end)) if at >= 0), default=len(text))
    if comment := text[end:stop].lstrip(" "):
        return start, stop - len(comment)
    return line, stop + (2 if text[stop : stop + 2] == "\r\n" else 1)


def _prove(file: Path, before: str, after: str, names: set[str]) -> None:
    """What is left says what was said before, but for the guesses."""
    try:
        new = read_yaml(after, file.name)[0]
    except SpecError:
        new = None
    if new != _without(read_yaml(before, file.name)[0], names):
        listed = ", ".join(sorted(names))
        raise UsageError(f"{file}: the guesses cannot be taken out by themselves ({listed}); nothing was written")


def _without(data: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    def part(table: str, said: Mapping[str, Any]) -> dict[str, Any]:
        columns = {
            name: {k: v for k, v in column.items() if k != "guessed"}
            if f"{table}.{name}" in names and isinstance(column, dict)
            else column
            for name, column in said.get("columns", {}).items()
        }
        return {**said, "columns": columns}

    tables = {
        table: [part(table, one) for one in parts] if isinstance(parts, list) else part(table, parts)
        for table, parts in data["tables"].items()
    }
    return {**data, "tables": tables}
