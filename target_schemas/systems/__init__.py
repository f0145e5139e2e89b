"""Standard systems: one folder of sheets a system, in the field's own terms, and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migration_reports.codes import CodeSet
from target_schemas.code_sheets import read_code_sets
from target_schemas.model import System
from target_schemas.sheets import read_systems

NAMES = ("resident_records",)
"""The systems, in the order in which they are built."""

FOLDER = Path(__file__).parent
CODES = FOLDER.parent / "codes"

SYSTEMS: tuple[System, ...] = read_systems(FOLDER, NAMES, CODES)

CODE_SETS: Mapping[str, CodeSet] = read_code_sets(CODES, [])
"""Every code set, also those that no item uses yet; their problems are the systems' and have been raised."""
