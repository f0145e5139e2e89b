"""NEC COBOL85 on ACOS-4.

PIC N(20)  ->  40 bytes of JIPS        PIC S9(9) COMP-3  ->  five bytes
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect, sources

_ALIKE = "not verified from a manual of the maker; taken as ibm"

DIALECT = Dialect(
    name="nec",
    title="NEC COBOL85 (ACOS-4)",
    sources=sources(
        _ALIKE,
        national="PIC N is JIPS, two bytes a character; USAGE NATIONAL is taken for the same",
        plain_n="PIC N is JIPS, two bytes a character",
    ),
)
