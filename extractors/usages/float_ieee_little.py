"""COMP-1 and COMP-2 as IEEE 754 numbers of four or eight bytes, the least significant byte first.

    00 00 80 3F  ->  1.0        00 40 ED C2  ->  -118.625

Four bytes are float32, eight float64; every bit pattern is a value, infinities and NaN among them, and those are
reported.
"""

from __future__ import annotations

from extractors.usages import _floats as floats

USAGE = floats.ieee("float_ieee_little", __doc__ or "", "little")
