"""What rules are often called elsewhere, and by which shape each is written here: few shapes say many things."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """By which shape something is written, and how; empty where no rule says it."""

    shape: str
    how: str


_WAYS: Mapping[str, tuple[str, str]] = {
    "sum_at_most": ("sum_matches", "`compare: at_most`"),
    "count_at_most": ("count_matches", "`compare: at_most`, of a column or of a number that is written out"),
    "count_at_least": ("count_matches", "`compare: at_least`"),
    "count_between": ("count_matches", "two rules, one `at_least` and one `at_most`"),
    "unique": ("one_at_most", "its columns; `folded: yes` where capitals are small letters"),
    "candidates": ("", "no rule: `candidates` of a system's sheet finds them, and people decide"),
    "duplicate_file": ("one_at_most", "its `sha256`"),
    "age_limit": ("age_on_day", "`from`, `below`; of a birth beside the row `age_on_day: resident.birth`"),
    "within_period": ("code_valid_on", "`day`, and `in` with the period; of one period beside the row `holds`"),
    "covered": ("code_valid_on", "what is used names, on its day, a row that covers it"),
    "valid_on": ("code_valid_on", "`day`, and `in` with the period"),
    "table_limit": ("within_range", "`in` with `lowest`, `highest`"),
    "range": ("within_range", "of a table; of numbers that are written out `holds`"),
    "table_lookup": ("counterpart", "`if` with the band of the table that fits, or `holds` beside its line"),
    "resolves_party": ("counterpart", "of `system_parties`, `where` its system is this one"),
    "counter_row": ("counterpart", "of the row that takes it back, `where` it is below 0"),
    "files_match": ("counterpart", "of the files that came, by path and `sha256`; both ways"),
    "pairs": ("counterpart", "both ways, `per` everything that must be equal, the line too"),
    "kept": ("counterpart", "of what must not be lost, or `holds` beside it"),
    "inside": ("counterpart", "of what it lies in"),
    "same_as": ("holds", "`beside` the row that it names: `damage = round.damage`"),
    "exclusive": ("holds", "`beside` what may not be there: `not (other.from <= until and from <= other.until)`"),
    "open_while_closed": ("holds", "`beside` what is closed: `other.closed is null or granted < other.closed`"),
    "unless_period": ("holds", "`beside` the period, with `or` or `not`"),
    "best_of": ("holds", "`beside` all others of its group: `not other.amount < amount`"),
    "forbidden_with": ("holds", "`a is null or b is null`"),
    "declared": ("holds", "`declared is not null`"),
    "unused": ("holds", "`days(last_used, '20260401') <= 180`"),
    "area_within": ("holds", "`abs(area - shape.area) <= greatest(2, area * 0.05)`"),
    "shift_of": ("holds", "`beside` the point that is known: `abs(x - point.x) <= 1`"),
    "text_cut": ("holds", "`length(title) < 40` of what stands in the target; where a field was full `cut` of a record kind"),
    "period": ("holds", "`expires = days_after(years_after(starts, term), -1)`"),
    "parameter": ("holds", "`beside` the line of a reference table, which a municipality may set: `limit.amount`"),
    "first_takes_fraction": ("recompute", "of the later instalments `floor(levy.amount / levy.terms, 1000)`; or `multiple_of`"),
    "rounded": ("recompute", "`floor`, `ceil` or `half_up`, to a unit"),
    "context_date": ("", "no rule: a transform reads it beside its header"),
    "runs": ("", "no rule: the mapping makes rows of them"),
    "refused": ("", "no rule: a sheet refuses the item, and `check` the field"),
    "normalised": ("", "no rule: a transform folds what candidates are compared by"),
    "same_person": ("one_at_most", "what makes two alike, with `severity: alert`; where people decide, `candidates` of a sheet"),
    "geometry_valid": ("", "no rule: what reads geometry says what is wrong with it"),
}  # fmt: skip

WRITTEN_AS: Mapping[str, Written] = MappingProxyType({name: Written(*way) for name, way in _WAYS.items()})


def hint(name: str) -> str:
    """What to do instead of a shape that there is not; empty where nothing is known."""
    found = WRITTEN_AS.get(name)
    if found is None:
        return ""
    return f"written with `{found.shape}`: {found.how}" if found.shape else found.how
