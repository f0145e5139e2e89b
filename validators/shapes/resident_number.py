"""宛名番号: the last digit follows from the others by modulus 11, as the municipality's own system gave them out.

Nothing is assumed: the rule is there only where the manifest gives its settings.

    rules: {resident_number: {length: 10, weights: "2 3 4 5 6 7", ten: "0"}}

`weights` count from the right and begin again where they end. The check digit is 11 less the remainder, 0 for a remainder
of 0; for a remainder of 1, which would make it 10, `ten` says what was written: a digit, or never, where such numbers were
not given out.

Source: 住民記録システム標準仕様書 1.1.13: modulus 11, weights 2 to 7 from the right, 0 for a remainder of 0, for numbers newly
given out only; it does not say what a remainder of 1 makes.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from migration_reports.findings import Position, Problem, SpecError
from validators.rules._check_digits import CheckDigit, rules
from validators.rules.contract import Rule, RuleFamily

OPTIONS = {
    "length": "how many digits the number has, its check digit among them (must be given)",
    "weights": "from the right, with spaces between; they begin again where they end (2 3 4 5 6 7)",
    "ten": "what stands where 11 less the remainder is 10: a digit or never (0)",
}


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:
    """Give a rule for each column that holds such numbers, where the manifest says how they are checked.

    Raises:
        SpecError: a setting cannot be used.
    """
    if not options:
        return ()
    length, weights, ten = (
        options.get("length", ""),
        options.get("weights", "2 3 4 5 6 7").split(),
        options.get("ten", "0"),
    )
    problems = []
    if not (length.isdecimal() and 2 <= int(length) <= 18):
        problems.append(("length", length, "2 to 18"))
    if not weights or not all(w.isdecimal() and 1 <= int(w) <= 10 for w in weights):
        problems.append(("weights", options.get("weights", ""), "numbers from 1 to 10, such as 2 3 4 5 6 7"))
    if ten != "never" and not (len(ten) == 1 and ten.isdecimal()):
        problems.append(("ten", ten, "a digit, or never"))
    if problems:
        message = "rule resident_number: {0} `{1:.20}` cannot be used"
        raise SpecError(Problem("Y043", Position("(rules)"), message.format(*p), (p[2],)) for p in problems)
    size = int(length)
    from_right = [int(weights[n % len(weights)]) for n in range(size - 1)]
    check = CheckDigit(
        length=size,
        weights=(*reversed(from_right), 0),
        modulus=11,
        digits=(0, None if ten == "never" else int(ten), 9, 8, 7, 6, 5, 4, 3, 2, 1),
        at=size - 1,
    )
    return rules("resident_number", tables, lambda _: check)


RULE = RuleFamily("resident_number", __doc__ or "", make, OPTIONS, by_column=True)
