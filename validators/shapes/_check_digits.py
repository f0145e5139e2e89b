"""Check digits: how the last (or first) digit of a number follows from the others, as a mask and as SQL.

A number is text of a fixed number of digits. Each digit but the check digit contributes its weight times itself, or, with
`sums`, the sum of the product's digits; the total modulo `modulus` names the check digit. Old systems gave out numbers that
do not follow, so a failure is an alert: the digit is reported and never repaired.
"""

from __future__ import annotations

import dataclasses

import polars as pl

from validators.shapes._terms import quoted


@dataclasses.dataclass(frozen=True, slots=True)
class CheckDigit:
    """How a kind of number is checked.

    Attributes:
        length: how many digits it has.
        weights: of each digit from the left, 0 for the check digit.
        modulus: what the weighted total is divided by.
        digits: the check digit of each remainder; None where no number is given out.
        at: where the check digit stands.
        sums: whether the digits of a product are summed.
    """

    length: int
    weights: tuple[int, ...]
    modulus: int
    digits: tuple[int | None, ...]
    at: int
    sums: bool = False

    def failing(self, column: str) -> pl.Expr:
        """The rows whose number is not of this form, or whose check digit is another; null passes."""
        text = pl.col(column)
        total = pl.sum_horizontal(
            self._part(text.str.slice(n, 1).cast(pl.Int64, strict=False), w) for n, w in enumerate(self.weights) if w
        )
        expected = (total % self.modulus).replace_strict(
            list(range(self.modulus)), [-1 if d is None else d for d in self.digits], return_dtype=pl.Int64
        )
        digit = text.str.slice(self.at, 1).cast(pl.Int64, strict=False)
        formed = (text.str.len_chars() == self.length) & ~text.str.contains("[^0-9]")
        return text.is_not_null() & (~formed | (expected != digit).fill_null(value=True))

    def sql(self, column: str) -> str:
        """The same in SQL; a condition that is true of the failing rows."""
        name = quoted(column)
        formed = f"(char_length({name}) = {self.length} AND {name} !~ '[^0-9]')"

        def digit(place: int) -> str:
            return f"CAST(substr({name}, {place + 1}, 1) AS integer)"

        def part(place: int, weight: int) -> str:
            product = f"{digit(place)} * {weight}"
            return f"(({product}) / 10 + ({product}) % 10)" if self.sums else product

        total = " + ".join(part(n, w) for n, w in enumerate(self.weights) if w)
        cases = " ".join(f"WHEN {r} THEN {-1 if d is None else d}" for r, d in enumerate(self.digits))
        wrong = f"(CASE ({total}) % {self.modulus} {cases} END) <> {digit(self.at)}"
        # Only what is made of digits may be cast; CASE alone promises that order.
        return f"{name} IS NOT NULL AND CASE WHEN {formed} THEN {wrong} ELSE true END"

    def _part(self, digit: pl.Expr, weight: int) -> pl.Expr:
        product = digit * weight
        return product // 10 + product % 10 if self.sums else product
