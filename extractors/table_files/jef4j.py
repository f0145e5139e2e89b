"""The JSON mapping tables that the open library jef4j publishes: a list of objects, one a code.

    [{ "code": "41A5", "unicode": "4E08", "hd": "E0103", "aj1": "E0101", "text": "...", "options": ["oneway"] }]

`hd` and `aj1` are variation selectors of the collections Hanyo-Denshi (which are Moji_Joho's, too) and Adobe-Japan1: the
option `selectors` chooses hd (the default), aj1 or none. `sp` is a combining mark. decode_only and encode_only are
directions; oneway is to Unicode only, but with the selector that makes it distinct both ways; a second entry of a code, for
its compatibility ideograph (cjk_ci), is from Unicode only; unmappable is left out.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from extractors.table_files.contract import (
    Direction,
    Mapped,
    Report,
    TableFile,
    TableForm,
    hexadecimal,
    is_selector,
    parse_code,
    parse_scalar,
)


def read(text: str, options: Mapping[str, str], report: Report) -> Iterator[Mapped]:
    """Read the objects of a file; each stands on a line of its own in the published ones, so places are their lines."""
    chosen = options.get("selectors", "hd")
    if chosen not in ("hd", "aj1", "none"):
        report(1, f"unknown selectors `{chosen[:20]}`", "hd", "aj1", "none")
        return
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        report(
            getattr(error, "lineno", 1), f"no JSON ({getattr(error, 'msg', 'nested too deep')})", "a list of objects"
        )
        return
    if not isinstance(rows, list):
        report(1, "no list of mappings", "a list of objects with code and unicode")
        return
    met: set[tuple[int, int]] = set()
    lines = [number for number, line in enumerate(text.splitlines(), 1) if '"code"' in line]
    for number, row in enumerate(rows):
        line = lines[number] if len(lines) == len(rows) else 1
        mapped = _mapped(row, chosen, line)
        if mapped is None:
            report(line, f"entry {number + 1} is no mapping", '{"code": "41A5", "unicode": "4E08", "options": []}')
        elif mapped.text:
            again = (mapped.code, mapped.length) in met and "cjk_ci" in row.get("options", [])
            met.add((mapped.code, mapped.length))
            yield dataclasses.replace(mapped, direction=Direction.FROM_UNICODE) if again else mapped


def _mapped(row: Any, chosen: str, line: int) -> Mapped | None:
    """One mapping; with an empty text where it says that there is none; None where it is none."""
    if not isinstance(row, dict):
        return None
    flags = row.get("options", [])
    code = parse_code(str(row.get("code") or row.get("ebcdic") or ""))
    words = str(row.get("unicode", "")).split("_")
    scalars = [parse_scalar(word) for word in words]
    selector = parse_scalar(str(row[chosen])) if chosen in row else ""
    mark = parse_scalar(str(row["sp"])) if "sp" in row else ""
    if code is None or None in scalars or selector is None or mark is None or not isinstance(flags, list):
        return None
    if "unmappable" in flags or scalars == ["\ufffd"]:
        return Mapped(*code, "", line=line)
    direction = Direction.ROUND_TRIP
    if "encode_only" in flags:
        direction = Direction.FROM_UNICODE
    elif "decode_only" in flags or "irreversible" in flags or ("oneway" in flags and not selector):
        direction = Direction.TO_UNICODE
    return Mapped(*code, "".join(map(str, scalars)) + mark + selector, direction, line=line)


def write(table: TableFile) -> tuple[str, Mapping[str, int]]:
    """Write the objects, a line each."""
    flags = {Direction.ROUND_TRIP: [], Direction.FROM_UNICODE: ["encode_only"], Direction.TO_UNICODE: ["decode_only"]}
    lines = []
    for row in table.mappings:
        selector = row.text[-1] if len(row.text) > 1 and is_selector(row.text[-1]) else ""
        base = row.text[: len(row.text) - len(selector)]
        entry = {"code": hexadecimal(row.code, row.length), "unicode": "_".join(f"{ord(c):04X}" for c in base)}
        if selector:
            entry["hd"] = f"{ord(selector):X}"
        lines.append(json.dumps({**entry, "text": row.text, "options": flags[row.direction]}, ensure_ascii=False))
    comments = sum(bool(row.comment) for row in table.mappings)
    return "[\n" + ",\n".join(lines) + "\n]\n", {"comments": comments} if comments else {}


FORM = TableForm(
    "jef4j",
    __doc__ or "",
    {"selectors": "variation selectors to take: hd, aj1 or none (hd)"},
    lambda head: head.lstrip().startswith("["),
    read,
    write,
)
