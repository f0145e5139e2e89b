"""Organisation units (所属): departments, sections and subsections, each valid on days, with one reform on a first of April.

A code is valid on any day in one row at most. In the reform some sections were renamed and kept their code, and some were
closed with their subsections, each with a successor in the same department. Parents are valid as long as their children.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._tools import dates
from extractors.synthesis.town.contract import Attribute, Entity, Town

DEPARTMENTS = (
    "総務部 総務課 財政課 税務課 契約課|市民部 市民課 保険年金課 環境課|福祉部 福祉課 子育て支援課 高齢者支援課 障害福祉課|"
    "建設部 管理課 土木課 都市計画課 住宅課|産業部 農林課 商工観光課|教育委員会 学校教育課 生涯学習課 図書館"
)
SUBSECTIONS = ("庶務係", "事業係")
FOUNDED, REFORM = np.datetime64("2006-04-01"), np.datetime64("2022-04-01")
KEPT, RENAMED, CLOSED = 0, 1, 2


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:  # noqa: ARG001  the same for a small town and a large one
    """List the units, and draw what the reform made of each section."""
    units = _units()
    department, section = units["department"].to_numpy(), units["section"].to_numpy()
    fates = rng.choice(3, size=(department.max() + 1, section.max() + 1), p=(0.5, 0.25, 0.25))
    fates[0, 1:3] = RENAMED, CLOSED
    # The first section of a department takes over from those that were closed.
    fates[:, :2] = np.where(fates[:, :2] == CLOSED, KEPT, fates[:, :2])
    fates[:, 0] = KEPT
    fate = fates[department, section]
    closed, renamed = fate == CLOSED, (fate == RENAMED) & (units["kind"] == "2").to_numpy()
    until = dates(np.full(units.height, REFORM - 1), where=closed | renamed)
    heir = pl.Series(department * 10_000 + 100 + units["subsection"].to_numpy()).cast(pl.String).str.zfill(6)
    units = units.with_columns(
        valid_from=dates(np.full(units.height, FOUNDED)),
        valid_until=until,
        successor=pl.when(pl.Series(closed)).then(heir),
    )
    after = units.filter(pl.Series(renamed)).with_columns(
        name=pl.col("name").str.replace("課$", "推進課"),
        valid_from=pl.lit(REFORM).cast(pl.Date),
        valid_until=pl.lit(None, pl.Date),
    )
    names = [attribute.name for attribute in ENTITY.attributes]
    return pl.concat((units, after)).sort("section_code", "valid_from").select(names)


def _units() -> pl.DataFrame:
    rows = []
    for number, words in enumerate((line.split() for line in DEPARTMENTS.split("|")), 1):
        rows.append((number, 0, 0, words[0], "1"))
        for section, name in enumerate(words[1:], 1):
            rows.append((number, section, 0, name, "2"))
            rows += [(number, section, part, f"{name}{own}", "3") for part, own in enumerate(SUBSECTIONS, 1)]
    schema = ("department", "section", "subsection", "name", "kind")
    code = pl.col("department") * 10_000 + pl.col("section") * 100 + pl.col("subsection")
    above = pl.when(kind="3").then(code - pl.col("subsection")).when(kind="2").then(pl.col("department") * 10_000)
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        section_code=code.cast(pl.String).str.zfill(6),
        parent_code=above.cast(pl.String).str.zfill(6),
    )


ENTITY = Entity(
    "org_units",
    __doc__ or "",
    (
        Attribute("section_code", pl.String, "所属コード six digits: department, section, subsection"),
        Attribute("parent_code", pl.String, "上位所属 null for a department"),
        Attribute("name", pl.String, "所属名"),
        Attribute("kind", pl.String, "1 部 2 課 3 係"),
        Attribute("valid_from", pl.Date, "有効開始日"),
        Attribute("valid_until", pl.Date, "有効終了日 the last day; null for what is still there"),
        Attribute("successor", pl.String, "後継所属 of what was closed"),
    ),
    make,
    once=True,
)
