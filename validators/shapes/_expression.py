"""A condition over one row as a sheet writes it, read once into what both engines evaluate.

    condition  = all ("or" all)*                    all   = one ("and" one)*
    one        = "not" one | sum [compared]         sum   = part (("+" | "-") part)*
    compared   = ("=" | "<>" | "<" | "<=" | ">" | ">=") sum | "is" ["not"] "null" | ["not"] "in" "(" value, ... ")"
    part       = value ("*" value)*
    value      = 12.5 | 'text' | a column | "-" value | "abs" "(" sum ")" | "coalesce" "(" sum "," sum ")" | "(" condition ")"

A date is a day, where it is known to the day, and is compared with others or with 'YYYYMMDD'. Nothing else can be said:
no other table, no function, no comment.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Literal, NoReturn

import polars as pl

from migration_reports.findings import did_you_mean
from validators.shapes._terms import Column, Term, literal, quoted

MAX_LENGTH, MAX_DEPTH, MAX_DIGITS = 2_000, 20, 36
OPERATORS: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
WORDS = ("and", "or", "not", "in", "is", "null", "abs", "coalesce")

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|<>|[=<>+*(),-]))"
)


class ExpressionError(Exception):
    """What is wrong with a condition, and at which character of it, from 1."""


@dataclasses.dataclass(frozen=True, slots=True)
class Typed:
    """A part of a condition.

    Attributes:
        term: the part for both engines.
        type: what it is; a text that is written out may be a day.
        digits: of a number, how many it may have.
        scale: how many of them after the point.
        said: a text that is written out.
        filled: of a date, whether there is one at all, known to the day or not.
    """

    term: Term
    type: Literal["text", "number", "date", "condition"]
    digits: int = 0
    scale: int = 0
    said: str | None = None
    filled: Term | None = None


@dataclasses.dataclass(slots=True)
class Reader:
    """Reads one condition from left to right."""

    columns: Mapping[str, Column]
    tokens: list[tuple[str, str, int]]
    at: int = 0
    depth: int = 0
    reads: list[Column] = dataclasses.field(default_factory=list)

    def condition(self) -> Typed:
        """Any of several."""
        return self._joined("or", lambda: self._joined("and", self.one, Term.__and__), Term.__or__)

    def one(self) -> Typed:
        """A condition without `and` and `or`, or what one is made of."""
        if self._takes("not"):
            return Typed(~self._of("condition", self._nested(self.one)).term, "condition")
        left = self.sum()
        sign = self._peek()
        if sign in OPERATORS:
            self.at += 1
            return self._compared(left, sign, self.sum())
        if self._takes("is"):
            negated = self._takes("not")
            self._needs("null")
            present = left.filled or left.term.present()
            return Typed(present if negated else ~present, "condition")
        negated = self._takes("not")
        if self._takes("in"):
            found = self._listed(left)
            return Typed(~found if negated else found, "condition")
        if negated:
            self.fail("`in` is missing")
        return left

    def sum(self) -> Typed:
        """Numbers added and taken away, or any other value."""
        left = self.product()
        while (sign := self._peek()) in ("+", "-"):
            self.at += 1
            left, right = self._of("number", left), self._of("number", self.product())
            term = left.term + right.term if sign == "+" else left.term - right.term
            scale = max(left.scale, right.scale)
            digits = max(left.digits - left.scale, right.digits - right.scale) + 1 + scale
            left = self._number(term, digits, scale)
        return left

    def product(self) -> Typed:
        """Numbers multiplied, or any other value; of two one must be whole, for a decimal keeps its digits."""
        left = self.value()
        while self._takes("*"):
            left, right = self._of("number", left), self._of("number", self.value())
            if left.scale and right.scale:
                self.fail("of two numbers that are multiplied one must be whole")
            term = Term(left.term.expr * right.term.expr, f"({left.term.sql} * {right.term.sql})")
            left = self._number(term, left.digits + right.digits, left.scale + right.scale)
        return left

    def value(self) -> Typed:
        """A number, a text, a column, a call, or what stands in brackets."""
        kind, word, _ = self.tokens[self.at]
        self.at += kind != "end"
        if kind == "number":
            value = Decimal(word)
            scale = max(0, -int(value.as_tuple().exponent))
            term = Term(pl.lit(value, dtype=pl.Decimal(38, scale)), f"CAST('{word}' AS numeric)")
            return self._number(term, len(word.replace(".", "")), scale)
        if kind == "text":
            said = word[1:-1].replace("''", "'")
            return Typed(Term(pl.lit(said), literal(said)), "text", said=said)
        if word == "-":
            inner = self._of("number", self._nested(self.value))
            return dataclasses.replace(inner, term=Term(-inner.term.expr, f"(- {inner.term.sql})"))
        if word == "(":
            inner = self._nested(self.condition)
            self._needs(")")
            return inner
        if kind == "word" and self._peek() == "(" and word in ("abs", "coalesce"):
            return self._call(word)
        if kind == "word" and word not in WORDS:
            return self._column(word)
        self.at -= kind != "end"
        return self.fail("a column, a number or a 'text' is missing")

    def end(self) -> None:
        """Nothing comes after it."""
        if self.tokens[self.at][0] != "end":
            self.fail("`and` or `or` is missing")

    def fail(self, message: str) -> NoReturn:
        """Say what is wrong here."""
        raise ExpressionError(f"{message}, at character {self.tokens[self.at][2]}")

    def _call(self, function: str) -> Typed:
        self._needs("(")
        first = self._nested(self.sum)
        if function == "abs":
            first = self._of("number", first)
            self._needs(")")
            return dataclasses.replace(first, term=Term(first.term.expr.abs(), f"abs({first.term.sql})"))
        self._needs(",")
        second = self._nested(self.sum)
        self._needs(")")
        first, second = self._alike(first, second)
        term = Term(pl.coalesce(first.term.expr, second.term.expr), f"coalesce({first.term.sql}, {second.term.sql})")
        scale = max(first.scale, second.scale)
        digits = max(first.digits - first.scale, second.digits - second.scale) + scale
        return Typed(term, first.type, digits, scale)

    def _column(self, name: str) -> Typed:
        if name not in self.columns:
            self.at -= 1
            hint = did_you_mean(name, self.columns)
            self.fail(f"unknown column `{name[:60]}`{f' ({hint})' if hint else ''}")
        column = self.columns[name]
        self.reads.append(column)
        if column.type == "date":
            return Typed(column.day, "date", filled=column.value.present())
        if column.type == "text":
            return Typed(column.value, "text")
        exact = Term(pl.col(name).cast(pl.Decimal(38, column.scale)), f"CAST({quoted(name)} AS numeric)")
        return self._number(exact, column.precision, column.scale)

    def _compared(self, left: Typed, sign: str, right: Typed) -> Typed:
        left, right = self._alike(left, right)
        exact = ' COLLATE "C"' if left.type == "text" else ""
        sql = f"({left.term.sql} {sign} {right.term.sql}{exact})"
        return Typed(Term(OPERATORS[sign](left.term.expr, right.term.expr), sql), "condition")

    def _listed(self, left: Typed) -> Term:
        self._needs("(")
        found = self._compared(left, "=", self._nested(self.sum)).term
        while self._takes(","):
            found = found | self._compared(left, "=", self._nested(self.sum)).term
        self._needs(")")
        return found

    def _alike(self, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        """Two values of one type; a text that is written out beside a date is a day."""
        if left.type == "date":
            right = self._day(right)
        elif right.type == "date":
            left = self._day(left)
        if left.type != right.type or left.type == "condition":
            self.fail(f"{left.type} and {right.type} cannot be compared")
        if max(left.digits - left.scale, right.digits - right.scale) + max(left.scale, right.scale) > MAX_DIGITS:
            self.fail(f"the numbers could have more than {MAX_DIGITS} digits")
        return left, right

    def _day(self, typed: Typed) -> Typed:
        said = typed.said
        if said is None:
            return typed
        if not re.fullmatch("[0-9]{8}", said):
            self.fail(f"a day is written 'YYYYMMDD', not '{said[:20]}'")
        return Typed(Term(pl.lit(int(said), dtype=pl.Int64), f"CAST('{said}' AS bigint)"), "date")

    def _of(self, type_: str, typed: Typed) -> Typed:
        if typed.type != type_:
            self.fail(f"{typed.type} stands where a {type_} is meant")
        return typed

    def _number(self, term: Term, digits: int, scale: int) -> Typed:
        if digits > MAX_DIGITS:
            self.fail(f"the numbers could have more than {MAX_DIGITS} digits")
        return Typed(term, "number", digits, scale)

    def _joined(self, word: str, part: Callable[[], Typed], join: Callable[[Term, Term], Term]) -> Typed:
        left = part()
        while self._takes(word):
            left, right = self._of("condition", left), self._of("condition", part())
            left = Typed(join(left.term, right.term), "condition")
        return left

    def _nested(self, inner: Callable[[], Typed]) -> Typed:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"brackets within more than {MAX_DEPTH} others")
        found = inner()
        self.depth -= 1
        return found

    def _peek(self) -> str:
        return self.tokens[self.at][1]

    def _takes(self, word: str) -> bool:
        kind, here, _ = self.tokens[self.at]
        taken = here == word and kind != "text"
        self.at += taken
        return taken

    def _needs(self, word: str) -> None:
        if not self._takes(word):
            self.fail(f"`{word}` is missing")


def read(text: str, columns: Mapping[str, Column]) -> tuple[Term, tuple[Column, ...]]:
    """Read a condition.

    Args:
        text: what the sheet says.
        columns: the columns that it may name.

    Returns:
        The condition, null where its values do not say; and the columns that it reads.

    Raises:
        ExpressionError: it cannot be used.
    """
    reader = Reader(columns, [*_tokens(text)])
    whole = reader.condition()
    reader.end()
    if whole.type != "condition":
        reader.fail("a value is no condition")
    if not reader.reads:
        reader.fail("no column is read")
    return whole.term, tuple(dict.fromkeys(reader.reads))


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH:,} characters")
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            rest = text[at:].lstrip()
            raise ExpressionError(f"`{rest[0]}` cannot stand there, at character {len(text) - len(rest) + 1}")
        kind = found.lastgroup or ""
        word = found[kind]
        yield kind, word.lower() if kind == "word" and word.lower() in WORDS else word, found.start(kind) + 1
        at = found.end()
    yield "end", "", len(text) + 1
