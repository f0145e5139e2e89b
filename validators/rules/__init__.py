"""Rules of the field that no single table implies: one file a rule."""

from __future__ import annotations

from validators.rule import RuleFamily
from validators.rules import (
    birth_not_after_registration,
    change_not_after_processing,
    household_has_head,
    member_count_matches,
    postal_code_form,
    single_head,
)

RULES: tuple[RuleFamily, ...] = (
    birth_not_after_registration.RULE,
    change_not_after_processing.RULE,
    household_has_head.RULE,
    member_count_matches.RULE,
    postal_code_form.RULE,
    single_head.RULE,
)
