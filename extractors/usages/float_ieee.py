"""COMP-1 and COMP-2 as IEEE 754 numbers of four or eight bytes, the most significant byte first.

    3F 80 00 00  ->  1.0        C2 ED 40 00  ->  -118.625

Four bytes are float32, eight float64; every bit pattern is a value, infinities and NaN among them, and those are
reported.
"""

from __future__ import annotations

from extractors.usages import _floats as floats

USAGE = floats.ieee("float_ieee", __doc__ or "", "big")
