"""SQL scalar expressions: what no transform says, within an allow-list, typed before any data are read.

An expression is read by Polars' own SQL parser. Before that, every word of it is looked at here: names must be the
column's own, functions and operators must be known, and nothing can reach a file, another table or a comment. Whole
numbers are computed with 128 bits (the frame has them once more as `wide(column)`); an expression whose digits could overflow is refused, so that no row ever raises.
So is one whose text could grow beyond `MAX_TEXT`: `growth` computes the most characters that each part of it gives.

    "JJ-KAZEI" - "JJ-GENMEN"                    CASE WHEN kubun = '1' THEN a ELSE b END
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from mappings.growth import MAX_TEXT, NUMBER, Growth, TooLongError
from migration_reports.findings import did_you_mean

MAX_LENGTH, MAX_TOKENS, MAX_DEPTH = 2_000, 400, 20
MAX_DIGITS = 36
MAX_DIVIDED = 18
"""Digits of what is divided: Polars gives a quotient 64 bits."""

COUNTED = ("$occurrence", "$from", "$to")
"""What numbers of occurrences are called: they are short, so that one may be multiplied to number rows."""

UNKNOWN_WIDTH = 256
"""Characters of a text that no field's width is known of: an occurrence in a list, the name of a dump."""

FUNCTIONS = (
    "ABS", "CHAR_LENGTH", "COALESCE", "CONCAT", "CONCAT_WS", "ENDS_WITH", "GREATEST", "IF", "IFNULL", "LEAST", "LEFT",
    "LENGTH", "LOWER", "LPAD", "LTRIM", "MOD", "NULLIF", "REPLACE", "REVERSE", "RIGHT", "RPAD", "RTRIM", "SIGN",
    "STARTS_WITH", "STRPOS", "SUBSTR", "TRIM", "TRY_CAST", "UPPER",
)  # fmt: skip
KEYWORDS = (
    "AND", "AS", "BETWEEN", "BIGINT", "CASE", "ELSE", "END", "ESCAPE", "FALSE", "IN", "IS", "LIKE", "NOT", "NULL", "OR",
    "THEN", "TRUE", "VARCHAR", "WHEN",
)  # fmt: skip
OPERATORS = ("<=", ">=", "<>", "!=", "||", "//", "=", "<", ">", "+", "-", "*", "%", "(", ")", ",")

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<number>\d+(?:\.\d+)?)(?![\w.])
      | (?P<word>[^\W\d]\w*)
      | (?P<operator><=|>=|<>|!=|\|\||//|[=<>+\-*%(),])
    )""",
    re.VERBOSE,
)


class ExpressionError(Exception):
    """What is wrong with an expression, what is allowed, and what to do."""

    def __init__(self, message: str, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message, self.allowed, self.hint = message, allowed, hint


@dataclasses.dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression.

    Attributes:
        expr: the Polars expression, over the frame's columns.
        reads: the frame's columns that it reads.
        gives: the Polars type of its value.
        may_be_null: whether it says itself that there may be no value (NULL, NULLIF).
        longest: the most characters that its value has, as text.
    """

    expr: pl.Expr
    reads: tuple[str, ...]
    gives: pl.DataType
    may_be_null: bool
    longest: int


def compile_expression(
    text: str, names: Mapping[str, str], types: Mapping[str, pa.DataType], widths: Mapping[str, int]
) -> Expression:
    """Check an expression and give its Polars form.

    Args:
        text: the SQL.
        names: what it may call columns of the frame: name in the expression -> column.
        types: the columns' Arrow types.
        widths: the most characters that a column of text holds; `UNKNOWN_WIDTH` where none is given.

    Raises:
        ExpressionError: it cannot be used.
    """
    tokens = _tokens(text)
    by_fold = {name.casefold(): name for name in names}
    written: list[str] = []
    reads: list[str] = []
    columns: list[str | None] = []
    digits, widest, multiplied, divided = 0, 0, False, False
    for number, (kind, word) in enumerate(tokens):
        after = tokens[number + 1][1] if number + 1 < len(tokens) else ""
        columns.append(None)
        if kind == "word" and (after == "(" or word.upper() in KEYWORDS) and word.casefold() not in by_fold:
            if word.upper() not in (*FUNCTIONS, *KEYWORDS):
                raise ExpressionError(f"unknown function `{word[:40]}`", FUNCTIONS, did_you_mean(word, FUNCTIONS))
            to_number = word.upper() == "TRY_CAST" and _target(tokens, number) == "BIGINT"
            written.append("TRY_CAST(TRY_CAST" if to_number else word)
            digits += 18 * to_number
            widest = max(widest, 18 * to_number)
            if word.upper() == "BIGINT":
                # A converted number is computed with 128 bits like every other.
                written.append(") AS HUGEINT")
        elif kind in ("word", "quoted"):
            name = word if kind == "word" else word[1:-1].replace('""', '"')
            column = names.get(name) or names.get(by_fold.get(name.casefold(), ""))
            if column is None:
                raise ExpressionError(f"unknown name `{name[:60]}`", tuple(names)[:40], did_you_mean(name, names))
            if after == "(":
                raise ExpressionError(f"`{name[:60]}` is a field, and no function", FUNCTIONS)
            reads.append(column)
            columns[-1] = column
            digits += _digits(column, types)
            escaped = (wide(column) if pa.types.is_integer(types[column]) else column).replace('"', '""')
            written.append(f'"{escaped}"')
        else:
            written.append(word)
            digits += len(word.replace(".", "")) if kind == "number" else 0
            multiplied |= word == "*"
            divided |= word in ("//", "%")
        divided |= kind == "word" and word.upper() == "MOD"
    longest = _longest(tokens, columns, types, widths)
    reads = list(dict.fromkeys(reads))
    widest = max((widest, *(_digits(column, types) for column in reads)))
    if (multiplied and digits > MAX_DIGITS) or widest > MAX_DIGITS:
        raise ExpressionError(f"the numbers could have more than {MAX_DIGITS} digits, and overflow")
    if divided and (digits if multiplied else widest) > MAX_DIVIDED:
        raise ExpressionError(f"what is divided could have more than {MAX_DIVIDED} digits")
    expr, gives = _typed(" ".join(written), reads, types)
    upper = {word.upper() for kind, word in tokens if kind == "word"}
    return Expression(expr, tuple(reads), gives, bool(upper & {"NULL", "NULLIF"}), longest)


def _longest(
    tokens: list[tuple[str, str]],
    columns: list[str | None],
    types: Mapping[str, pa.DataType],
    widths: Mapping[str, int],
) -> int:
    """The most characters that an expression gives; one that could give too many, or is nested too deep, is refused.

    Args:
        tokens: the expression.
        columns: for each token the column that it names; None where it names none.
        types: the columns' Arrow types.
        widths: the most characters that a column of text holds.
    """
    texts = [widths.get(column, UNKNOWN_WIDTH) for column in columns if column and pa.types.is_string(types[column])]
    growth = Growth(max((MAX_TEXT, *texts)))
    try:
        for (kind, word), column in zip(tokens, columns, strict=True):
            if column is not None:
                growth.field(widths.get(column, UNKNOWN_WIDTH) if pa.types.is_string(types[column]) else NUMBER)
            elif kind == "text":
                growth.text(word)
            elif kind == "number":
                growth.number(word)
            elif kind == "operator":
                growth.operator(word)
            elif word.upper() in KEYWORDS:
                growth.keyword(word)
            else:
                growth.function(word)
            if growth.depth > MAX_DEPTH:
                raise ExpressionError(f"more than {MAX_DEPTH} brackets or CASEs one in another")
        return growth.end()
    except TooLongError as error:
        raise ExpressionError(error.message, hint=error.hint) from None


def _tokens(text: str) -> list[tuple[str, str]]:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH:,} characters")
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            rest = text[at:].lstrip()
            hint = {"/": "divide with //, which gives a whole number", ":": "TRY_CAST(... AS BIGINT) converts"}.get(
                rest[:1], ""
            )
            raise ExpressionError(f"`{rest[:20]}` cannot be read", OPERATORS, hint)
        if found["operator"] == "-" and tokens and tokens[-1][1] == "-":
            raise ExpressionError("`--` begins a comment", hint="write brackets around a negative number")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
        if len(tokens) > MAX_TOKENS:
            raise ExpressionError(f"more than {MAX_TOKENS} words")
    if not tokens:
        raise ExpressionError("there is nothing in it")
    return tokens


def _target(tokens: list[tuple[str, str]], number: int) -> str:
    """The type that the TRY_CAST at a token converts to."""
    depth = 0
    for at in range(number + 1, len(tokens)):
        depth += (tokens[at][1] == "(") - (tokens[at][1] == ")")
        if depth == 0:
            return tokens[at - 1][1].upper()
    return ""


def _typed(sql: str, reads: list[str], types: Mapping[str, pa.DataType]) -> tuple[pl.Expr, pl.DataType]:
    """The Polars expression, and the type it gives on these columns; Polars says what is wrong with it."""
    empty = pl.DataFrame(pl.from_arrow(pa.schema([(name, types[name]) for name in reads]).empty_table()))
    whole = [pl.col(name).cast(pl.Int128).alias(wide(name)) for name, kind in empty.schema.items() if kind.is_integer()]
    try:
        parsed = pl.sql_expr(sql)
        frame = empty.with_columns(whole)
        # One row without values, so that what only fails on data is found as well.
        result = pl.concat([frame, frame.clear(1)]).select(parsed.alias("value"))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise ExpressionError(f"SQL: {str(error).splitlines()[0][:160]}") from None
    if result.height > 1:
        raise ExpressionError("it does not give one value a row")
    return parsed, result.schema["value"]


def wide(column: str) -> str:
    """What a whole number is called where an expression sees it, with 128 bits."""
    return f"{column}$"


def _digits(column: str, types: Mapping[str, pa.DataType]) -> int:
    kind = types[column]
    if column.startswith(COUNTED):
        return 9
    if pa.types.is_decimal(kind):
        return int(kind.precision)
    return 18 if pa.types.is_integer(kind) else 0
