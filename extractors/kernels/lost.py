"""Bytes that are no number: what they are, and what becomes of them by the policies of a dump."""

from __future__ import annotations

import numpy as np

from extractors.kernels.memory import be64, byte_at, inner, int_at, jit, put64

REFUSED, BLANK, NULL, ZERO = range(4)
"""What becomes of bytes that are no number: a finding, the finding of a blank one, null without, or zero without."""

KEPT = 4
"""Behind these: a number that is kept, and odd all the same."""

LOST, ODD = 1, 2
"""The flags of a number that the bytes do not hold, and of one that is kept; as `usages.contract` has them."""


@inner
def kind_of_bytes(at, width, blank):
    """What the bytes of a lost number are: 0 not all alike, 1 all spaces, 2 all LOW-VALUES, 3 all HIGH-VALUES.

    `at` is an address, behind whose `width` bytes seven more can be read.
    """
    first = byte_at(at)
    kind = 1 if first == blank else 2 if first == np.uint64(0) else 3 if first == np.uint64(0xFF) else 0
    if kind == 0:
        return 0
    alike = first * np.uint64(0x0101010101010101)
    for k in range(0, width - 7, 8):
        if be64(at + k) != alike:
            return 0
    rest = width & 7
    if rest > 0 and (be64(at + width - rest) ^ alike) >> np.uint64(64 - 8 * rest) != np.uint64(0):
        return 0
    return kind


@jit
def judge(data, pos, words, width, blank, policies, values, stride, valid, rows, counts):
    """Tell what becomes of each odd number of a column.

    Args:
        data: address of the field's bytes in a record that begins at place 0.
        pos: where each record begins.
        words: what the kernel listed, in the order of the records.
        width: of the field, in bytes.
        blank: the byte of padding.
        policies: the verdicts by `kind_of_bytes`.
        values: address of the column's values, `stride` 64-bit words each; a stride of 0: there are none to look at.
        valid: the validity bitmap, all set, in 64-bit words; the bits of what is lost are taken out, but of zeros.
        rows: (5, len(words)): takes the records by verdict, and last those whose numbers are kept.
        counts: takes how many those are; and last, how many lost values held more than zero.
    """
    # Where all bytes come to the same, nobody looks at them; and a count is kept at hand while the verdict stays.
    alike = policies[0] == policies[1] == policies[2] == policies[3]
    last, count, held = np.int64(policies[0]), np.int64(0), np.int64(0)
    for i in range(len(words)):
        r = np.uint64(words[i] & 0xFFFFFFFF)
        flags = words[i] >> 32
        if flags & LOST:
            verdict = last if alike else np.int64(policies[kind_of_bytes(data + pos[r], width, np.uint64(blank))])
            if verdict != last:
                counts[last] = count
                last, count = verdict, counts[verdict]
            rows[verdict, count] = np.int64(r)
            count += 1
            valid[r >> np.uint64(6)] &= ~(np.uint64(verdict != ZERO) << (r & np.uint64(63)))
            some = np.int64(0)
            for k in range(stride):
                at = values + 8 * (stride * np.int64(r) + k)
                some |= int_at(at)
                if verdict == ZERO:
                    put64(at, np.int64(0))
            held += some != 0
        if flags & ODD:
            rows[KEPT, counts[KEPT]] = np.int64(r)
            counts[KEPT] += 1
    counts[last] = count
    counts[KEPT + 1] = held
    return 0
