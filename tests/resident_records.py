"""The system of residents and its tables, by their names."""

from __future__ import annotations

from target_schemas.systems import SYSTEMS

SYSTEM = next(system for system in SYSTEMS if system.name == "resident_records")
HOUSEHOLDS, RESIDENTS, TAX_AMOUNTS = (
    SYSTEM.table(name).physical for name in ("households", "residents", "tax_amounts")
)
