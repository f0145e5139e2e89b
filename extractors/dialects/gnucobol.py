"""GnuCOBOL with its default configuration, on a little-endian machine.

PIC S9(2) COMP  ->  one byte        PIC S9(10) COMP SYNC  ->  an eight-byte boundary        COMP-5  ->  little-endian
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect, sources

_RUN = "GnuCOBOL 3.1.2, -std=default: tests/oracles/gnucobol, run and its output kept"

DIALECT = Dialect(
    name="gnucobol",
    title="GnuCOBOL 3, -std=default",
    sources=sources(
        _RUN,
        binary_sizes=_RUN + "; binary-size: 1-2-4-8",
        binary_order=_RUN + "; binary-byteorder: big-endian",
        national_order="NATIONAL is only partly implemented in GnuCOBOL 3; not verified",
        plain_n="GnuCOBOL 3 takes PIC N for NATIONAL, which it implements in part; not verified",
        procedure_pointer_size="as POINTER: eight bytes on a 64-bit machine; not verified",
        plus_signs=_RUN + "; C and F are written",
        minus_signs=_RUN + "; D is written",
        ascii_signs=_RUN + "; digits for plus and pqrstuvwxy for minus are written",
    ),
    binary_sizes="1-2-4-8",
    comp_5_order="little",
    sync_long=8,
    float_format="ieee",
    float_order="little",
    national="utf-16",
    plain_n="national",
    pointer_size=8,
)
