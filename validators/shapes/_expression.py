"""A condition over one row as a sheet writes it, or a value, read once into what both engines evaluate.

    condition  = all ("or" all)*                    all   = one ("and" one)*
    one        = "not" one | sum [compared]         sum   = part (("+" | "-" | "||") part)*
    compared   = ("=" | "<>" | "<" | "<=" | ">" | ">=") sum | "is" ["not"] "null" | ["not"] "in" "(" value, ... ")"
    part       = value (("*" | "/") value)*
    value      = 12.5 | 'text' | a column | "-" value | a function "(" sum, ... ")" | "(" condition ")"

A date is a day, where it is known to the day, and is compared with others or with 'YYYYMMDD'. Functions are those of
`FUNCTIONS`. Nothing else can be said: no other table than those that stand beside the row, no comment.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import NoReturn

import polars as pl

from migration_reports.findings import did_you_mean
from validators.shapes import _values
from validators.shapes._terms import Column, Term, literal
from validators.shapes._values import MAX_DIGITS, Typed, UnfitError

MAX_LENGTH, MAX_DEPTH, MAX_SQL = 2_000, 20, 50_000
OPERATORS: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
WORDS = ("and", "or", "not", "in", "is", "null")

FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "abs": "abs(n): without its sign",
        "coalesce": "coalesce(a, b): the first that has a value",
        "least": "least(a, b): the lesser of two; none where one has no value",
        "greatest": "greatest(a, b): the greater of two; none where one has no value",
        "floor": "floor(n, unit): down to a multiple of a unit (1), such as 100円未満切捨て: floor(n, 100)",
        "ceil": "ceil(n, unit): up to a multiple of a unit (1)",
        "half_up": "half_up(n, unit): to the next multiple of a unit (1), half away from zero (四捨五入)",
        "days": "days(a, b): how many days b is after a",
        "days_after": "days_after(d, n): the day n days after d",
        "months_after": "months_after(d, n): the same day n months on; where there is none, the month's last (民法143条)",
        "years_after": "years_after(d, n): the same day n years on; of 29 February the 28th of a common year",
        "year": "year(d): the year of a day",
        "month": "month(d): its month",
        "fiscal_year": "fiscal_year(d): the year in whose April its fiscal year (年度) began",
        "day": "day(t): the day that eight digits YYYYMMDD are, such as day(fiscal_year || '0401')",
        "number": "number(t): the number that digits are; none of other characters",
        "slice": "slice(t, from, count): characters of a text, from a first one on (1)",
        "length": "length(t): how many characters it has",
    }
)
"""What a condition may call. A quotient is only rounded: floor(a / b)."""

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:[.][A-Za-z_][A-Za-z0-9_]*)?)"
    r"|(?P<sign><=|>=|<>|[|][|]|[=<>+*/(),-]))"
)


class ExpressionError(Exception):
    """What is wrong with a condition, and at which character of it, from 1."""


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
            present = left.filled or self._exact(left).term.present()
            return Typed(present if negated else ~present, "condition")
        negated = self._takes("not")
        if self._takes("in"):
            found = self._listed(left)
            return Typed(~found if negated else found, "condition")
        if negated:
            self.fail("`in` is missing")
        return left

    def sum(self) -> Typed:
        """Numbers added and taken away, texts one after the other, or any other value."""
        left = self.product()
        while (sign := self._peek()) in ("+", "-", "||"):
            self.at += 1
            type_ = "text" if sign == "||" else "number"
            left, right = self._of(type_, left), self._of(type_, self.product())
            if sign == "||":
                left = _values.joined_texts(left, right)
            else:
                left = self._fit(_values.added, left, right, less=sign == "-")
        return left

    def product(self) -> Typed:
        """Numbers multiplied and divided, or any other value; a quotient has no value until it is rounded."""
        left = self.value()
        while (sign := self._peek()) in ("*", "/"):
            self.at += 1
            left, right = self._number(left), self._number(self.value())
            left = self._fit(_values.times if sign == "*" else _values.quotient, left, right)
        return left

    def value(self) -> Typed:
        """A number, a text, a column, a call, or what stands in brackets."""
        kind, word, _ = self.tokens[self.at]
        self.at += kind != "end"
        if kind == "number":
            return self._fit(_values.written, word)
        if kind == "text":
            said = word[1:-1].replace("''", "'")
            return Typed(Term(pl.lit(said), literal(said)), "text", said=said)
        if word == "-":
            inner = self._number(self._nested(self.value))
            return dataclasses.replace(inner, term=Term(-inner.term.expr, f"(- {inner.term.sql})"), said=None)
        if word == "(":
            inner = self._nested(self.condition)
            self._needs(")")
            return inner
        if kind == "word" and self._peek() == "(" and word in FUNCTIONS:
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
        given = [self._nested(self.sum)]
        while self._takes(","):
            given.append(self._nested(self.sum))
        self._needs(")")
        most = FUNCTIONS[function].partition(")")[0].count(",") + 1
        least = 1 if function in _values.ROUND else most
        if not least <= len(given) <= most:
            self.fail(FUNCTIONS[function])
        found = self._called(function, given)
        if len(found.term.sql) > MAX_SQL:
            self.fail("it is too much for one condition")
        return found

    def _called(self, function: str, given: Sequence[Typed]) -> Typed:
        first, last = given[0], given[-1]
        if function in _values.ROUND:
            unit = Decimal(self._written(last)) if len(given) > 1 else Decimal(1)
            if not unit:
                self.fail("a unit is more than 0")
            return self._fit(_values.rounded, self._number(first), unit, function)
        if function in ("year", "month", "fiscal_year"):
            return _values.part_of(self._of("date", first), function)
        if function == "days":
            return self._fit(_values.days_between, *(self._of("date", self._day(one)) for one in given))
        if function.endswith("_after"):
            date, unit_ = self._of("date", self._day(first)), function.removesuffix("_after")
            return self._fit(_values.moved, date, self._of("number", last), unit_)
        if function == "slice":
            start, count = (int(self._written(one, whole=True)) for one in given[1:])
            return self._fit(_values.sliced, self._of("text", first), start, count)
        if function in _values.OF_TEXT:
            return _values.OF_TEXT[function](self._of("text", first))
        if function == "abs":
            first = self._of("number", first)
            return dataclasses.replace(first, term=Term(first.term.expr.abs(), f"abs({first.term.sql})"), said=None)
        first, last = self._alike(first, last)
        return (
            _values.first_of(first, last)
            if function == "coalesce"
            else _values.chosen(first, last, least=function == "least")
        )

    def _column(self, name: str) -> Typed:
        if name not in self.columns:
            self.at -= 1
            hint = did_you_mean(name, self.columns)
            self.fail(f"unknown column `{name[:60]}`{f' ({hint})' if hint else ''}")
        column = self.columns[name]
        self.reads.append(column)
        return self._fit(_values.of_column, column)

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
        left, right = self._exact(left), self._exact(right)
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
        return _values.day(said)

    def _of(self, type_: str, typed: Typed) -> Typed:
        if typed.type != type_:
            self.fail(f"{typed.type} stands where a {type_} is meant")
        return self._exact(typed)

    def _number(self, typed: Typed) -> Typed:
        """A number, or a quotient of numbers."""
        return typed if typed.by is not None else self._of("number", typed)

    def _exact(self, typed: Typed) -> Typed:
        if typed.by is not None:
            self.fail("a quotient is rounded: floor(a / b), ceil(a / b) or half_up(a / b), to a unit")
        return typed

    def _written(self, typed: Typed, *, whole: bool = False) -> str:
        """The number itself, where it must be written out."""
        if typed.type != "number" or typed.said is None or (whole and not 0 < int(Decimal(typed.said)) <= MAX_LENGTH):
            self.fail("a number above 0 must be written out here")
        return typed.said or ""

    def _fit(self, make: Callable[..., Typed], *given: object, **options: bool) -> Typed:
        try:
            return make(*given, **options)
        except UnfitError as error:
            self.fail(str(error))

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
    reader, whole = _read(text, columns)
    if whole.type != "condition":
        reader.fail("a value is no condition")
    if not reader.reads:
        reader.fail("no column is read")
    return whole.term, tuple(dict.fromkeys(reader.reads))


def read_value(text: str, columns: Mapping[str, Column]) -> tuple[Typed, tuple[Column, ...]]:
    """Read a value: a text, a number or a day; as `read` reads a condition."""
    reader, whole = _read(text, columns)
    if whole.type == "condition" or whole.by is not None:
        reader.fail("a condition or a quotient is no value")
    return whole, tuple(dict.fromkeys(reader.reads))


def _read(text: str, columns: Mapping[str, Column]) -> tuple[Reader, Typed]:
    reader = Reader(columns, [*_tokens(text)])
    whole = reader.condition()
    reader.end()
    return reader, whole


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
