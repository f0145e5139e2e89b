"""Fujitsu COBOL85 and NetCOBOL.

PIC S9(10) COMP SYNC  ->  a four-byte boundary        PIC S9(4) COMP-5  ->  little-endian
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect, sources

_MEASURED = "files that Fujitsu's compiler wrote, in the test data of JRecord (CobolTestData, fjCompSync, fjComp5Sync)"
_ALIKE = "not verified from a manual of the maker; taken as on the IBM-compatible mainframe (MSP)"

DIALECT = Dialect(
    name="fujitsu",
    title="Fujitsu COBOL85, NetCOBOL",
    sources=sources(
        _ALIKE,
        binary_sizes=_MEASURED,
        binary_order=_MEASURED,
        comp_5_order=_MEASURED + "; a file from MSP or XSP itself would be big-endian: say so with the option",
        sync_long=_MEASURED,
        national="PIC N is national in JEF, two bytes a character; USAGE NATIONAL is taken for the same",
        national_order="NetCOBOL: UTF-16 only where a program was compiled for Unicode; not verified",
        plain_n="PIC N is JEF, two bytes a character, unless a program was compiled for Unicode",
        ascii_signs="JRecord, which reads files of Fujitsu's compilers for Windows and UNIX: zone 4 plus, zone 5 minus",
    ),
    comp_5_order="little",
    ascii_signs="fujitsu",
)
