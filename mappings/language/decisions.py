"""What people decided about candidates: CSV in the folder of a system, one line a pair, and what follows from the lines together.

    candidates,a,b,decision,keeps,reason,decided_by,decided_on
    same_person,0000001234,0000005678,same,0000001234,住民票で確認,住民課,2026-11-20
    same_person,0000001234,0000009999,different,,兄弟,住民課,2026-11-20

`same` may say which of the two numbers is kept; where no line of a group of numbers does, the least is. `later` leaves a pair
open, but says that somebody has looked. A line without a decision is withdrawn. Numbers are the source's own and stand as the
target has them; no name or other value of anybody belongs here.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, get_args

from migration_reports.trouble import Definition, Position, Problem, did_you_mean

FILE = "decisions/candidates.csv"
COLUMNS = ("candidates", "a", "b", "decision", "keeps", "reason", "decided_by", "decided_on")
KEY = COLUMNS[:3]
Kind = Literal["same", "different", "later"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """One line."""

    candidates: str
    a: str
    b: str
    kind: Kind
    keeps: str
    reason: str
    by: str
    on: str
    position: Position

    @property
    def pair(self) -> tuple[str, str]:
        """The numbers that it is about."""
        return self.a, self.b


@dataclasses.dataclass(frozen=True, slots=True)
class Settled:
    """What the decisions about one kind of candidates come to.

    Attributes:
        by_pair: what was decided about each pair.
        numbers: for each number that gave way, the number that stands for it.
        groups: for each number that is the same as another, the number that stands for the group.
        apart: the pairs of groups, or numbers, that were decided to be different.
    """

    by_pair: Mapping[tuple[str, str], Decision]
    numbers: Mapping[str, str]
    groups: Mapping[str, str]
    apart: frozenset[frozenset[str]]

    def follows(self, a: str, b: str) -> str:
        """What follows of a pair from decisions about others: same, different, or nothing."""
        first, second = self.groups.get(a, a), self.groups.get(b, b)
        if first == second and a in self.groups:
            return "same"
        return "different" if frozenset((first, second)) in self.apart else ""


NOTHING = Settled({}, {}, {}, frozenset())


def table_by(candidates: str) -> str:
    """Under which name the decisions about candidates stand among a system's code tables; no path is called so."""
    return f"resolved by {candidates}"


def read_decisions(text: str, shown: str, problems: list[Problem]) -> tuple[Decision, ...]:
    """Read the lines, each proved by itself.

    Args:
        text: the CSV.
        shown: how positions call the file.
        problems: is added to.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header: list[str] = []
    found: list[Decision] = []
    try:
        for row in rows:
            place = Position(shown, rows.line_num)
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
            if not header:
                header = [cell.strip().lower() for cell in row]
                if missing := [name for name in COLUMNS if name not in header]:
                    message = f"the first line names no column {', '.join(missing)}"
                    problems.append(Problem("Y115", place, message, COLUMNS))
                    return ()
                continue
            cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
            decision = _decision({name: cells.get(name, "") for name in COLUMNS}, place, problems)
            found.extend([decision] if decision is not None else [])
    except csv.Error as error:
        problems.append(Problem("Y115", Position(shown, rows.line_num), f"no CSV: {error}"))
    return tuple(found)


def _decision(cells: Mapping[str, str], place: Position, problems: list[Problem]) -> Decision | None:
    """A line; None where it has no decision, or cannot be used."""
    if not cells["decision"]:
        return None
    wrong = list(_wrong(cells))
    problems.extend(
        Problem("Y115", place, message, allowed, did_you_mean(cells["decision"], allowed)) for message, allowed in wrong
    )
    if wrong:
        return None
    kind = next(kind for kind in KINDS if kind == cells["decision"])
    candidates, a, b, _, keeps, reason, by, on = (cells[name] for name in COLUMNS)
    return Decision(candidates, a, b, kind, keeps, reason, by, on, place)


def _wrong(cells: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is wrong with the cells of a line, and what is allowed instead; no number is said, for it stands in the line."""
    if cells["decision"] not in KINDS:
        yield f"unknown decision `{cells['decision'][:20]}`", KINDS
    yield from ((f"a decision needs `{name}`", ()) for name in COLUMNS if not cells[name] and name != "keeps")
    if cells["a"] and cells["a"] == cells["b"]:
        yield "`a` and `b` are one number", ()
    if cells["keeps"] and cells["decision"] in ("different", "later"):
        yield "`keeps` is for the same person only", ("an empty cell",)
    elif cells["keeps"] not in ("", cells["a"], cells["b"]):
        yield "`keeps` is neither of the two numbers", ("the number of `a`", "the number of `b`", "an empty cell")
    if cells["decided_on"] and not _is_day(cells["decided_on"]):
        yield f"`{cells['decided_on'][:20]}` is no day", ("YYYY-MM-DD",)


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def settle(decisions: Iterable[Decision], *, between: bool, problems: list[Problem]) -> Settled:
    """Work out what the decisions about one kind of candidates come to.

    Args:
        decisions: about one kind.
        between: whether `a` are numbers of one table and `b` of another; `b` then stands for `a`.
        problems: what contradicts what is added.
    """
    lines = tuple(decisions)
    same = [line for line in lines if line.kind == "same"]
    by_pair: dict[tuple[str, str], Decision] = {}
    for line in lines:
        before = by_pair.setdefault(line.pair if between else _ordered(line.pair), line)
        if before is not line:
            defined = (Definition("the other line", before.position),)
            problems.append(Problem("Y115", line.position, "this pair is decided already", defined=defined))
    if between:
        return Settled(by_pair, _matched(same, problems), {}, frozenset())
    groups = groups_of(line.pair for line in same)
    stands = dict(_stand(same, groups, problems))
    named = {number: stands[first] for number, first in groups.items()}
    apart = set()
    for line in lines:
        a, b = named.get(line.a, line.a), named.get(line.b, line.b)
        if line.kind == "different" and a == b:
            _contradicts(line, _chain(line, same), "these two numbers follow to be the same from other lines", problems)
        elif line.kind == "different":
            apart.add(frozenset((a, b)))
    return Settled(by_pair, {n: s for n, s in named.items() if n != s}, named, frozenset(apart))


def _ordered(pair: tuple[str, str]) -> tuple[str, str]:
    """The numbers of a pair of one table, as they are found."""
    return min(pair), max(pair)


def _matched(same: Sequence[Decision], problems: list[Problem]) -> Mapping[str, str]:
    """For each number of the one table that of the other; no number is two."""
    first: dict[str, Decision] = {}
    for line in same:
        before = first.setdefault(line.a, line)
        if line.keeps == line.a:
            message = "`keeps` names the number that is looked up; the other table's number stands for it"
            problems.append(Problem("Y117", line.position, message, ("the number of `b`", "an empty cell")))
        if before.b != line.b:
            _contradicts(line, [before], "number `a` is the same as two numbers of the other table", problems)
    return {number: line.b for number, line in first.items()}


def groups_of(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """For each number the least of its group: those that are joined by pairs, however many are between them."""
    parents: dict[str, str] = {}

    def root(number: str) -> str:
        while parents.setdefault(number, number) != number:
            parents[number] = number = parents[parents[number]]
        return number

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parents[high] = low
    return {number: root(number) for number in tuple(parents)}


def _stand(same: Sequence[Decision], groups: Mapping[str, str], problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """For each group, called by its least number, the number that stands for it."""
    kept: dict[str, dict[str, Decision]] = {}
    gave_way: set[str] = set()
    for line in same:
        if line.keeps:
            kept.setdefault(groups[line.a], {}).setdefault(line.keeps, line)
            gave_way.add(line.b if line.keeps == line.a else line.a)
    for group in dict.fromkeys(groups.values()):
        of_group = kept.get(group, {})
        left = [number for number in of_group if number not in gave_way]
        if of_group and len(left) != 1:
            lines = list(of_group.values())
            message = (
                "of one group of numbers two are kept" if left else "of one group of numbers each gives way to another"
            )
            _contradicts(lines[-1], lines[:-1], message, problems)
        yield group, left[0] if len(left) == 1 else group


def _chain(line: Decision, same: Sequence[Decision]) -> list[Decision]:
    """The lines by which the two numbers of a line are the same."""
    beside: dict[str, list[tuple[str, Decision]]] = {}
    for one in same:
        beside.setdefault(one.a, []).append((one.b, one))
        beside.setdefault(one.b, []).append((one.a, one))
    ways: dict[str, list[Decision]] = {line.a: []}
    waiting = [line.a]
    for number in waiting:
        for other, by in beside.get(number, ()):
            if other not in ways:
                ways[other] = [*ways[number], by]
                waiting.append(other)
    return ways.get(line.b, [])


def _contradicts(line: Decision, others: Sequence[Decision], message: str, problems: list[Problem]) -> None:
    defined = tuple(Definition("the other line", other.position) for other in others[:5])
    hint = (
        "withdraw one of the lines, or name one number in `keeps`" if "kept" in message else "withdraw one of the lines"
    )
    problems.append(Problem("Y117", line.position, message, (), hint, defined))
