"""COMP, COMP-4, BINARY, COMP-5, COMP-X: a two's complement number of 1 to 16 bytes, the most significant byte first.

    00 05  ->  5        FF FB  ->  -5 (S9(4)), 65531 (9(4): more digits than the PICTURE, an alert)

The PICTURE says how many digits were meant; a value with more is kept and reported (a program compiled with TRUNC(BIN)
or COMP-5 may hold it). COMP-5 and COMP-X of eight bytes hold all that these can; another unsigned number of eight bytes
above 2**63 - 1 is no value, and one of sixteen above 38 digits likewise.
"""

from __future__ import annotations

from extractors.usages import _binary as binaries

USAGE = binaries.usage("binary", __doc__ or "", "big")
