"""Micro Focus COBOL with its own defaults (no IBMCOMP), on a little-endian machine.

PIC S9(6) COMP  ->  three bytes        PIC 9(7) COMP-X  ->  three bytes        COMP-5  ->  little-endian
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect, sources

_MANUAL = "Micro Focus Language Reference, USAGE clause: storage of COMP without the directive IBMCOMP"
_OPEN = "not verified"

DIALECT = Dialect(
    name="microfocus",
    title="Micro Focus COBOL",
    sources=sources(
        _OPEN,
        binary_sizes=_MANUAL,
        binary_order=_MANUAL,
        comp_5_order="Micro Focus Language Reference: COMP-5 has the machine's own byte order",
        sync_long="Micro Focus Language Reference: SYNCHRONIZED has no effect without IBMCOMP; " + _OPEN,
        float_format="Micro Focus Language Reference: IEEE 754; " + _OPEN,
        national="Micro Focus Language Reference, NSYMBOL: DBCS unless told otherwise; " + _OPEN,
        plain_n="Micro Focus Language Reference, NSYMBOL: DBCS unless told otherwise; " + _OPEN,
        pointer_size="four bytes on 32-bit targets; " + _OPEN,
        procedure_pointer_size="Micro Focus Language Reference, PROCEDURE-POINTER: at least four bytes; " + _OPEN,
        ascii_signs="Micro Focus Language Reference: pqrstuvwxy for minus; " + _OPEN,
    ),
    binary_sizes="1-8",
    comp_5_order="little",
    sync_long=1,
    procedure_pointer_size=4,
    float_format="ieee",
    float_order="little",
)
