"""Running rules: in Polars over every staged row, and in Great Expectations on the staged tables; the counts compared."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Severity, finding, findings_at, join_findings
from validators.derived import DANGLING, REFUSED
from validators.elsewhere import Elsewhere
from validators.shapes.contract import Frames, Query, Rule

NOTHING: Mapping[str, Elsewhere] = MappingProxyType({})

PLACE = ("source_dump", "source_record", "_offset", "_part")


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Where a column comes from: source fields, the first one's byte offset in the record, kind, mapping line."""

    fields: tuple[str, ...]
    offset: int
    kind: str
    mapping: str


Origins = Mapping[tuple[str, str, str, int], Origin]
"""By (table, column or date, dump, part of the table)."""


def run_polars(rules: Sequence[Rule], frames: Frames) -> Mapping[str, pl.DataFrame]:
    """Evaluate rules over every staged row.

    Args:
        rules: the rules.
        frames: the staged rows by table.

    Returns:
        For each rule's name the failing rows: source_dump, source_record, _offset, _part.
    """
    failing: dict[str, pl.DataFrame] = {}
    by_table: dict[str, list[Rule]] = {}
    for rule in rules:
        if isinstance(rule.failing, pl.Expr):
            by_table.setdefault(rule.table, []).append(rule)
        else:
            failing[rule.name] = rule.failing(frames).select(PLACE).sort(PLACE).collect()
    for table, of_table in by_table.items():
        # One pass counts every rule; only those that some row fails are asked again for their rows.
        masks = {
            rule.name: rule.failing.fill_null(value=False) for rule in of_table if isinstance(rule.failing, pl.Expr)
        }
        counts = (
            frames[table].select(mask.sum().alias(name) for name, mask in masks.items()).collect(engine="streaming")
        )
        for name, mask in masks.items():
            if counts[name][0]:
                failing[name] = frames[table].filter(mask).select(PLACE).sort(PLACE).collect(engine="streaming")
            else:
                failing[name] = pl.DataFrame(
                    schema={"source_dump": pl.String, "source_record": pl.Int64, "_offset": pl.Int64, "_part": pl.Int16}
                )
    return failing


def run_gx(
    rules: Sequence[Rule],
    *,
    url: str,
    schema: str,
    named: Callable[[str], str],
    elsewhere: Mapping[str, Elsewhere] = NOTHING,
) -> Mapping[str, int]:
    """Evaluate the same rules by Great Expectations on the staged tables in PostgreSQL.

    Args:
        rules: the rules.
        url: the database; a host must stand in it, as Great Expectations demands.
        schema: the run's staging schema.
        named: gives for a table's key what it is called there.
        elsewhere: the tables that are read and do not lie there.

    Returns:
        How many rows fail, by rule name.

    Raises:
        RuntimeError: an expectation could not be evaluated; that is a broken rule, not bad data.
        sqlalchemy.exc.DBAPIError: the database itself failed: it has gone away, or refused a right.
    """

    def place(table: str) -> str:
        return elsewhere[table].place if table in elsewhere else f'"{schema}"."{named(table)}"'

    with _database_heard():
        return _run_gx(rules, url, schema, named, place)


@contextlib.contextmanager
def _database_heard() -> Iterator[None]:
    """Let the database's own failure out, whatever Great Expectations makes of it.

    The library wraps it in errors of its own, or answers `success=False` beside a text; so it is listened to where
    SQLAlchemy meets it. What the database says of a statement is a broken rule's, and stays with the library.
    """
    heard: list[sa.exc.DBAPIError] = []

    def hear(context: sa.engine.ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if isinstance(error, sa.exc.DBAPIError) and not _of_the_statement(error):
            heard.append(error)

    sa.event.listen(sa.Engine, "handle_error", hear)
    try:
        yield
    except Exception:
        if heard:
            raise heard[0] from None
        raise
    finally:
        sa.event.remove(sa.Engine, "handle_error", hear)
    if heard:
        # A result that was come by while the database went away is none.
        raise heard[0]


def _of_the_statement(error: sa.exc.DBAPIError) -> bool:
    """Whether an error is about the statement: what it names, how it is written, or the values it computes with.

    25P02 only follows another error, in the same transaction.
    """
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None:
        return not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
    return sqlstate == "25P02" or (sqlstate[:2] in ("21", "22", "42") and sqlstate != "42501")


def _run_gx(
    rules: Sequence[Rule], url: str, schema: str, named: Callable[[str], str], place: Callable[[str], str]
) -> Mapping[str, int]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    for name in ("great_expectations", "great_expectations._docs_decorators"):
        logging.getLogger(name).setLevel(logging.WARNING)
    import great_expectations as gx  # noqa: PLC0415  four to eight seconds, paid only by this step
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    from validators.counted_rows import CountedRowsExpectation  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # Its check of URLs takes no space, and a `$` would name one of its own settings.
    written = sa.make_url(url).render_as_string(hide_password=False).replace(" ", "%20")
    source = context.data_sources.add_postgres("staging", connection_string=written)
    tables = sorted({rule.table for rule in rules})
    counts: dict[str, int] = {}
    for table in tables:
        of_table = [rule for rule in rules if rule.table == table]
        asset = source.add_table_asset(table, table_name=named(table), schema_name=schema)
        batch = asset.add_batch_definition_whole_table("all")
        suite = gx.ExpectationSuite(name=table)
        for rule in of_table:
            suite.add_expectation(_expectation(gx.expectations, CountedRowsExpectation, rule, place))
        context.suites.add(suite)
        definition = gx.ValidationDefinition(name=table, data=batch, suite=suite)
        context.validation_definitions.add(definition)
        outcome = definition.run(result_format={"result_format": "BASIC", "partial_unexpected_count": 0})
        for result in outcome.results:
            name = str((result.expectation_config.meta or {})["rule"])
            if result.exception_info and _raised(result.exception_info):
                raise RuntimeError(f"rule {name} could not be evaluated by Great Expectations")
            counts[name] = _count(result.result)
    return counts


def findings(rule: Rule, failing: pl.DataFrame, *, earlier: pl.DataFrame, origins: Origins) -> pa.RecordBatch:
    """Make one finding for each failing row, unless its cause has been reported already.

    A row's cause has been reported where `earlier` has an error or an alert on one of the fields that the rule's
    columns come from, of the same dump and record. A note names no cause; an alert does not stand for what the
    database itself would refuse, nor for a parent that is missing, for it lets the row be promoted.

    Args:
        rule: the rule.
        failing: its failing rows.
        earlier: all findings so far (schema FINDINGS).
        origins: where each column comes from.
    """
    severities = [Severity.ERROR.value, *([] if rule.code in REFUSED | DANGLING else [Severity.ALERT.value])]
    causes = earlier.filter(pl.col("severity").is_in(severities))
    batches = []
    for (dump, part), rows in failing.group_by("source_dump", "_part", maintain_order=True):
        places = [(rule.table, column, str(dump), int(str(part))) for column in rule.columns]
        known = [origins[place] for place in places if place in origins]
        fields = sorted({field for origin in known for field in origin.fields})
        said = causes.filter((pl.col("dump") == dump) & pl.col("field").is_in(fields)).select("record").unique()
        new = rows.unique(["source_record"], keep="first", maintain_order=True).join(
            said, left_on="source_record", right_on="record", how="anti", maintain_order="left"
        )
        if new.is_empty():
            continue
        first = known[0] if known else Origin((), 0, "", "")
        batches.append(
            findings_at(
                rule.code,
                rule.severity,
                dump=str(dump),
                kind=first.kind or None,
                record=new["source_record"].to_numpy(),
                offset=(new["_offset"] + first.offset).to_numpy(),
                field=first.fields[0] if first.fields else None,
                table=rule.table,
                column=rule.columns[0],
                mapping=first.mapping or None,
            )
        )
    return join_findings(batches)


def compare(rules: Sequence[Rule], polars_counts: Mapping[str, int], gx_counts: Mapping[str, int]) -> pa.RecordBatch:
    """Give a finding for each rule that the two engines count differently."""
    return join_findings(
        [
            finding(
                "C510",
                CATALOGUE["C510"].severity,
                table=rule.table,
                column=rule.columns[0],
                detail=f"{rule.name}: {polars_counts[rule.name]} and {gx_counts.get(rule.name)}",
            )
            for rule in rules
            if polars_counts[rule.name] != gx_counts.get(rule.name)
        ]
    )


def _expectation(family: Any, counted: Any, rule: Rule, place: Callable[[str], str]) -> Any:
    meta = {"rule": rule.name}
    if isinstance(rule.expectation, Query):
        sql = rule.expectation.placed(place)
        return counted(unexpected_rows_query=sql, meta=meta, description=rule.name)
    return getattr(family, rule.expectation.kind)(**rule.expectation.arguments, meta=meta)


def _raised(info: Mapping[str, Any]) -> bool:
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(part, Mapping) and part.get("raised_exception") for part in info.values())


def _count(result: Mapping[str, Any]) -> int:
    for key in ("unexpected_count", "observed_value"):
        if isinstance(result.get(key), int):
            return int(result[key])
    if "unexpected_count" in result and result.get("element_count", 0) == result.get("missing_count", 0):
        # Of no values at all Great Expectations gives no count.
        return 0
    raise RuntimeError("Great Expectations gave no count")
