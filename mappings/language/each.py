"""What gives a row each besides a record: the occurrences of a table, or runs of equal ones."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from migration_reports.specs import Spec


class EachSpec(Spec):
    """The table whose occurrences, or runs of equal ones, give a row each."""

    written: ClassVar[tuple[str, ...]] = ("runs", "values", "besides")
    """The keys that people write; those of the model are what they come to."""

    table: str
    runs: bool = False
    values: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


def _each(value: Any) -> Any:
    if isinstance(value, str):
        return {"table": value}
    if isinstance(value, dict) and "runs" not in value:
        raise ValueError("names a table, or the `runs:` of one, with `values:` or `besides:`")
    return {**value, "table": value["runs"], "runs": True} if isinstance(value, dict) else value


class RunsSpec(Spec):
    """A row for each run of equal occurrences: `$from` and `$to` are its first and last, `$value` what they hold."""

    runs: str = Field(description="the table (OCCURS), of one elementary item")
    values: tuple[str, ...] = Field((), description="the values whose runs give a row; left out: every value")
    besides: tuple[str, ...] = Field((), description="the values whose runs give none")


Each = Annotated[EachSpec, BeforeValidator(_each, json_schema_input_type=str | RunsSpec)]
