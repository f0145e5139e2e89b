"""The cells of the gaiji ledger as its files hold them, for the report that writes them and the command that reads them back."""

from __future__ import annotations

COLUMNS = (
    "dump", "code", "glyph", "unicode", "area", "place", "count", "records", "fields", "first_places", "since",
    "decision", "text", "mj", "reason", "decided_by", "decided_on",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
