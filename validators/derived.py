"""Rules that a target table implies: mandatory, length, codes, readable characters, key, references."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Protocol

import polars as pl
import sqlalchemy as sa

from validators.shapes._groups import later, later_sql
from validators.shapes._terms import quoted
from validators.shapes.contract import Expectation, Frames, Query, Rule

REFUSED = frozenset({"V401", "V402", "V404"})
"""What a promoted table refuses by its own constraints: a missing value, a text too long, a key twice."""

DANGLING = frozenset({"V405", "V406"})
"""What a promoted row would lack: its parent, which was never there, or was rejected."""


class Reference(Protocol):
    """Columns of a table that name a row of another one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that name it; where one of them is null, no row is named."""

    @property
    def table(self) -> str:
        """The other table."""

    @property
    def target(self) -> tuple[str, ...]:
        """The columns of it that are named."""

    @property
    def orphan(self) -> str:
        """What becomes of a row without its parent: it `falls` or `stays`."""


def derive(
    tables: Mapping[str, sa.Table], code_sets: Mapping[str, frozenset[str]], *, one_per_key: frozenset[str]
) -> tuple[Rule, ...]:
    """Derive the rules of some tables.

    Args:
        tables: the system's tables by name.
        code_sets: the codes of each code set.
        one_per_key: the tables in which a key may be staged several times, because one row of each is kept.
    """
    rules: list[Rule] = []
    for table in tables.values():
        for column in table.columns:
            if not column.info.get("lineage"):
                rules.extend(_column_rules(table, column, code_sets))
        if table.name not in one_per_key:
            rules.append(_key(table))
    return (*rules, *(_reference(table, reference, "V405") for table, reference in references(tables)))


def references(tables: Mapping[str, sa.Table]) -> tuple[tuple[sa.Table, Reference], ...]:
    """The references between some tables, each with the table that has it."""
    return tuple(
        (table, reference)
        for table in tables.values()
        for reference in table.info.get("references", ())
        if reference.table in tables
    )


def promoted_reference(table: sa.Table, reference: Reference) -> Rule:
    """A reference as a rule about the rows that would be promoted: whose parent would not be."""
    rule = _reference(table, reference, "V406")
    return dataclasses.replace(rule, name=f"{table.name}.{reference.columns[0]}.promoted")


def _column_rules(table: sa.Table, column: sa.Column[object], code_sets: Mapping[str, frozenset[str]]) -> list[Rule]:
    rules = []
    info, name = column.info, column.name
    group = str(info.get("date", name))

    def rule(kind: str, code: str, failing: pl.Expr, expectation: Expectation | Query) -> Rule:
        return Rule(
            f"{table.name}.{name}.{kind}",
            code,
            info.get("ja", name),
            info.get("en", name),
            table.name,
            (group,),
            failing,
            expectation,
        )

    value = pl.col(name)
    if not column.nullable and info.get("part") in (None, "source"):
        gx = Expectation("ExpectColumnValuesToNotBeNull", {"column": name})
        rules.append(rule("not_null", "V401", value.is_null(), gx))
    if "length" in info:
        gx = Expectation("ExpectColumnValueLengthsToBeBetween", {"column": name, "max_value": info["length"]})
        rules.append(rule("length", "V402", value.str.len_chars() > info["length"], gx))
    if info.get("kind") in ("J", "K"):
        query = Query(f'SELECT source_record FROM {{batch}} WHERE strpos("{name}", chr(65533)) > 0')  # noqa: S608
        rules.append(rule("readable", "V416", value.str.contains("\N{REPLACEMENT CHARACTER}", literal=True), query))
    codes = code_sets.get(str(info.get("code_set")))
    if codes is not None and info.get("code_width"):
        pattern = f"^(?:{'|'.join(re.escape(code) for code in sorted(codes))})+$"
        gx = Expectation("ExpectColumnValuesToMatchRegex", {"column": name, "regex": pattern})
        rules.append(rule("codes", "V403", ~value.str.contains(pattern), gx))
    elif codes is not None:
        gx = Expectation("ExpectColumnValuesToBeInSet", {"column": name, "value_set": sorted(codes)})
        rules.append(rule("codes", "V403", ~value.is_in(sorted(codes)), gx))
    return rules


def _key(table: sa.Table) -> Rule:
    """The second and later rows of a key fail, in the order of dump and record."""
    key = tuple(table.info["key"])

    def failing(frames: Frames) -> pl.LazyFrame:
        return later(frames[table.name].filter(pl.all_horizontal(pl.col(key).is_not_null())), key)

    present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)
    sql = later_sql([quoted(name) for name in key], present)
    return Rule(f"{table.name}.key", "V404", table.info["ja"], table.info["en"], table.name, key, failing, Query(sql))


def _reference(table: sa.Table, reference: Reference, code: str) -> Rule:
    columns, other, target = reference.columns, reference.table, reference.target

    def failing(frames: Frames) -> pl.LazyFrame:
        rows = frames[table.name].filter(pl.all_horizontal(pl.col(columns).is_not_null()))
        return rows.join(frames[other].select(target).unique(), left_on=columns, right_on=target, how="anti")

    present = " AND ".join(f'child."{name}" IS NOT NULL' for name in columns)
    same = " AND ".join(f'parent."{b}" = child."{a}"' for a, b in zip(columns, target, strict=True))
    sql = (
        f"SELECT child.source_record FROM (SELECT * FROM {{batch}}) AS child WHERE {present} "  # noqa: S608
        f"AND NOT EXISTS (SELECT 1 FROM {{{other}}} AS parent WHERE {same})"
    )
    ja, en = table.columns[columns[0]].info["ja"], table.columns[columns[0]].info["en"]
    name, kept = f"{table.name}.{columns[0]}.reference", reference.orphan == "stays"
    return Rule(name, code, ja, en, table.name, columns, failing, Query(sql), kept=kept, others=(other,))
