"""Standard systems: one folder of sheets a system, in the field's own terms, and one line here."""

from __future__ import annotations

from pathlib import Path

from target_schemas.model import System
from target_schemas.sheets import read_systems

NAMES = ("resident_records",)
"""The systems, in the order in which they are built."""

FOLDER = Path(__file__).parent
CODES = FOLDER.parent / "codes"

SYSTEMS: tuple[System, ...] = read_systems(FOLDER, NAMES, CODES)
