"""Dialects: one file a compiler family, each the rules that settle where fields lie and what their bytes mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from extractors.dialects import fujitsu, gnucobol, hitachi, ibm, microfocus, nec
from extractors.dialects.contract import Dialect
from extractors.options import choose
from migration_reports.findings import Position, Problem, SpecError

DIALECTS: tuple[Dialect, ...] = (
    fujitsu.DIALECT,
    gnucobol.DIALECT,
    hitachi.DIALECT,
    ibm.DIALECT,
    microfocus.DIALECT,
    nec.DIALECT,
)

DEFAULT = ibm.DIALECT


def usual(charset: str) -> str:
    """The dialect where none is said: that of the charset's maker; ibm for a charset that is no compiler maker's."""
    return charset if any(charset == dialect.name for dialect in DIALECTS) else DEFAULT.name


_NIBBLES = frozenset("ABCDEF")
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "binary_sizes": ("2-4-8", "1-2-4-8", "1-8"),
    "binary_order": ("big", "little"),
    "comp_5_order": ("big", "little"),
    "sync_long": ("1", "2", "4", "8"),
    "float_format": ("ibm", "ieee"),
    "float_order": ("big", "little"),
    "national": ("double-byte", "utf-16"),
    "national_order": ("big", "little"),
    "plain_n": ("display-1", "national"),
    "pointer_size": ("4", "8"),
    "procedure_pointer_size": ("4", "8"),
    "ascii_signs": ("ebcdic", "fujitsu"),
}


def load(name: str, options: Mapping[str, str]) -> Dialect:
    """Take a dialect by name, with the rules that a file has otherwise.

    Raises:
        SpecError: the name, a rule or its value is not known.
    """
    dialect = choose("dialect", name, DIALECTS, options)
    problems = []
    changes: dict[str, str | int] = {}
    for rule, text in options.items():
        if rule in _ALLOWED and text not in _ALLOWED[rule]:
            problems.append(Problem("L904", Position("(options)"), f"{rule} `{text[:20]}`", _ALLOWED[rule]))
        elif rule in ("plus_signs", "minus_signs"):
            if not text or not set(text.upper()) <= _NIBBLES:
                allowed = ("half bytes from A to F",)
                problems.append(Problem("L904", Position("(options)"), f"{rule} `{text[:20]}`", allowed))
            changes[rule] = text.upper()
        else:
            changes[rule] = int(text) if rule in ("sync_long", "pointer_size", "procedure_pointer_size") else text
    if problems:
        raise SpecError(problems)
    sources = {**dialect.sources, **dict.fromkeys(changes, "said of this dump")}
    changed = dataclasses.replace(dialect, sources=sources, **changes)  # type: ignore[arg-type]
    both = set(changed.plus_signs) & set(changed.minus_signs)
    if both:
        message = f"half byte {', '.join(sorted(both))} would be plus and minus"
        raise SpecError([Problem("L904", Position("(options)"), message)])
    return changed
