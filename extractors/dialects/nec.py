"""NEC COBOL85 on ACOS-4.

PIC N(20)  ->  40 bytes of JIPS        PIC S9(9) COMP-3  ->  five bytes
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect

_ALIKE = "not verified from a manual of the maker; taken as ibm"

DIALECT = Dialect(
    name="nec",
    title="NEC COBOL85 (ACOS-4)",
    sources={
        "binary_sizes": _ALIKE,
        "binary_order": _ALIKE,
        "comp_5_order": _ALIKE,
        "sync_long": _ALIKE,
        "float_format": _ALIKE,
        "float_order": _ALIKE,
        "national": "PIC N is JIPS, two bytes a character; USAGE NATIONAL is taken for the same",
        "national_order": _ALIKE,
        "plain_n": "PIC N is JIPS, two bytes a character",
        "pointer_size": _ALIKE,
        "procedure_pointer_size": _ALIKE,
        "plus_signs": _ALIKE,
        "minus_signs": _ALIKE,
        "ascii_signs": _ALIKE,
    },
)
