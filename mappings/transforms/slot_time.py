"""The time, HHMM, at which a slot of a day begins or ends; slots are numbered from 1.

    1  ->  0000        19 (minutes 30)  ->  0900        20 (edge end)  ->  1000        48 (edge end)  ->  2400
    3 (minutes 15, first 0830)  ->  0900        97 (edge end)  ->  fails: no day has it

Of a run of slots, `$from` begins it and `$to`, with `edge: end`, ends it. A time after midnight goes on counting, up to 47:59.

Source: JIS X 0301 (hours and minutes in four digits); 24:00 and later as attendance is kept, its form is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform

LAST = 47 * 60 + 59


class SlotTimeParams(Params):
    """minutes: how long a slot is (30); first: when slot 1 begins (0000); edge: start, or end of the slot (start)."""

    minutes: int = pydantic.Field(30, ge=1, le=1440)
    first: str = pydantic.Field("0000", pattern=r"^([01][0-9]|2[0-3])[0-5][0-9]$")
    edge: Literal["start", "end"] = "start"


def apply(values: Sequence[pl.Expr], params: SlotTimeParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Give the time; it fails where the slot lies before the first, or beyond the small hours of the next day."""
    (slot,) = values
    began = int(params.first[:2]) * 60 + int(params.first[2:])
    # Bounded before it is multiplied, so that no number overflows.
    minutes = slot.clip(0, LAST + 1) * params.minutes + began - (params.minutes if params.edge == "start" else 0)
    failed = (slot < 1) | (minutes > LAST)
    # A 1 in front, which is then cut off, keeps the zeros of the small hours.
    text = (10_000 + minutes // 60 * 100 + minutes % 60).cast(pl.String).str.slice(1)
    return Outcome(pl.when(~failed).then(text), failed=(("M331", failed),))


TRANSFORM = Transform(
    "slot_time", __doc__ or "", SlotTimeParams, takes=frozenset({"integer"}), gives="text", apply=apply, cheap=True
)
