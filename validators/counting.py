"""Expectations that only count the rows that fail; which rows they are, the other engine knows.

Importing this imports Great Expectations, which takes seconds; only who evaluates suites does.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

OF_QUERY = "unexpected_rows_query.row_count"
OF_CONDITION = "failing_rows.count"


class CountedRows(UnexpectedRowsExpectation):  # type: ignore[misc]  # the library is not typed
    """The rows that a query gives; it runs once, where the library's own expectation would run it again for the rows."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (OF_QUERY,)

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        return _counted(metrics[OF_QUERY])


class FailingRows(TableMetricProvider):  # type: ignore[misc]
    """How many rows of the table a condition holds of: an aggregate, so that those of a table are asked in one pass."""

    metric_name = OF_CONDITION
    value_keys = ("condition",)

    @metric_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,  # noqa: N805  the library makes it a method of the class
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        condition = sa.literal_column(metric_value_kwargs["condition"], sa.Boolean)
        return sa.func.count().filter(condition), metric_domain_kwargs, {}


class CountedByCondition(BatchExpectation):  # type: ignore[misc]
    """The rows of the table of which a condition is true."""

    condition: str

    metric_dependencies: ClassVar[tuple[str, ...]] = (OF_CONDITION,)
    success_keys: ClassVar[tuple[str, ...]] = ("condition",)
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id", "row_condition", "condition_parser")

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        return _counted(metrics[OF_CONDITION])


def _counted(rows: int) -> dict[str, Any]:
    return {"success": rows == 0, "result": {"observed_value": rows}}
