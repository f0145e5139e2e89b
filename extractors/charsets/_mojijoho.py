"""Names of 文字情報基盤 (MJ) and the text of each, from a file that the municipality has.

The data are the IPA's, licensed CC BY-SA 2.1 JP, and are not part of this project: whoever uses them names the IPA and that
licence. These forms are read, told apart by what they hold:

- `Unihan_OtherMappings.txt` of Unicode (property kMojiJoho: ``U+3402 kMojiJoho MJ000001:E0101 MJ000002``)
- CSV of the list of MJ characters (MJ文字図形名, 実装したUCS, 実装したMoji_JohoコレクションIVS), or with columns mj and kanji
- a SQLite database with a table `mji` of those columns (the npm package @mandel59/mojidata)
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from extractors.table_files.contract import MAX_BYTES, parse_scalar
from migration_reports.findings import Position, Problem, SpecError

NAME, UCS, IVS = "MJ文字図形名", "実装したUCS", "実装したMoji_JohoコレクションIVS"
_MJ = re.compile(r"MJ[0-9]{6}")
_MAX_DATABASE = 2_000_000_000


def read_mj(path: Path) -> Mapping[str, str]:
    """The text of each MJ name, with its variation selector where that is what makes it this glyph.

    Raises:
        SpecError: the file cannot be read, or holds no MJ names.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
        size = path.stat().st_size
        if head.startswith(b"SQLite format 3\0") and size <= _MAX_DATABASE:
            found = dict(_pairs(_database(path)))
        elif size > MAX_BYTES:
            raise SpecError([_problem(path, f"the MJ data are larger than {MAX_BYTES:,} bytes")])
        else:
            text = path.read_bytes().decode("utf-8-sig")
            found = dict(_unihan(text) if "kMojiJoho" in text else _pairs(_table(text)))
    except (OSError, UnicodeDecodeError, sqlite3.Error, csv.Error) as error:
        raise SpecError([_problem(path, f"the MJ data cannot be read ({type(error).__name__})")]) from None
    if not found:
        raise SpecError([_problem(path, "no names of 文字情報基盤 were found")])
    return MappingProxyType(found)


def _problem(path: Path, message: str) -> Problem:
    hint = "name Unicode's Unihan_OtherMappings.txt, a CSV with MJ文字図形名 and 実装したUCS, or mojidata's database"
    return Problem("L932", Position(str(path)), message, (), hint)


def _unihan(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        words = line.split()
        if len(words) > 2 and words[1] == "kMojiJoho" and re.fullmatch(r"U\+[0-9A-F]{4,6}", words[0]):
            base = chr(int(words[0][2:], 16))
            for word in sorted(words[2:], key=len, reverse=True):
                # A name that stands alone, too, is the form that the character has without a selector.
                name, _, selector = word.partition(":")
                if _MJ.fullmatch(name) and re.fullmatch(r"[0-9A-F]{4,5}|", selector):
                    yield name, base + (chr(int(selector, 16)) if selector else "")


def _table(text: str) -> Iterable[tuple[str, str, str]]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    for row in rows:
        yield row.get(NAME) or row.get("mj") or "", row.get(UCS) or row.get("kanji") or "", row.get(IVS) or ""


def _database(path: Path) -> Iterable[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(mji)")}
        chosen = [f'"{column}"' if column in columns else "''" for column in (NAME, UCS, IVS)]
        yield from database.execute(f"SELECT {', '.join(chosen)} FROM mji")  # noqa: S608  the three names above


def _pairs(rows: Iterable[tuple[str, str, str]]) -> Iterable[tuple[str, str]]:
    for name, ucs, ivs in rows:
        if not _MJ.fullmatch(str(name or "")):
            continue
        text = _sequence(str(ucs or "")) or _sequence(str(ivs or "").split(";")[0])
        if text:
            yield str(name), text


def _sequence(cell: str) -> str:
    """The text of a cell: U+8FBB, 8FBB_E0102, or the character itself."""
    words = re.findall(r"[0-9A-Fa-f]{4,6}", cell.replace("U+", " ").replace("_", " "))
    if words and cell.isascii():
        scalars = [parse_scalar(word) for word in words]
        return "" if None in scalars else "".join(map(str, scalars))
    return cell.strip() if 0 < len(cell.strip()) <= 2 else ""
