"""The kinds of numbers that have a check digit, each with how it is checked: a national rule, or a municipality's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

from migration_reports.findings import Position, Problem, SpecError
from validators.shapes._check_digits import CheckDigit

Settings = Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Numbering:
    """One kind of number.

    Attributes:
        name: how a column's `check` and a manifest name it.
        doc: how it is made, and its source.
        check: how a number of some digits is checked, as a municipality sets it; None where it has not said.
        options: what a manifest may set.
    """

    name: str
    doc: str
    check: Callable[[int, Settings], CheckDigit | None]
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)


INDIVIDUAL = CheckDigit(
    length=12,
    weights=(6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 0),
    modulus=11,
    digits=(0, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1),
    at=11,
)
CORPORATE = CheckDigit(
    length=13, weights=(0, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1), modulus=9, digits=(9, 8, 7, 6, 5, 4, 3, 2, 1), at=0
)
MUNICIPALITY = CheckDigit(
    length=6, weights=(6, 5, 4, 3, 2, 0), modulus=11, digits=(1, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1), at=5
)


def _insurer(length: int, settings: Settings) -> CheckDigit:  # noqa: ARG001
    weights = tuple(2 if n % 2 == 0 else 1 for n in range(length - 1))[::-1]
    return CheckDigit(
        length=length,
        weights=(*weights, 0),
        modulus=10,
        digits=(0, 9, 8, 7, 6, 5, 4, 3, 2, 1),
        at=length - 1,
        sums=True,
    )


def _resident(length: int, settings: Settings) -> CheckDigit | None:  # noqa: ARG001
    """As the municipality's own system gave them out.

    Raises:
        SpecError: a setting cannot be used.
    """
    if not settings:
        return None
    said, weights, ten = (
        settings.get("length", ""),
        settings.get("weights", "2 3 4 5 6 7").split(),
        settings.get("ten", "0"),
    )
    problems = []
    if not (said.isdecimal() and 2 <= int(said) <= 18):
        problems.append(("length", said, "2 to 18"))
    if not weights or not all(w.isdecimal() and 1 <= int(w) <= 10 for w in weights):
        problems.append(("weights", settings.get("weights", ""), "numbers from 1 to 10, such as 2 3 4 5 6 7"))
    if ten != "never" and not (len(ten) == 1 and ten.isdecimal()):
        problems.append(("ten", ten, "a digit, or never"))
    if problems:
        message = "rule resident_number: {0} `{1:.20}` cannot be used"
        raise SpecError(Problem("Y043", Position("(rules)"), message.format(*p), (p[2],)) for p in problems)
    size = int(said)
    from_right = [int(weights[n % len(weights)]) for n in range(size - 1)]
    return CheckDigit(
        length=size,
        weights=(*reversed(from_right), 0),
        modulus=11,
        digits=(0, None if ten == "never" else int(ten), 9, 8, 7, 6, 5, 4, 3, 2, 1),
        at=size - 1,
    )


NUMBERINGS: Mapping[str, Numbering] = MappingProxyType(
    {
        numbering.name: numbering
        for numbering in (
            Numbering(
                "individual_number",
                """個人番号: the twelfth digit follows from the eleven before it.

Of the n-th digit from the right of the eleven, Q is n + 1 for n up to 6 and n - 5 above; the check digit is 11 less the
remainder of the total by 11, and 0 where that remainder is 0 or 1.

Source: 平成26年総務省令第85号 第5条.""",
                lambda length, settings: INDIVIDUAL,  # noqa: ARG005
            ),
            Numbering(
                "corporate_number",
                """法人番号: the first of thirteen digits follows from the twelve after it.

9 less the remainder by 9 of the total, in which digits at odd places from the right count once and at even places twice.

Source: 法人番号の指定等に関する省令 (平成26年財務省令第70号) 第2条.""",
                lambda length, settings: CORPORATE,  # noqa: ARG005
            ),
            Numbering(
                "municipality_number",
                """全国地方公共団体コード: the sixth digit follows from the five before it.

Weights 6, 5, 4, 3, 2; the check digit is the last digit of 11 less the remainder of the total by 11.

Sources: JIS X 0402; 総務省, 全国地方公共団体コード.""",
                lambda length, settings: MUNICIPALITY,  # noqa: ARG005
            ),
            Numbering(
                "insurer_number",
                """保険者番号: the eighth digit (of six-digit ones the sixth) follows from the others, modulus 10 with weights 2 and 1.

From the right of the digits before it, weights 2, 1, 2, 1 and so on; of a product the digits are summed; the check digit
makes the total a multiple of 10. National health insurance and 介護保険 use the same rule: a column says by its length which
it holds, 8 or 6.

Source: 厚生労働省, 保険者番号等の設定要領.""",
                _insurer,
            ),
            Numbering(
                "resident_number",
                """宛名番号: the last digit follows from the others by modulus 11, as the municipality's own system gave them out.

Nothing is assumed: the rule is there only where the manifest gives its settings.

    rules: {resident_number: {length: 10, weights: "2 3 4 5 6 7", ten: "0"}}

`weights` count from the right and begin again where they end. The check digit is 11 less the remainder, 0 for a remainder
of 0; for a remainder of 1, which would make it 10, `ten` says what was written: a digit, or never, where such numbers were
not given out.

Source: 住民記録システム標準仕様書 1.1.13: modulus 11, weights 2 to 7 from the right, 0 for a remainder of 0, for numbers newly
given out only; it does not say what a remainder of 1 makes.""",
                _resident,
                MappingProxyType(
                    {
                        "length": "how many digits the number has, its check digit among them (must be given)",
                        "weights": "from the right, with spaces between; they begin again where they end (2 3 4 5 6 7)",
                        "ten": "what stands where 11 less the remainder is 10: a digit or never (0)",
                    }
                ),
            ),
        )
    }
)
