"""By how much the numbers of the rows that fail a rule differ from what was found: what may be said of them.

Neither of the two numbers is told, and no sum of one person's: the difference alone, which says how far a formula, a table
or a side of two totals is off.
"""

from __future__ import annotations

import itertools
from decimal import Decimal

import polars as pl

from migration_reports.findings import FIRST_PLACES
from migration_reports.records.run_record import Differences, Differing
from validators.shapes.contract import DIFFERENCE

BANDS = (1, 10, 100, 1_000, 10_000, 100_000)
"""Up to how much differences are counted together; a last band has all that are more."""


def differences(failing: pl.DataFrame) -> Differences | None:
    """What is said of them; none of rows that tell no difference.

    Args:
        failing: the failing rows of one rule, with `DIFFERENCE` where the rule tells it.
    """
    if DIFFERENCE not in failing.columns or failing.is_empty():
        return None
    known = failing.filter(pl.col(DIFFERENCE).is_not_null())
    size = pl.col(DIFFERENCE).abs()
    bounds = [Decimal(0), *map(Decimal, BANDS)]
    within = [((size > low) & (size <= high)).sum().alias(f"{high}") for low, high in itertools.pairwise(bounds)]
    counts = known.select(*within, (size > bounds[-1]).sum().alias("more")).row(0, named=True)
    first = known.sort("source_dump", "source_record", "_part").head(FIRST_PLACES)
    return Differences(
        unknown=failing.height - known.height,
        total=_said(known[DIFFERENCE].sum()),
        least=_said(known[DIFFERENCE].min()),
        greatest=_said(known[DIFFERENCE].max()),
        bands={name: int(count) for name, count in counts.items() if count},
        first=tuple(
            Differing(dump=r["source_dump"], record=r["source_record"], difference=_said(r[DIFFERENCE]))
            for r in first.to_dicts()
        ),
    )


def _said(number: object) -> str:
    """A number without noughts that say nothing."""
    return "0" if not number else f"{Decimal(str(number)).normalize():f}"
