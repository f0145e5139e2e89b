"""Bytes as a dump that the reader can read."""

from __future__ import annotations

import io
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"


def open_bytes(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)
