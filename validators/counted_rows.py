"""An expectation that counts the rows of a query and asks for none of them: each query runs once instead of twice.

Importing this imports Great Expectations, which takes seconds; only the step that validates does.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations import UnexpectedRowsExpectation

COUNT = "unexpected_rows_query.row_count"


class CountedRowsExpectation(UnexpectedRowsExpectation):  # type: ignore[misc]  # the library is not typed
    """Rows that fail a rule, counted by the library's own metric; which they are, the other engine knows."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (COUNT,)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002  the library's own signature
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {"success": metrics[COUNT] == 0, "result": {"observed_value": metrics[COUNT]}}
