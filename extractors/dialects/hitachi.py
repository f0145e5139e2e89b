"""Hitachi COBOL85 on VOS3 and COBOL2002.

PIC S9(10) COMP SYNC  ->  a fullword boundary        COMP-1  ->  hexadecimal floating point
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect

_ALIKE = "not verified from a manual of the maker; taken as on the IBM-compatible mainframe (VOS3)"

DIALECT = Dialect(
    name="hitachi",
    title="Hitachi COBOL85 (VOS3), COBOL2002",
    sources={
        "binary_sizes": _ALIKE,
        "binary_order": _ALIKE,
        "comp_5_order": _ALIKE,
        "sync_long": _ALIKE,
        "float_format": _ALIKE,
        "float_order": _ALIKE,
        "national": "PIC N is KEIS, two bytes a character; USAGE NATIONAL is taken for the same",
        "national_order": _ALIKE,
        "plain_n": "PIC N is KEIS, two bytes a character",
        "pointer_size": _ALIKE,
        "procedure_pointer_size": _ALIKE,
        "plus_signs": _ALIKE,
        "minus_signs": _ALIKE,
        "ascii_signs": _ALIKE,
    },
)
