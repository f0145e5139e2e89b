"""Rules that a target table implies: mandatory, length, form, codes, readable characters, key, references."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator, Mapping

import polars as pl
import sqlalchemy as sa

from migration_reports.codes import CodeSet
from migration_reports.items import Item, Reference, filled_as, form_of, heading, is_text, item_of, table_of
from validators.shapes._groups import later, later_sql
from validators.shapes._terms import literal, quoted
from validators.shapes.contract import Expectation, Frames, Query, Rule, Where

REFUSED = frozenset({"V401", "V402", "V404", "V421"})
"""What a promoted table refuses by its own constraints: a missing value, a text too long, a key twice, another form."""

REFUSED_FORM = r"^([$](2[abxy]|1|5|6|y|argon2id?|pbkdf2[-a-z0-9]*)[$]|[{](S?SHA|SHA256|SSHA256|SHA512|SSHA512|SMD5|MD5|CRYPT)[}]|-----BEGIN )"
"""How programs write what they keep of a password (crypt, bcrypt, Argon2, PBKDF2, LDAP's schemes), and keys (PEM)."""

SHORTEST_REFUSED = 20

DANGLING = frozenset({"V405", "V406"})
"""What a promoted row would lack: its parent, which was never there, or was rejected."""


def derive(
    tables: Mapping[str, sa.Table],
    code_sets: Mapping[str, CodeSet],
    *,
    one_per_key: frozenset[str],
    reference_date: datetime.date | None = None,
) -> tuple[Rule, ...]:
    """Derive the rules of some tables.

    Args:
        tables: the tables by key.
        code_sets: the code sets; one that still lacks the municipality's own list is not judged.
        one_per_key: the tables in which a key may be staged several times, because one row of each is kept.
        reference_date: 基準日, on which a code must hold that no item's day judges; None: on any day.
    """
    day = None if reference_date is None else reference_date.strftime("%Y%m%d")
    rules: list[Rule] = []
    for table in tables.values():
        for column in table_of(table).columns:
            rules.extend(_column_rules(table, column))
            rules.extend(_item_rules(table, column, code_sets, day))
        if table.key not in one_per_key:
            rules.append(_key(table))
    return (*rules, *(reference_rule(table, reference) for table, reference in references(tables)))


def references(tables: Mapping[str, sa.Table]) -> tuple[tuple[sa.Table, Reference], ...]:
    """The references of some tables, also to tables of other systems, each with the table that has it."""
    return tuple((table, reference) for table in tables.values() for reference in table_of(table).references)


def reference_rule(table: sa.Table, reference: Reference) -> Rule:
    """A reference as a rule about all staged rows: whose parent never came."""
    return _reference(table, reference, "V405")


def promoted_reference(table: sa.Table, reference: Reference) -> Rule:
    """A reference as a rule about the rows that would be promoted: whose parent would not be."""
    rule = _reference(table, reference, "V406")
    return dataclasses.replace(rule, name=f"{table.key}.{reference.columns[0]}.promoted")


def _column_rules(table: sa.Table, column: sa.Column[object]) -> Iterator[Rule]:
    """What a column says of its values one by one: mandatory, length, form, readable."""
    head, item, name, value = heading(column), item_of(column), column.name, pl.col(column.name)

    def rule(kind: str, code: str, failing: pl.Expr, expectation: Expectation | Where) -> Rule:
        title, of = f"{table.key}.{name}.{kind}", (filled_as(column),)
        return Rule(title, code, head.ja, head.en, table.key, of, failing, expectation)

    # Of a date its text must be there; where it is of the table's key, its key, and that says what is not known.
    dated = item.name in table_of(table).dates
    if (item.must and head.part not in ("key", "precision") and not dated) or name in table_of(table).key:
        gx = Expectation("ExpectColumnValuesToNotBeNull", {"column": name})
        yield rule("not_null", "V401", value.is_null(), gx)
    if is_text(item):
        gx = Expectation("ExpectColumnValueLengthsToBeBetween", {"column": name, "max_value": item.length})
        yield rule("length", "V402", value.str.len_chars() > item.length, gx)
    if _narrow(column, item):
        most = 10 ** (item.length - item.scale)
        yield rule("digits", "V421", value.abs() >= most, Where(f'abs("{name}") >= {most}'))
    form = form_of(item, head.part)
    if form is not None and item.kind != "D":
        gx = Expectation("ExpectColumnValuesToMatchRegex", {"column": name, "regex": form})
        yield rule("form", "V421", ~value.str.contains(form), gx)
    if item.kind in ("A", "L") and not 0 < item.length < SHORTEST_REFUSED:
        yield rule("secret", "V444", value.str.contains(REFUSED_FORM), Where(f'"{name}" ~ {literal(REFUSED_FORM)}'))
    if item.kind in ("J", "K", "L"):
        unreadable = value.str.contains("\N{REPLACEMENT CHARACTER}", literal=True)
        yield rule("readable", "V416", unreadable, Where(f'strpos("{name}", chr(65533)) > 0'))


def _item_rules(
    table: sa.Table, column: sa.Column[object], code_sets: Mapping[str, CodeSet], day: str | None
) -> Iterator[Rule]:
    """What an item says of its values together, said at its first column: its codes, and that it is whole."""
    item = item_of(column)
    if column.name != item.columns[0]:
        return
    if item.name in table_of(table).dates:
        yield _unknown(table, item)
    codes = code_sets.get(item.code_set)
    if codes is not None and not codes.open:
        yield _codes(table, item, codes, day)
    if item.kind in ("G", "B"):
        yield _whole(table, item)
    if item.kind == "G":
        yield _valid(table, item)


def _unknown(table: sa.Table, item: Item) -> Rule:
    """A date of the key of which nothing is known: the row keeps its place among the others, and somebody is told."""
    key, name = f"{item.name}_key", f"{table.key}.{item.name}.known"
    failing, sql = pl.col(key) == "00000000", Where(f"\"{key}\" = '00000000'")
    return Rule(name, "V443", item.ja, item.en, table.key, (item.name,), failing, sql)


def awaiting_codes(tables: Mapping[str, sa.Table], code_sets: Mapping[str, CodeSet]) -> tuple[Rule, ...]:
    """The rules of codes that wait for the municipality's own list, and judge nothing until it is given."""
    return tuple(
        _codes(table, item, code_sets[item.code_set], None)
        for table in tables.values()
        for item in table_of(table).items
        if item.code_set in code_sets and code_sets[item.code_set].open
    )


def _narrow(column: sa.Column[object], item: Item) -> bool:
    """Whether a number's column holds more digits than the item has: a whole number's always, else another edition's."""
    room = column.type.precision if isinstance(column.type, sa.Numeric) else None
    return item.length > 0 and (item.kind == "I" or (item.kind in ("M", "R") and (room or 0) > item.length))


def _whole(table: sa.Table, item: Item) -> Rule:
    """Of an attachment all columns have a value, or none, and of a geometry those that are it."""
    empty = pl.sum_horizontal(pl.col(name).is_null() for name in item.whole)
    columns = ", ".join(f'"{name}"' for name in item.whole)
    sql = f"num_nulls({columns}) NOT IN (0, {len(item.whole)})"
    failing = ~empty.is_in([0, len(item.whole)])
    return Rule(
        f"{table.key}.{item.name}.whole", "V421", item.ja, item.en, table.key, item.columns, failing, Where(sql)
    )


def _valid(table: sa.Table, item: Item) -> Rule:
    """A geometry does not cross itself: judged where it was mapped, and asked for here, so that both engines can."""
    column = f"{item.name}_valid"
    failing, sql = pl.col(column) == 0, Where(f'"{column}" = 0')
    return Rule(f"{table.key}.{item.name}.valid", "V492", item.ja, item.en, table.key, (item.name,), failing, sql)


def _codes(table: sa.Table, item: Item, codes: CodeSet, day: str | None) -> Rule:
    """The code is one of its set, and holds: on the day of the row's date item, or else on the reference date."""
    name, value = f"{table.key}.{item.name}.codes", pl.col(item.name)

    def rule(failing: pl.Expr, expectation: Expectation | Where, *besides: str) -> Rule:
        of = (item.name, *besides)
        return Rule(name, "V403", item.ja, item.en, table.key, of, failing, expectation)

    if item.judged_on and codes.dated:
        failing, sql = _held_on(item.name, f"{item.judged_on}_key", codes)
        return rule(failing, Where(sql), item.judged_on)
    held = sorted(codes.ever if item.judged_on else codes.on(day))
    if item.width:
        pattern = f"^(?:{'|'.join(map(re.escape, held))})+$"
        gx = Expectation("ExpectColumnValuesToMatchRegex", {"column": item.name, "regex": pattern})
        return rule(~value.str.contains(pattern), gx)
    return rule(
        ~value.is_in(held), Expectation("ExpectColumnValuesToBeInSet", {"column": item.name, "value_set": held})
    )


def _held_on(name: str, key: str, codes: CodeSet) -> tuple[pl.Expr, str]:
    """The rows whose code does not hold on any day that their date may mean, as a mask and as SQL.

    What is not known of a date is 00 in its key: the first day that it may mean sorts like the key itself, the last one
    like the key with nines. Days that no calendar has sort among the others. Where nothing is known, any day is meant.
    """
    parts = ((0, 4, "0000", "9999"), (4, 2, "00", "99"), (6, 2, "00", "99"))
    day, value = pl.col(key).fill_null("00000000"), pl.col(name)
    first, last = (
        day,
        pl.concat_str([day.str.slice(at, size).replace(unknown, most) for at, size, unknown, most in parts]),
    )
    sql_day = f"coalesce(\"{key}\", '00000000')"
    sql_last = " || ".join(
        f"replace(substr({sql_day}, {at + 1}, {size}), '{unknown}', '{most}')" for at, size, unknown, most in parts
    )
    times: dict[tuple[str, str], list[str]] = {}
    for line in codes.codes:
        times.setdefault((line.valid_from or "00000000", line.valid_to or "99999999"), []).append(line.code)
    held = pl.any_horizontal(
        value.is_in(some) & (last >= begin) & (first <= end) for (begin, end), some in times.items()
    )
    said = " OR ".join(
        f"(\"{name}\" IN ({', '.join(map(_literal, some))}) AND {sql_last} >= '{begin}' AND {sql_day} <= '{end}')"
        for (begin, end), some in times.items()
    )
    return value.is_not_null() & ~held, f'"{name}" IS NOT NULL AND NOT ({said})'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _key(table: sa.Table) -> Rule:
    """The second and later rows of a key fail, in the order of dump and record."""
    head = table_of(table)
    key = head.key

    def failing(frames: Frames) -> pl.LazyFrame:
        return later(frames[table.key].filter(pl.all_horizontal(pl.col(key).is_not_null())), key)

    present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)
    sql = later_sql([quoted(name) for name in key], present)
    by = {table.key: tuple(map(pl.col, key))}
    return Rule(f"{table.key}.key", "V404", head.ja, head.en, table.key, key, failing, Query(sql), divided_by=by)


def _reference(table: sa.Table, reference: Reference, code: str) -> Rule:
    columns, other, target = reference.columns, reference.table, reference.target

    def failing(frames: Frames) -> pl.LazyFrame:
        rows = frames[table.key].filter(pl.all_horizontal(pl.col(columns).is_not_null()))
        return rows.join(frames[other].select(target).unique(), left_on=columns, right_on=target, how="anti")

    present = " AND ".join(f'child."{name}" IS NOT NULL' for name in columns)
    same = " AND ".join(f'parent."{b}" = child."{a}"' for a, b in zip(columns, target, strict=True))
    sql = (
        f"SELECT child.source_record FROM (SELECT * FROM {{batch}}) AS child WHERE {present} "  # noqa: S608
        f"AND NOT EXISTS (SELECT 1 FROM {{{other}}} AS parent WHERE {same})"
    )
    named = heading(table.columns[columns[0]])
    name, kept = f"{table.key}.{columns[0]}.reference", reference.orphan == "stays"
    # A table that names itself is read in two ways at once.
    by = {} if other == table.key else {table.key: tuple(map(pl.col, columns)), other: tuple(map(pl.col, target))}
    return Rule(
        name,
        code,
        named.ja,
        named.en,
        table.key,
        columns,
        failing,
        Query(sql),
        kept=kept,
        others=(other,),
        divided_by=by,
    )
