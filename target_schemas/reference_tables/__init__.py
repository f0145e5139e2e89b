"""The dated reference tables that all systems share: a sheet each, and here what was read of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migration_reports.trouble import Problem, SpecError
from target_schemas.reference_sheets import ReferenceTable, read_reference_tables

FOLDER = Path(__file__).parent


def read(folder: Path) -> Mapping[str, ReferenceTable]:
    """Read the reference tables of a folder, by their names with the schema's.

    Raises:
        SpecError: with every problem of every sheet.
    """
    problems: list[Problem] = []
    tables = read_reference_tables(folder, problems)
    if problems:
        raise SpecError(problems)
    return tables


REFERENCE_TABLES: Mapping[str, ReferenceTable] = read(FOLDER)
