r"""ICU's .ucm (ICU User Guide, "Conversion Data"): a line a mapping between CHARMAP and END CHARMAP.

    <U4E9C> \xB0\xA1 |0
    <U304B>+<U309A> \xEC\xB5 |0

The flag is |0 both ways, |1 from Unicode only, |3 to Unicode only. |2 (a substitution character) is left out, and |4, one
way from Unicode, is |1. # begins a comment; the header is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from extractors.table_files.contract import Direction, Mapped, Report, TableFile, TableForm

_LINE = re.compile(
    r"((?:<U[0-9A-Fa-f]{4,6}>\+?){1,8})\s+((?:\\x[0-9A-Fa-f]{2}\+?){1,8})\s*(?:\|([0-4]))?\s*(?:#\s*(.*))?"
)
_SUBSTITUTION = {1: "\\x3F", 2: "\\xFE\\xFE"}
"""What a converter writes for a character that has no code: SUB, and IBM's FEFE."""

_FLAGS = {"0": 0, "1": 1, "3": 3, "4": 1}


def read(text: str, _: Mapping[str, str], report: Report) -> Iterator[Mapped]:
    """Read the mappings of a file."""
    within = False
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped in ("CHARMAP", "END CHARMAP"):
            within = stripped == "CHARMAP"
            continue
        if not within or not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            report(number, "not a mapping of a .ucm file", "<U4E9C> \\xB0\\xA1 |0")
            continue
        points = [int(word, 16) for word in re.findall(r"<U([0-9A-Fa-f]+)>", match[1])]
        data = bytes(int(word, 16) for word in re.findall(r"\\x(..)", match[2]))
        if match[3] == "2":
            continue
        if len(data) > 3 or any(point > 0x10FFFF or 0xD800 <= point < 0xE000 for point in points):
            report(number, "a code of more than three bytes, or no Unicode scalar", "<U4E9C> \\xB0\\xA1 |0")
            continue
        direction = Direction(_FLAGS[match[3] or "0"])
        yield Mapped(int.from_bytes(data), len(data), "".join(map(chr, points)), direction, match[4] or "", number)
    if within:
        report(max(number, 1), "the file ends before END CHARMAP; it may be cut", "END CHARMAP")


def write(table: TableFile) -> tuple[str, Mapping[str, int]]:
    """Write a file that ICU's makeconv reads; of codes of three bytes its header would have to tell the states, too."""
    lengths = {row.length for row in table.mappings} or {2}
    kinds = {frozenset({1}): "SBCS", frozenset({2}): "DBCS", frozenset({1, 2}): "EBCDIC_STATEFUL"}
    title = re.sub(r"[^A-Za-z0-9_.-]", "_", table.title or "hikkoshi_table")
    lines = [
        f'<code_set_name> "{title}"',
        f'<uconv_class> "{kinds.get(frozenset(lengths), "MBCS")}"',
        f"<mb_cur_max> {max(lengths)}",
        f"<mb_cur_min> {min(lengths)}",
        f"<subchar> {_SUBSTITUTION[min(max(lengths), 2)]}",
        "CHARMAP",
    ]
    for row in table.mappings:
        points = "+".join(f"<U{ord(c):04X}>" for c in row.text)
        data = "".join(f"\\x{byte:02X}" for byte in row.code.to_bytes(row.length))
        lines.append(f"{points} {data} |{int(row.direction)}" + (f" # {row.comment}" if row.comment else ""))
    return "\n".join([*lines, "END CHARMAP", ""]), {}


FORM = TableForm(
    "ucm", __doc__ or "", {}, lambda head: "<code_set_name>" in head or "\nCHARMAP" in f"\n{head}", read, write
)
