"""Hitachi COBOL85 on VOS3 and COBOL2002.

PIC S9(10) COMP SYNC  ->  a fullword boundary        COMP-1  ->  hexadecimal floating point
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect, sources

_ALIKE = "not verified from a manual of the maker; taken as on the IBM-compatible mainframe (VOS3)"

DIALECT = Dialect(
    name="hitachi",
    title="Hitachi COBOL85 (VOS3), COBOL2002",
    sources=sources(
        _ALIKE,
        national="PIC N is KEIS, two bytes a character; USAGE NATIONAL is taken for the same",
        plain_n="PIC N is KEIS, two bytes a character",
    ),
)
