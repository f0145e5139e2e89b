"""Code sets, shared by all systems: コード構成表 (`code_sets.csv`, one line a set) and a sheet of codes each.

    code_set,ja,en,open,source
    sex,性別,sex,,住民記録システム標準仕様書 第1.0版 第3章

    code,ja,en,valid_from,valid_to,source
    1,男,male,,,

A time is a day, YYYY-MM-DD, and both days are included; an empty one has no end. One code may stand on several lines whose
times do not overlap. An open set is completed by each municipality's own list, and may hold no code here.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from migration_reports.codes import Code, CodeSet
from migration_reports.trouble import Problem
from target_schemas.csv_sheets import DAY, Row, read_rows, read_text

INDEX = "code_sets.csv"
SETS = ("code_set", "ja", "en", "open", "source")
CODES = ("code", "ja", "en", "valid_from", "valid_to", "source")
PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "S020": "a code set that is not listed, listed twice, or without its file",
        "S021": "a code that stands twice, or whose time ends before it begins",
        "S044": "a code of a municipality's own that the shared set has, too, or that does not fit its items",
    }
)
"""What each problem code of code sheets means."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def read_code_sets(folder: Path, problems: list[Problem]) -> Mapping[str, CodeSet]:
    """Read every code set of a folder."""
    text = read_text(folder / INDEX, f"{folder.name}/{INDEX}", problems)
    rows = () if text is None else read_rows(text, f"{folder.name}/{INDEX}", SETS, ("code_set", "ja", "en"), problems)
    made: dict[str, CodeSet] = {}
    for row in rows:
        name = row["code_set"]
        if not NAME.fullmatch(name):
            allowed = ("a small Latin letter, then such letters, digits and _",)
            problems.append(Problem("S003", row.at("code_set"), f"`{name[:60]}` is no name of a code set", allowed))
        elif name in made:
            problems.append(Problem("S020", row.at("code_set"), f"code set `{name}` stands twice"))
        else:
            made[name] = _set(folder, row, problems)
    listed = {row["code_set"] for row in rows} | {Path(INDEX).stem}
    if rows:
        for file in sorted(folder.glob("*.csv")):
            if file.stem not in listed:
                hint = f"add a line for `{file.stem}` to {INDEX}"
                problems.append(Problem("S020", rows[-1].at(), f"{file.name} is not listed", hint=hint))
    return made


def _set(folder: Path, row: Row, problems: list[Problem]) -> CodeSet:
    name, is_open = row["code_set"], row["open"] == "1"
    if row["open"] not in ("", "1"):
        problems.append(Problem("S003", row.at("open"), f"`{row['open'][:20]}` is not allowed", ("1", "an empty cell")))
    if not (folder / f"{name}.csv").is_file():
        if not is_open:
            problems.append(
                Problem("S020", row.at("code_set"), f"there is no {name}.csv", hint="write its codes there")
            )
        return CodeSet(name, row["ja"], row["en"], (), is_open)
    shown = f"{folder.name}/{name}.csv"
    text = read_text(folder / f"{name}.csv", shown, problems)
    codes = () if text is None else read_codes(text, shown, problems)
    return CodeSet(name, row["ja"], row["en"], codes, is_open)


def read_own_codes(
    shared: CodeSet, text: str, shown: str, problems: list[Problem], *, fits: Callable[[str], str]
) -> CodeSet:
    """Read a municipality's own codes of an open set.

    Args:
        shared: the set.
        text: the CSV.
        shown: how positions call the file.
        problems: is added to.
        fits: what is wrong with a code beside the items that hold it; empty where nothing is.
    """

    def wrong(code: Code) -> str:
        known = "is one of the shared set already: leave the line out" if _twice(code, shared.codes) else ""
        return known or fits(code.code)

    return dataclasses.replace(shared, codes=read_codes(text, shown, problems, wrong=wrong))


def _anything(_: Code) -> str:
    return ""


def read_codes(
    text: str, shown: str, problems: list[Problem], *, wrong: Callable[[Code], str] = _anything
) -> tuple[Code, ...]:
    """Read a sheet of codes.

    Args:
        text: the CSV.
        shown: how positions call the file.
        problems: is added to.
        wrong: what else is wrong with a code; empty where nothing is.
    """
    codes: list[Code] = []
    for row in read_rows(text, shown, CODES, ("code", "ja"), problems):
        for column in ("code", "ja"):
            if not row[column]:
                problems.append(Problem("S003", row.at(column), f"a code needs its `{column}`"))
        days = {column: row[column] for column in ("valid_from", "valid_to")}
        for column, day in days.items():
            if day and not is_day(day):
                problems.append(Problem("S003", row.at(column), f"`{day[:20]}` is no day", ("YYYY-MM-DD",)))
        first, last = (day.replace("-", "") for day in days.values())
        code = Code(row["code"], row["ja"], row["en"], first, last, row["source"])
        if last and first > last:
            problems.append(Problem("S021", row.at("valid_to"), f"code `{code.code[:20]}` ends before it begins"))
        elif _twice(code, codes):
            hint = "say from when to when each line holds" if not (first or last) else ""
            problems.append(
                Problem("S021", row.at("code"), f"code `{code.code[:20]}` stands twice for some time", hint=hint)
            )
        elif said := wrong(code):
            problems.append(Problem("S044", row.at("code"), f"code `{code.code[:20]}` {said}"))
        codes.append(code)
    return tuple(codes)


def _twice(code: Code, others: Iterable[Code]) -> bool:
    return any(
        other.code == code.code and other.holds(code.valid_from, code.valid_to or "99999999") for other in others
    )


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, YYYY-MM-DD."""
    if not DAY.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True
