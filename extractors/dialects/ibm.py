"""IBM Enterprise COBOL for z/OS, and what it inherited: the default beside a charset of no maker.

PIC S9(10) COMP SYNC  ->  a fullword boundary        COMP-1  ->  four bytes of hexadecimal floating point
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect

_LANGUAGE = "IBM Enterprise COBOL for z/OS, Language Reference"

DIALECT = Dialect(
    name="ibm",
    title="IBM Enterprise COBOL for z/OS",
    sources={
        "binary_sizes": f"{_LANGUAGE}, USAGE clause, BINARY: 2 bytes to 4 digits, 4 to 9, 8 to 18",
        "binary_order": f"{_LANGUAGE}, USAGE clause: two's complement, the first byte the most significant",
        "comp_5_order": "z/Architecture Principles of Operation: storage is big-endian",
        "sync_long": f"{_LANGUAGE}, SYNCHRONIZED clause: S9(5) to S9(18) on a fullword boundary",
        "float_format": f"{_LANGUAGE}, USAGE clause, COMP-1 and COMP-2: hexadecimal floating point",
        "float_order": "z/Architecture Principles of Operation: storage is big-endian",
        "national": f"{_LANGUAGE}, USAGE clause, NATIONAL: UTF-16",
        "national_order": f"{_LANGUAGE}, national data: CCSID 1200, big-endian",
        "plain_n": "double-byte, as Japanese programs were written; "
        + _LANGUAGE
        + ", NSYMBOL: NATIONAL unless told otherwise",
        "pointer_size": f"{_LANGUAGE}, USAGE clause, POINTER: four bytes (eight under LP(64))",
        "procedure_pointer_size": f"{_LANGUAGE}, USAGE clause, PROCEDURE-POINTER: eight bytes regardless of LP",
        "plus_signs": "z/Architecture Principles of Operation, decimal codes: A, C, E and F are plus",
        "minus_signs": "z/Architecture Principles of Operation, decimal codes: B and D are minus",
        "ascii_signs": "IBM's compilers know EBCDIC only: signs as a translation to ASCII leaves them, or as Micro Focus writes them",
    },
    national="utf-16",
)
