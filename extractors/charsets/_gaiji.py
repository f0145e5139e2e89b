"""A municipality's gaiji table: what was decided about each of its user-defined, extended or undefined codes, and why.

A CSV file (UTF-8) with a header line. One line a code, the columns in any order; others are kept for people and not read:

    code        the code, four hexadecimal digits (EUC-JP's third byte before them, Unicode's five and six)
    decision    character (text is the character), mj (mj names it), substitute (text is a usual form in its place),
                private (it stays a private-use code, on purpose: an undefined code has none), or empty: not decided yet
    text        the character itself, or its scalars as U+8FBB U+E0102
    mj          the name in 文字情報基盤, such as MJ012345
    reason      why; decided_by: who; decided_on: when (YYYY-MM-DD)

A code without a decision stays a private-use character and a finding.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from extractors.charsets import _mojijoho as mojijoho
from extractors.table_files.contract import MAX_SCALARS, MAX_TEXT
from migration_reports.findings import Position, Problem, SpecError, did_you_mean

DECISIONS = ("character", "mj", "substitute", "private")
COLUMNS = ("code", "decision", "text", "mj", "reason", "decided_by", "decided_on")
MAX_BYTES = 16_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a code. `text` is empty where it stays in private use."""

    code: int
    kind: str
    text: str
    mj: str
    reason: str
    by: str
    on: str
    line: int


def read(path: Path, *, name: str, mj: Mapping[str, str]) -> Mapping[int, Decision]:
    """Read a gaiji table.

    Args:
        path: the file.
        name: how messages call it.
        mj: the text of each MJ name, from `read_mj_data`; needed where a decision names one.

    Returns:
        The decided codes only.

    Raises:
        SpecError: with every line that cannot be used.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError([Problem("L930", Position(name), f"the gaiji table is larger than {MAX_BYTES:,} bytes")])
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SpecError([Problem("L930", Position(name), f"cannot be read ({error.strerror})")]) from None
    except UnicodeDecodeError:
        raise SpecError(
            [Problem("L930", Position(name), "the gaiji table is not UTF-8", (), "save it as UTF-8")]
        ) from None
    return parse(text, name=name, mj=mj)


def parse(text: str, *, name: str, mj: Mapping[str, str]) -> Mapping[int, Decision]:
    """Read the text of a gaiji table; see `read`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=False)
    problems: list[Problem] = []
    found: dict[int, Decision] = {}
    lines: dict[int, int] = {}
    header: list[str] | None = None
    try:
        for row in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
            if header is None:
                header = [cell.strip().lower() for cell in row]
                missing = [column for column in ("code", "decision") if column not in header]
                if missing:
                    message = f"the first line names no column {' and no '.join(missing)}"
                    raise SpecError([Problem("L930", Position(name, line), message, COLUMNS)])
                continue
            cells = {column: cell.strip() for column, cell in zip(header, row, strict=False) if column in COLUMNS}
            decision, wrong = _decision(cells, line, mj)
            problems.extend(
                Problem(
                    "L930", Position(name, line), message, allowed, did_you_mean(cells.get("decision", ""), allowed)
                )
                for message, allowed in wrong
            )
            if decision is None:
                continue
            if decision.code in lines:
                message = f"code {decision.code:04X} is decided already on line {lines[decision.code]}"
                problems.append(Problem("L930", Position(name, line), message))
            lines[decision.code] = line
            found[decision.code] = decision
    except csv.Error as error:
        problems.append(Problem("L930", Position(name, reader.line_num), f"no CSV ({error})"))
    if problems:
        raise SpecError(problems)
    return MappingProxyType(found)


def _decision(
    cells: Mapping[str, str], line: int, mj: Mapping[str, str]
) -> tuple[Decision | None, list[tuple[str, tuple[str, ...]]]]:
    """The decision of a line, None where there is none, and what is wrong with it."""
    wrong: list[tuple[str, tuple[str, ...]]] = []
    code = cells.get("code", "").upper().removeprefix("0X")
    if not re.fullmatch(r"[0-9A-F]{4}|[1-9A-F][0-9A-F]{4,5}", code):
        return None, [(f"`{code[:20]}` is no code", ("four hexadecimal digits",))]
    kind = cells.get("decision", "").lower()
    if not kind:
        return None, []
    if kind not in DECISIONS:
        return None, [(f"unknown decision `{kind[:40]}`", DECISIONS)]
    text, problem = _text(cells.get("text", ""))
    if problem:
        wrong.append((problem, ("the character itself", "U+8FBB U+E0102")))
    named = cells.get("mj", "")
    if kind == "mj":
        if not mj:
            wrong.append((f"{named[:20] or 'an MJ name'} needs the MJ data: name their file as option `mj`", ()))
        elif named not in mj:
            wrong.append((f"`{named[:20]}` is not in the MJ data", ("a name such as MJ012345",)))
        else:
            text = mj[named]
    elif kind in ("character", "substitute") and not text and not problem:
        wrong.append((f"the decision `{kind}` needs a text", ("the character itself", "U+8FBB U+E0102")))
    elif kind == "private":
        text = ""
    for column, title in (("reason", "a reason"), ("decided_by", "who decided it")):
        if not cells.get(column):
            wrong.append((f"a decision needs {title} (column {column})", ()))
    on = cells.get("decided_on", "")
    if on:
        try:
            datetime.date.fromisoformat(on)
        except ValueError:
            wrong.append((f"decided_on `{on[:20]}` is no date", ("YYYY-MM-DD",)))
    if wrong:
        return None, wrong
    return Decision(int(code, 16), kind, text, named, cells["reason"], cells["decided_by"], on, line), []


def _text(cell: str) -> tuple[str, str]:
    """The text of a cell, written as itself or as scalars; and what is wrong with it."""
    if re.fullmatch(r"(U\+[0-9A-Fa-f]{4,6})([ +,]*U\+[0-9A-Fa-f]{4,6})*", cell):
        points = [int(word, 16) for word in re.findall(r"U\+([0-9A-Fa-f]{4,6})", cell)]
        if any(point > 0x10FFFF or 0xD800 <= point < 0xE000 for point in points):
            return "", f"`{cell[:40]}` is no Unicode scalar"
        cell = "".join(map(chr, points))
    if len(cell) > MAX_SCALARS or len(cell.encode()) > MAX_TEXT:
        return "", f"a text of {len(cell)} scalars is more than one character"
    if any(unicodedata.category(character) in ("Cc", "Cn", "Cs", "Co") for character in cell):
        return "", "the text holds a control, private-use or unassigned character"
    return cell, ""


def read_mj_data(folder: Path, file: str) -> Mapping[str, str]:
    """The text of each MJ name, from the data file that the municipality has.

    Raises:
        SpecError: it cannot be used.
    """
    return mojijoho.read_mj(folder / file)
