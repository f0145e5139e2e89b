"""Numbers of 39 to 76 digits: digits by the column -> decimal256, whose values are four 64-bit words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.kernels.memory import jit


@jit
def _fold(digits, negative, words):
    """Multiply and add a digit at a time over eight 32-bit limbs."""
    limbs = np.zeros(8, np.uint64)
    for r in range(digits.shape[0]):
        limbs[:] = 0
        for i in range(digits.shape[1]):
            carry = np.uint64(digits[r, i])
            for limb in range(8):
                product = limbs[limb] * np.uint64(10) + carry
                limbs[limb] = product & np.uint64(0xFFFFFFFF)
                carry = product >> np.uint64(32)
        carry = np.uint64(1)
        for limb in range(8):
            if negative[r]:
                total = (~limbs[limb] & np.uint64(0xFFFFFFFF)) + carry
                limbs[limb] = total & np.uint64(0xFFFFFFFF)
                carry = total >> np.uint64(32)
        for word in range(4):
            words[r, word] = limbs[2 * word] | limbs[2 * word + 1] << np.uint64(32)


def to_decimal256(digits: np.ndarray, negative: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Make a decimal256 column.

    Args:
        digits: (n, places) uint8, each below ten, the units last.
        negative: (n,) bool.
        kind: the column's type; the digits are unscaled.
    """
    words = np.zeros((len(digits), 4), np.uint64)
    _fold(np.ascontiguousarray(digits), np.ascontiguousarray(negative), words)
    return pa.Array.from_buffers(kind, len(digits), [None, pa.py_buffer(words)])
