"""Conventions that every standard system's tables follow: types, names, the municipality partition, attributes.

Each item carries in `Column.info` the attributes that 中間標準レイアウト仕様 gives an item (名称, 型, 桁数, 外字使用,
コード); the Japanese name is its COMMENT. We claim no conformance: `based_on` says what a table follows.

Every table's key begins with the municipality's code, and its rows say which dump, record and run they came from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa

from migration_reports.findings import Position

SCHEMA = "joint"
"""The database schema of the promoted tables; a rehearsal's lie beside it (`target_schemas.postgres.areas`)."""

SCHEMA_VERSION = "2"
"""The form of the database; a database of another form is refused."""

METADATA = sa.MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    },
)

PRECISIONS = ("day", "month", "year", "unknown", "impossible")
"""How much of a date is known; `impossible` is a date that stands in the register but in no calendar."""


@dataclasses.dataclass(frozen=True, slots=True)
class CodeSet:
    """コード構成表: the codes that a column may hold, each with its label in Japanese and English."""

    name: str
    ja: str
    en: str
    codes: Mapping[str, tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class System:
    """One standard system: its tables in load order, and its code sets."""

    name: str
    title_ja: str
    title_en: str
    based_on: str
    tables: tuple[sa.Table, ...]
    code_sets: tuple[CodeSet, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """Columns that name a row of another table. Kept by a rule, not by a foreign key: legacy registers break them.

    Attributes:
        columns: the columns that name it; where one of them is null, no row is named.
        table: the other table.
        target: the columns of it that are named; they need not be its whole key.
        orphan: what becomes of a row whose parent is not there or is rejected. It `falls`: an error, its record is
            rejected. Or it `stays`: an alert, it is promoted once a person has approved.
        because: why, in a sentence.
    """

    columns: tuple[str, ...]
    table: str
    target: tuple[str, ...]
    orphan: Literal["falls", "stays"]
    because: str


@dataclasses.dataclass(frozen=True, slots=True)
class RuleSpec:
    """One instance of a rule's shape, as a system declares it. `validators` proves its parameters against the tables.

    Attributes:
        name: its name, of its own within the system.
        shape: the shape.
        of: the table whose rows it judges.
        parameters: what it sets, the shape's own value under the shape's name: texts, lists and mappings.
        severity: as it says, or empty: the shape's own.
        source: the statute or specification that asks for it.
        position: where it stands.
    """

    name: str
    shape: str
    of: str
    parameters: Mapping[str, Any]
    severity: Literal["", "error", "alert", "note"]
    source: str
    position: Position


def table(
    name: str,
    ja: str,
    en: str,
    *columns: sa.Column[object] | list[sa.Column[object]],
    key: tuple[str, ...],
    based_on: str,
    references: tuple[Reference, ...] = (),
    critical: bool = False,
) -> sa.Table:
    """Make a municipal table: partitioned by municipality, keyed, with lineage columns and checks.

    Args:
        name: its name.
        ja: its Japanese name, the COMMENT.
        en: its English name.
        columns: the system's own columns (a date is a list of three).
        key: the key's columns after municipality_code.
        based_on: the published specification that the table follows in words and structure.
        references: columns that name rows of other tables.
        critical: whether losing a single row endangers somebody, so that no rejection of one can be accepted.
    """
    own = [column for part in columns for column in (part if isinstance(part, list) else [part])]
    checks = []
    for column in own:
        info = column.info
        if "length" in info:
            checks.append(
                sa.CheckConstraint(
                    sa.func.char_length(sa.column(column.name)) <= info["length"], name=f"{column.name}_length"
                )
            )
        if info.get("part") == "key":
            checks.append(sa.CheckConstraint(sa.text(f"{column.name} ~ '^[0-9]{{8}}$'"), name=f"{column.name}_form"))
        if info.get("part") == "precision":
            checks.append(sa.CheckConstraint(sa.column(column.name).in_(PRECISIONS), name=f"{column.name}_value"))
    return sa.Table(
        name,
        METADATA,
        _lineage("municipality_code", sa.Text, "団体コード", "municipality code"),
        *own,
        _lineage("source_dump", sa.Text, "移行元ファイル", "source dump"),
        _lineage("source_record", sa.BigInteger, "移行元レコード番号", "source record number"),
        _lineage("run_id", sa.Text, "移行実行番号", "run"),
        sa.PrimaryKeyConstraint("municipality_code", *key),
        *checks,
        comment=ja,
        info={
            "ja": ja,
            "en": en,
            "based_on": based_on,
            "references": references,
            "key": key,
            "critical": critical,
        },
        postgresql_partition_by="LIST (municipality_code)",
    )


def text(
    name: str,
    ja: str,
    en: str,
    *,
    kind: str,
    length: int,
    nullable: bool = True,
    gaiji: bool = False,
    code_set: str | None = None,
    code_width: int = 0,
    check: str | None = None,
) -> sa.Column[object]:
    """Make a text column.

    Args:
        name: its name.
        ja: its Japanese name, the COMMENT.
        en: its English name.
        kind: the item's type: N digits, A half-width, K kana, J Japanese text, C code.
        length: how many characters it may hold.
        nullable: whether it may be empty.
        gaiji: whether it may hold user-defined characters.
        code_set: the code set that its values are of.
        check: the rule of its check digit, by name.
        code_width: where a value joins several codes, the characters of each; 0 where it is one code.
    """
    info: dict[str, object] = {"ja": ja, "en": en, "kind": kind, "length": length, "gaiji": gaiji}
    if check:
        info["check"] = check
    if code_set:
        info["code_set"] = code_set
        info["code_width"] = code_width
    return sa.Column(name, sa.Text, nullable=nullable, comment=ja, info=info)


def whole(name: str, ja: str, en: str, *, nullable: bool = True) -> sa.Column[object]:
    """Make a column of whole numbers."""
    return sa.Column(name, sa.BigInteger, nullable=nullable, comment=ja, info={"ja": ja, "en": en, "kind": "I"})


def amount(
    name: str, ja: str, en: str, *, digits: int = 13, scale: int = 0, nullable: bool = True
) -> sa.Column[object]:
    """Make a column of yen (or of another exact decimal)."""
    info = {"ja": ja, "en": en, "kind": "R" if scale else "M"}
    return sa.Column(name, sa.Numeric(digits, scale), nullable=nullable, comment=ja, info=info)


def date(name: str, ja: str, en: str, *, nullable: bool = True) -> list[sa.Column[object]]:
    """Make a date: what the register says, a key that sorts, and how much of it is known.

    The register may hold what no calendar does (29 February of a common year, an unknown month); it is kept as it
    stands. The key is YYYYMMDD with 00 for what is not known; it is null where there is no date at all.
    """

    def part(suffix: str, part_ja: str, *, may_be_null: bool) -> sa.Column[object]:
        info = {"ja": f"{ja} ({part_ja})", "en": f"{en} ({suffix})", "kind": "D", "date": name, "part": suffix}
        return sa.Column(f"{name}_{suffix}", sa.Text, nullable=may_be_null, comment=str(info["ja"]), info=info)

    return [
        part("source", "原文", may_be_null=nullable),
        part("key", "整列値", may_be_null=True),
        part("precision", "精度", may_be_null=nullable),
    ]


def _lineage(name: str, kind: type[sa.Text] | type[sa.BigInteger], ja: str, en: str) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, comment=ja, info={"ja": ja, "en": en, "lineage": True})


CODES = sa.Table(
    "codes",
    METADATA,
    sa.Column("code_set", sa.Text, nullable=False, comment="コード種別"),
    sa.Column("code", sa.Text, nullable=False, comment="コード"),
    sa.Column("label_ja", sa.Text, nullable=False, comment="名称"),
    sa.Column("label_en", sa.Text, nullable=False, comment="英語名称"),
    sa.PrimaryKeyConstraint("code_set", "code"),
    comment="コード一覧",
)
"""コード一覧: the codes of every system, the same for all municipalities."""
