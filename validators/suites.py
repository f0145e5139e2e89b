"""Suites of Great Expectations, evaluated on staged tables in PostgreSQL: plain data in, counts out.

Whoever imports this pays for neither Polars nor Great Expectations; whoever evaluates pays for the latter, once.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import sqlalchemy as sa

QUERY, CONDITION = "query", "condition"
"""The kinds that are not Great Expectations' own: the rows of a query, and the rows of which a condition is true."""

SESSION = "SET client_connection_check_interval = '5s'; SET max_parallel_workers_per_gather = 0"
"""Of the sessions that count: no query outlives who asked for it; and two of them leave no core for workers."""

AT_ONCE = 2
"""So many tables are asked at once, each over a connection of its own."""


class Asked(TypedDict):
    """One expectation: the rule that it is, its kind (a class of Great Expectations', or one of ours), its arguments."""

    rule: str
    kind: str
    arguments: dict[str, Any]


class Suite(TypedDict):
    """What is expected of one table."""

    schema: str
    table: str
    expectations: list[Asked]


class BrokenRuleError(RuntimeError):
    """An expectation could not be evaluated: a bug, and no bad data."""


def load() -> Any:
    """Import Great Expectations, quietly; it takes seconds."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    for name in ("great_expectations", "great_expectations._docs_decorators"):
        logging.getLogger(name).setLevel(logging.WARNING)
    import great_expectations  # noqa: PLC0415  two to eight seconds, for whoever evaluates

    from validators import counting  # noqa: PLC0415

    return great_expectations, counting


def evaluate(suites: Sequence[Suite], url: str) -> Mapping[str, int]:
    """Evaluate suites.

    Args:
        suites: one of each table.
        url: the database; a host must stand in it, as Great Expectations demands.

    Returns:
        How many rows fail, by rule.

    Raises:
        BrokenRuleError: an expectation could not be evaluated.
        sqlalchemy.exc.DBAPIError: the database itself failed: it has gone away, or refused a right.
    """
    with _database_heard():
        return _evaluate(suites, url)


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


def _evaluate(suites: Sequence[Suite], url: str) -> Mapping[str, int]:
    gx, _ = load()
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    waiting, several = iter(suites), range(min(AT_ONCE, len(suites)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = pool.map(lambda number: _evaluate_waiting(context, f"staging_{number}", url, waiting), several)
        return dict(itertools.chain.from_iterable(counts))


def _evaluate_waiting(context: Any, name: str, url: str, waiting: Iterator[Suite]) -> list[tuple[str, int]]:
    """Evaluate suites as long as there are any, over a connection of its own."""
    # Its check of URLs takes no space, and a `$` would name one of its own settings.
    written = sa.make_url(url).render_as_string(hide_password=False).replace(" ", "%20")
    source = context.data_sources.add_postgres(name, connection_string=written)
    engine = source.get_execution_engine().engine
    sa.event.listen(engine, "connect", _prepare)
    try:
        return [counted for suite in waiting for counted in _evaluate_one(context, source, suite)]
    finally:
        engine.dispose()


def _evaluate_one(context: Any, source: Any, suite: Suite) -> list[tuple[str, int]]:
    gx, counting = load()
    table = suite["table"]
    asset = source.add_table_asset(table, table_name=table, schema_name=suite["schema"])
    batch = asset.add_batch_definition_whole_table("all")
    expected = [_expectation(gx.expectations, counting, asked) for asked in suite["expectations"]]
    named = context.suites.add(gx.ExpectationSuite(name=table, expectations=expected))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=table, data=batch, suite=named))
    outcome = definition.run(result_format={"result_format": "BASIC", "partial_unexpected_count": 0})
    return [_count(result) for result in outcome.results]


def _prepare(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SESSION)
    connection.commit()


def _expectation(family: Any, counting: Any, asked: Asked) -> Any:
    meta, arguments = {"rule": asked["rule"]}, asked["arguments"]
    if asked["kind"] == QUERY:
        return counting.CountedRows(unexpected_rows_query=arguments["sql"], meta=meta, description=asked["rule"])
    if asked["kind"] == CONDITION:
        return counting.CountedByCondition(condition=arguments["sql"], meta=meta, description=asked["rule"])
    return getattr(family, asked["kind"])(**arguments, meta=meta)


def _count(result: Any) -> tuple[str, int]:
    """A rule and how many rows of it fail."""
    name, counted = str((result.expectation_config.meta or {})["rule"]), result.result
    if result.exception_info and _raised(result.exception_info):
        raise BrokenRuleError(f"rule {name} could not be evaluated by Great Expectations")
    for key in ("unexpected_count", "observed_value"):
        if isinstance(counted.get(key), int):
            return name, int(counted[key])
    if "unexpected_count" in counted and counted.get("element_count", 0) == counted.get("missing_count", 0):
        # Of no values at all Great Expectations gives no count.
        return name, 0
    raise BrokenRuleError(f"of rule {name} Great Expectations gave no count")


def _raised(info: Mapping[str, Any]) -> bool:
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(part, Mapping) and part.get("raised_exception") for part in info.values())
