"""Rules of the field that no single table implies: one file a rule."""

from __future__ import annotations

from validators.rules import (
    birth_not_after_registration,
    change_not_after_processing,
    corporate_number,
    household_has_head,
    individual_number,
    insurer_number,
    member_count_matches,
    municipality_number,
    postal_code_form,
    resident_number,
    single_head,
)
from validators.rules.contract import RuleFamily

RULES: tuple[RuleFamily, ...] = (
    birth_not_after_registration.RULE,
    change_not_after_processing.RULE,
    corporate_number.RULE,
    household_has_head.RULE,
    individual_number.RULE,
    insurer_number.RULE,
    member_count_matches.RULE,
    municipality_number.RULE,
    postal_code_form.RULE,
    resident_number.RULE,
    single_head.RULE,
)
