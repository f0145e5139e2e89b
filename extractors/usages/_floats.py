"""Floating point numbers over whole batches: IBM hexadecimal and IEEE 754, both ways.

IBM hexadecimal (z/Architecture Principles of Operation, chapter 9): a sign bit, seven bits of an exponent of 16 in
excess 64, and a fraction of 24 or 56 bits. float64 holds every number of the short form; of the long form it holds 53
bits, and a number with more is rounded and reported.
"""

from __future__ import annotations

import numpy as np


def field_bytes(data: np.ndarray, starts: np.ndarray, width: int) -> np.ndarray:
    """The bytes of a field: (records, width) uint8."""
    return data[starts[:, None] + np.arange(width)]


def from_ibm(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """IBM hexadecimal numbers as float64, and which of them were rounded.

    Args:
        raw: (n, 4) or (n, 8) uint8.
    """
    width = raw.shape[1]
    padded = np.zeros((len(raw), 8), np.uint8)
    padded[:, :width] = raw
    word = padded.view(">u8").ravel().astype(np.uint64)
    fraction = word & np.uint64(0x00FFFFFFFFFFFFFF)
    exponent = ((word >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int64) - 64
    value = np.ldexp(fraction.astype(np.float64), (4 * exponent - 56).astype(np.int32))
    value = np.where(word >> np.uint64(63), -value, value)
    exact = (fraction.astype(np.float64).astype(np.uint64) == fraction) | (fraction == 0)
    return value, ~exact


def to_ibm(values: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """float64 as normalised IBM hexadecimal numbers of 4 or 8 bytes, and which of them do not fit."""
    finite = np.isfinite(values)
    magnitude = np.abs(np.where(finite, values, 0.0))
    fraction, exponent = np.frexp(magnitude)
    # A power of two becomes a power of sixteen; the fraction gives up to three of its leading bits for that.
    hexadecimal = -(-exponent // 4)
    bits = 24 if width == 4 else 56
    scaled = np.rint(np.ldexp(fraction, exponent - 4 * hexadecimal + bits)).astype(np.uint64)
    carried = scaled >> np.uint64(bits) != 0
    scaled = np.where(carried, scaled >> np.uint64(4), scaled)
    hexadecimal = hexadecimal + carried
    zero = magnitude == 0
    misfit = ~finite | (~zero & ((hexadecimal > 63) | (hexadecimal < -64)))
    word = ((hexadecimal + 64) & 0x7F).astype(np.uint64) << np.uint64(bits) | scaled
    word = np.where(zero, np.uint64(0), word) | np.signbit(values).astype(np.uint64) << np.uint64(bits + 7)
    raw = word.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - width :]
    return np.ascontiguousarray(raw), misfit
