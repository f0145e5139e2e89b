"""An invented system beside the resident records: two tables, one of which is called as one of theirs; two editions."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import sqlalchemy as sa

from target_schemas.conventions import METADATA, CodeSet, Reference, System, amount, table, text

NONE = "none (a system of the tests)"

RESIDENTS = table(
    "residents",
    "納税義務者",
    "taxpayers",
    text("resident_no", "宛名番号", "resident number", kind="N", length=15, nullable=False),
    text("kind", "区分", "kind", kind="C", length=1, nullable=False, code_set="tax_kind"),
    system="tax",
    key=("resident_no",),
    based_on=NONE,
    references=(
        Reference(
            ("resident_no",),
            "resident_records.residents",
            ("resident_no",),
            orphan="stays",
            because="Who has moved out still pays.",
        ),
    ),
)

PAYMENTS = table(
    "payments",
    "納付",
    "payments",
    text("resident_no", "宛名番号", "resident number", kind="N", length=5, nullable=False),
    amount("paid", "納付額", "amount paid", digits=5, nullable=False),
    system="tax",
    key=("resident_no",),
    based_on=NONE,
    references=(
        Reference(("resident_no",), "residents", ("resident_no",), orphan="falls", because="Nobody has paid it."),
    ),
)


def _newer() -> sa.Table:
    """The payments of a newer edition: an item more, a longer number, a wider amount that may be left out."""
    made = PAYMENTS.to_metadata(sa.MetaData(naming_convention=METADATA.naming_convention))
    for check in [c for c in made.constraints if isinstance(c, sa.CheckConstraint)]:
        made.constraints.remove(check)
    made.append_constraint(sa.CheckConstraint("char_length(resident_no) <= 15", name="resident_no_length"))
    made.c.resident_no.info = {**PAYMENTS.c.resident_no.info, "length": 15}
    made.c.paid.type, made.c.paid.nullable = sa.Numeric(9, 0), True
    made.append_column(
        sa.Column("method", sa.Text, comment="納付方法", info={"ja": "納付方法", "en": "method", "kind": "A"})
    )
    return made


SYSTEM = System(
    name="tax",
    title_ja="税務",
    title_en="tax",
    based_on=NONE,
    tables=(RESIDENTS, PAYMENTS),
    code_sets=(CodeSet("tax_kind", "納税区分", "kind of taxpayer", {"1": ("普通", "ordinary")}),),
)

NEWER_PAYMENTS = _newer()
NEWER = System("tax", "税務", "tax", NONE, (RESIDENTS, NEWER_PAYMENTS), SYSTEM.code_sets)


def taxpayers(run, numbers, municipality="990027"):
    return _rows(run, municipality, {"resident_no": numbers, "kind": ["1"] * len(numbers)})


def payments(run, paid, municipality="990027", **more):
    amounts = pa.array([None if value is None else Decimal(value) for value in paid.values()], pa.decimal128(9, 0))
    return _rows(run, municipality, {"resident_no": list(paid), "paid": amounts, **more})


def _rows(run, municipality, columns):
    count = len(next(iter(columns.values())))
    return pa.table(
        {
            "municipality_code": [municipality] * count,
            **columns,
            "source_dump": ["d"] * count,
            "source_record": pa.array(range(1, count + 1), pa.int64()),
            "run_id": [run] * count,
            "_offset": pa.array([0] * count, pa.int64()),
            "_rank": pa.array([0] * count, pa.int64()),
            "_part": pa.array([0] * count, pa.int16()),
        }
    )
