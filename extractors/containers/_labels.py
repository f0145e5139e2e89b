"""Standard tape labels: what the 80-byte records around a tape's data sets say.

Follows z/OS DFSMS Using Magnetic Tapes (SC23-6858), IBM standard labels and ISO/ANSI labels; JIS X 0601 has the same
fields in the same places. Label characters are EBCDIC or ASCII; lengths are bytes, counts are blocks.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

LABEL = 80
"""Bytes of a label."""
CODINGS = ("cp037", "ascii")
NAMES = re.compile(r"(?:VOL|UVL|HDR|UHL|EOF|EOV|UTL)[0-9A-Z]")
ATTRIBUTES = {"B": "B", "S": "S", "R": "BS"}
"""The block attribute of HDR2, as it is written after the record format: R is blocked and spanned."""


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """What the header labels say of a data set; 0 and empty where they say nothing."""

    dataset: str = ""
    recfm: str = ""
    blksize: int = 0
    lrecl: int = 0


def coding_of(data: bytes) -> str | None:
    """Name the coding in which a tape's first bytes are a volume label; None where they are none."""
    return next((coding for coding in CODINGS if data.startswith("VOL1".encode(coding))), None)


def may_be_label(data: bytes) -> bool:
    """Say whether data that was cut may be the beginning of a volume label."""
    return len(data) < LABEL and any(data.startswith("VOL1".encode(coding)[: len(data)]) for coding in CODINGS)


def read_label(data: bytes, coding: str) -> str | None:
    """Read a label as text of 80 characters; None where it is none."""
    text = data.decode(coding, "replace")
    return text if len(data) == LABEL and NAMES.match(text) else None


def describe_labels(labels: Sequence[str]) -> Described:
    """Gather what HDR1 and HDR2 (or EOF1 and EOF2) say."""
    first = next((label for label in labels if label[:4] in ("HDR1", "EOF1", "EOV1")), "")
    second = next((label for label in labels if label[:4] in ("HDR2", "EOF2", "EOV2")), "")
    recfm = second[4:5].strip()
    return Described(
        dataset=first[4:21].strip(" \0"),
        recfm=recfm and recfm + ATTRIBUTES.get(second[38:39], ""),
        # Blocks above 32,760 bytes have their length in a field of their own, and zeros in the first.
        blksize=_number(second[5:10]) or _number(second[70:80]) or 0,
        lrecl=_number(second[10:15]) or 0,
    )


def same_count(trailer: str, blocks: int) -> bool:
    """Say whether EOF1 or EOV1 counts that many blocks; a label without a count agrees with every number."""
    low = _number(trailer[54:60])
    if low is None:
        return True
    high = _number(trailer[76:80])
    return blocks % 1_000_000 == low if high is None else blocks == high * 1_000_000 + low


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
