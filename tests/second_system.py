"""An invented system beside the resident records: two tables, one of which is called as one of theirs; two editions."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from target_schemas.sheets import read_systems
from target_schemas.systems import FOLDER

HEAD = """\
title: {ja: 税務, en: tax}
based_on: none (a system of the tests)
editions: {"1.0": 2026-04-01, "1.1": 2027-04-01}
tables:
  residents:
    ja: 納税義務者
    en: taxpayers
    references:
      resident_no: {orphan: stays, because: Who has moved out still pays.}
  payments:
    ja: 納付
    en: payments
    references:
      resident_no: {orphan: falls, because: Nobody has paid it.}
"""
ITEMS = """\
table,item,ja,en,type,length,must,key,codes,reference,since,until
residents,resident_no,宛名番号,resident number,N,15,1,1,,resident_records.residents,1.0,
residents,kind,区分,kind,C,1,1,,tax_kind,,1.0,
payments,resident_no,宛名番号,resident number,N,5,1,1,,residents,1.0,1.0
payments,resident_no,宛名番号,resident number,N,15,1,1,,residents,1.1,
payments,paid,納付額,amount paid,M,5,1,,,,1.0,1.0
payments,paid,納付額,amount paid,M,9,,,,,1.1,
payments,method,納付方法,method,A,4,,,,,1.1,
"""
RULES = """\
rules:
  paid_as_assessed:
    equal_totals: paid
    of: payments
    per: [resident_no]
    to: {of: resident_records.tax_amounts, amount: amount, per: [resident_no]}
    severity: alert
    source: a rule of the tests
"""
KINDS = "code,ja,en,valid_from,valid_to,source\n1,普通,ordinary,,,a code of the tests\n"


def _read(head, items):
    """The system, read from sheets beside those of the resident records, which it refers to."""
    with tempfile.TemporaryDirectory() as place:
        systems, codes = Path(place, "systems"), Path(place, "codes")
        (systems / "tax").mkdir(parents=True)
        (systems / "resident_records").symlink_to(FOLDER / "resident_records")
        codes.mkdir()
        for file in (FOLDER.parent / "codes").iterdir():
            if file.stem != "code_sets":
                (codes / file.name).symlink_to(file)
        known = (FOLDER.parent / "codes" / "code_sets.csv").read_text("utf-8")
        (codes / "code_sets.csv").write_text(f"{known}tax_kind,納税区分,kind of taxpayer\n", encoding="utf-8")
        (codes / "tax_kind.csv").write_text(KINDS, encoding="utf-8")
        (systems / "tax" / "system.yaml").write_text(head, encoding="utf-8")
        (systems / "tax" / "items.csv").write_text(items, encoding="utf-8")
        return read_systems(systems, ("resident_records", "tax"), codes)[1]


SYSTEM = _read(HEAD, ITEMS)
"""The union of its editions."""

RULED = _read(HEAD + RULES, ITEMS)
"""The system with a rule about amounts of the resident records."""

FORMER = _read(
    HEAD.replace(', "1.1": 2027-04-01', ""),
    "".join(line for line in ITEMS.replace(",1.0,1.0\n", ",1.0,\n").splitlines(keepends=True) if ",1.1," not in line),
)
"""The system as a program knew it before there was a second edition."""

OLDER, NEWER = SYSTEM.in_edition("1.0"), SYSTEM.in_edition("1.1")
"""The newer edition has an item more, a longer number, and a wider amount that may be left out."""


def physical(system):
    return tuple(table.physical for table in system.tables)


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
