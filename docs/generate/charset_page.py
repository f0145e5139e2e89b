"""docs/reference/charsets.md: each charset with its areas, counts, shift codes, exceptions and provenance."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from extractors.charsets import CHARSETS, load
from extractors.charsets import __name__ as package
from extractors.charsets import _gaiji as gaiji
from extractors.charsets import _jis as jis
from extractors.charsets import _mojijoho as mojijoho
from extractors.charsets import _repertoire as repertoire
from extractors.charsets._inventory import AreaCount, Inventory, span, spans, take_inventory
from extractors.charsets._policies import OPTIONS
from extractors.charsets.contract import CharacterClass, Charset, CharsetFamily
from extractors.table_files import TABLE_FILES

REASONS = {
    "exchanged": "exchanged between level 1 and level 2 in 1983",
    "moved": "moved to row 84 in 1983",
    "form": "its 1978 form has a code point of its own",
    "symbol": "the vendor has the two the other way round",
    "glyph": "by appearance only (`forms` face)",
}


def page() -> list[str]:
    """The lines of the page."""
    lines = [
        "# Charsets",
        "",
        "Each code of a charset (65,536 pairs, 256 single bytes) reads as a character, a sequence of characters, a "
        "private-use character (a gaiji) or as undefined: U+FFFD and a finding with the code. What is assigned is written "
        "back as the same code, but for the codes listed as written otherwise or, where a field may hold both, as a single byte.",
        "",
        "How broken text is read: docs of the usage [mixed](reader.md#mixed). The same from the command line, with options "
        "and table files applied: `hikkoshi charset show NAME`.",
        "",
        "## Policies",
        "",
        "Options that every charset with a table takes.",
        "",
        "| option | what |",
        "|---|---|",
        *(f"| `{name}` | {what} |" for name, what in OPTIONS.items()),
        "",
        "## Table files",
        "",
        "Forms of the files that `table` names; told apart by what they hold. `hikkoshi charset convert` turns one into "
        "another.",
        "",
    ]
    for form in TABLE_FILES:
        lines += [f"### {form.name}", "", form.doc.strip(), ""]
        lines += [f"- `{name}`: {what}" for name, what in form.options.items()]
        lines += [""] if form.options else []
    lines += [
        "## Gaiji tables",
        "",
        str(gaiji.__doc__).strip(),
        "",
        "## Repertoires",
        "",
        str(repertoire.__doc__).strip(),
        "",
        "## MJ names",
        "",
        str(mojijoho.__doc__).strip(),
        "",
    ]
    for family in CHARSETS:
        lines += _family(family)
    return lines


def _family(family: CharsetFamily) -> Iterator[str]:
    yield f"## {family.name}"
    yield ""
    yield str(sys.modules[f"{package}.{family.name}"].__doc__).strip()
    yield ""
    own = {name: what for name, what in family.options.items() if OPTIONS.get(name) != what}
    if own:
        yield from ("| option | what |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in own.items()), "")
    made = {title: load(family.name, options, Path()) for title, options in family.profiles.items()}
    counted = {title: take_inventory(charset) for title, charset in made.items()}
    yield "| | shift codes | single bytes | assigned pairs | user-defined | undefined | written otherwise |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for title, charset in made.items():
        yield _row(title, charset, counted[title])
    yield ""
    for titles, found in _alike(counted, lambda found: found.areas):
        yield from _areas(titles, found)
    for titles, found in _alike(counted, lambda found: (found.one_way, found.narrow)):
        yield from _one_way(titles, found)
    yield from _exceptions(family.name)


def _alike(counted: Mapping[str, Inventory], key: Callable[[Inventory], object]) -> Iterator[tuple[str, Inventory]]:
    """The profiles that agree in something, together."""
    met: list[tuple[object, list[str], Inventory]] = []
    for title, found in counted.items():
        same = next((titles for value, titles, _ in met if value == key(found)), None)
        if same is None:
            met.append((key(found), [title], found))
        else:
            same.append(title)
    for _, titles, found in met:
        yield ", ".join(titles), found


def _row(title: str, charset: Charset, found: Inventory) -> str:
    shifts = [f"{s.code.hex().upper()} {'to pairs' if s.double else 'back'}" for s in charset.shifts]
    leads = [f"{span(charset.leads)} begin a character"] if charset.leads else []
    single = found.single.get(CharacterClass.STANDARD, 0)
    assigned = sum(area.assigned for area in found.areas)
    beyond = len(charset.double) - 65536
    undefined = found.double.get(CharacterClass.UNDEFINED, 0)
    if charset.usage:
        words = f"{found.double.get(CharacterClass.STANDARD, 0):,} scalars"
    elif beyond:
        third = sum(n for kind, n in found.double.items() if kind != CharacterClass.UNDEFINED) - assigned
        words = f"{assigned:,} and {third:,} of three bytes"
        undefined = 65536 - assigned
    else:
        words = f"{assigned:,}"
    user = found.double.get(CharacterClass.USER_DEFINED, 0)
    text = "; ".join([*shifts, *leads]) or "none"
    return f"| {title} | {text} | {single} | {words} | {user:,} | {undefined:,} | {len(found.one_way)} |"


def _areas(title: str, found: Inventory) -> Iterator[str]:
    if not found.areas:
        return
    yield f"Areas of {title}:"
    yield ""
    yield "| area | first bytes | second bytes | codes | assigned | user-defined | undefined | table from |"
    yield "|---|---|---|--:|--:|--:|--:|---|"
    for count in found.areas:
        yield _area(count)
    yield ""


def _area(count: AreaCount) -> str:
    kinds = count.classes
    numbers = f"{count.codes:,} | {count.assigned:,} | {kinds.get(CharacterClass.USER_DEFINED, 0):,}"
    undefined = kinds.get(CharacterClass.UNDEFINED, 0)
    if count.area is None:
        return f"| single codes outside | | | {numbers} | {undefined:,} | this charset |"
    area = count.area
    return f"| {area.name} | {span(area.lead)} | {span(area.low)} | {numbers} | {undefined:,} | {area.source} |"


def _one_way(title: str, found: Inventory) -> Iterator[str]:
    if found.one_way:
        yield f"{title}, written otherwise ({len(found.one_way):,}): {', '.join(spans(found.one_way))}."
        yield ""
    if found.narrow:
        yield (
            f"{title}, written as a single byte in text of both, for that has the character, too ({len(found.narrow):,}): "
            f"{', '.join(spans(found.narrow))}."
        )
        yield ""


def _listed(codes: Mapping[str, str]) -> str:
    return ", ".join(f"{code} as {written}" for code, written in codes.items())


def _exceptions(name: str) -> Iterator[str]:
    vendors = {"fujitsu": ("jef",), "hitachi": ("keis78",), "nec": ("jips",)}.get(name, ())
    for vendor in vendors:
        rows = jis.exceptions(vendor, glyphs=True)
        by_reason: dict[str, list[str]] = {}
        for code, (character, reason) in rows.items():
            shown = code - jis.GR if vendor == "jips" else code
            by_reason.setdefault(reason, []).append(f"{shown:04X} {character}")
        yield f"Exceptions of the standard area against JIS X 0208:1990 ({vendor.upper()}):"
        yield ""
        for reason, codes in by_reason.items():
            yield f"- {len(codes)} {REASONS[reason]}: {', '.join(codes)}"
        yield ""
