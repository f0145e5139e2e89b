"""Zoned decimal in ASCII: digits 30 to 39, the sign over the last one.

    31 32 33  ->  123        31 32 43 ("12C")  ->  123        31 32 4C ("12L")  ->  -123        31 32 73 ("12s")  ->  -123

A dump that was translated from EBCDIC has `{ABCDEFGHI` for plus and `}JKLMNOPQR` for minus; GnuCOBOL and Micro Focus
write plain digits for plus and `pqrstuvwxy` for minus. All are read; the latter are written. Fujitsu's compilers write
`@ABCDEFGHI` and `PQRSTUVWXY`: that is the dialect's rule `ascii_signs`, because P, Q and R are other digits there.
"""

from __future__ import annotations

from extractors.usages import _signs as signs

USAGE = signs.usage("zoned_ascii", __doc__ or "", over=signs.TRAILING, empty=b"\x00\x20\x30")
