"""A number to the number that people decided stands for it: what they decided about candidates, followed and never guessed.

    0000005678, decided to be the same as 0000001234, which is kept  ->  0000001234        0000001234  ->  0000001234
    0000007777, about which nobody has decided  ->  0000007777, itself
    of a list that is compared with another table: what stands for it there; nobody has decided  ->  no value

Give it a column that refers to a person (業務宛名対応: the party of a local number), never the number by which the candidates are
found: every row stays, and no key of a system changes. `by` is the name of the candidates in the system's sheet; the decisions
lie in decisions/candidates.csv, where `hikkoshi candidates import` writes them.

Source: 番号法 and 地方公共団体情報システム標準化 統合宛名 (one person has one number); that a program only proposes is our own rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pydantic

from mappings.language.decisions import table_by
from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform


class ResolvedParams(Params):
    """by: the candidates whose decisions are followed."""

    by: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")

    @property
    def table(self) -> str:
        """Under which name the decisions stand among the tables."""
        return table_by(self.by)


def apply(values: Sequence[pl.Expr], params: ResolvedParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Take the number that stands for a number."""
    number, table = values[0].cast(pl.String), tables[params.table]
    found = number.replace_strict(
        pl.Series(list(table.codes), dtype=pl.String),
        pl.Series(list(table.codes.values()), dtype=pl.String),
        default=None,
        return_dtype=pl.String,
    )
    return Outcome(pl.coalesce(found, number) if table.others == "stay" else found)


TRANSFORM = Transform(
    "resolved", __doc__ or "", ResolvedParams, takes=frozenset({"text"}), gives="text", apply=apply, cheap=True
)
