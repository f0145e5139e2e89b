"""COMP-5 and other binary numbers of a little-endian machine: the least significant byte first.

    05 00  ->  5        FB FF  ->  -5 (S9(4))

Otherwise as `binary`.
"""

from __future__ import annotations

from extractors.usages import _binary as binaries

USAGE = binaries.usage("binary_little", __doc__ or "", "little")
