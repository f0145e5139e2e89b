"""Standard systems: one file a system, its tables in the field's own terms."""

from __future__ import annotations

from target_schemas.model import System
from target_schemas.systems import resident_records

SYSTEMS: tuple[System, ...] = (resident_records.SYSTEM,)
