"""Every usage reads the bytes of its cases as they say, and writes them back."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import charsets, dialects
from extractors.batches import extract
from extractors.copybooks.copybook import read_copybook
from extractors.copybooks.picture import read_picture
from extractors.decoder import Blanks
from extractors.framings import load
from extractors.kernels.memory import SLACK
from extractors.layout.column_sheet import HEAD, read_columns
from extractors.layout.storage import Described
from extractors.usages import BY_NAME, USAGES, WORDS, usage_of
from extractors.usages import _written as written
from extractors.usages.contract import NUMBER
from extractors.writing.encode import encode
from tests.reading import open_bytes

CASES = Path(__file__).parents[1] / "cases" / "usages"


def cases():
    for usage in USAGES:
        for case in yaml.safe_load((CASES / f"{usage.name}.yaml").read_text("utf-8")):
            yield pytest.param(usage.name, case, id=f"{usage.name}: {case['name']}")


def layout_of(picture: str, *, dialect: str = "ibm", comma: bool = False, **options: str):
    clause = picture if picture.startswith(("COMP", "POINTER", "INDEX", "BINARY-")) else f"PIC {picture}"
    head = "DECIMAL-POINT IS COMMA.\n" if comma else ""
    text = f"DATA DIVISION.\n{head}01 R.\n05 F {clause}.\n"
    return read_copybook(text, file="case.cpy", dialect=dialects.load(dialect, options))


@pytest.mark.parametrize(("usage", "case"), list(cases()))
def test_bytes_read_as_the_case_says(usage, case, tmp_path):
    if "column" in case:
        layout = read_columns(f"{','.join(HEAD)}\nF,,{case['column'].replace(' ', ',')}\n", file="case.csv")
        case |= {"charset": "utf_8"}
    else:
        layout = layout_of(
            str(case["picture"]),
            dialect=case.get("dialect", "ibm"),
            comma=case.get("comma", False),
            **case.get("options", {}),
        )
    (field,) = layout.fields()
    assert usage_of(field, charsets.load(case.get("charset", "ibm"), {}, tmp_path)).name == usage or "page" in case
    raw = bytes.fromhex(case["bytes"])
    page = {"page": case["page"]} if "page" in case else {}
    charset = charsets.load(case.get("charset", "ibm"), page, tmp_path)
    blanks = Blanks(**case.get("policy", {}))
    out = list(
        extract(
            open_bytes(raw),
            name="case",
            layout=layout,
            framing=load("fixed", {}, layout),
            charset=charset,
            blanks=blanks,
        )
    )
    values = out[0].batch.column("F").to_pylist() if "left_over" not in case else [None]
    expected = case["value"]
    if "left_over" not in case:
        assert len(raw) == field.width, "the case's bytes are not the field's width"
    if BY_NAME[usage].value == NUMBER:
        expected = None if expected is None else Decimal(expected)
    elif usage == "raw":
        values = [v and v.hex().upper() for v in values]
    assert values == [expected]
    wanted = case.get("finding", [])
    found = [f for e in out for f in e.findings.to_pylist()]
    assert sorted(f["code"] for f in found) == sorted([wanted] if isinstance(wanted, str) else wanted)
    if "detail" in case:
        assert found[0]["detail"] == str(case["detail"])
    if case.get("canonical", expected is not None):
        again = encode([field], {"F": out[0].batch.column("F")}, charset=charset, length=layout.length, count=1)
        assert again.tobytes().hex(" ").upper() == raw.hex(" ").upper()


@pytest.mark.parametrize("usage", [u.name for u in USAGES])
def test_every_usage_has_a_case_that_finds_something(usage):
    rows = yaml.safe_load((CASES / f"{usage}.yaml").read_text("utf-8"))
    assert any("finding" in row for row in rows)


def test_a_value_too_wide_for_its_field_is_refused_without_naming_it(tmp_path):
    layout = layout_of("9(3) COMP-3")
    charset = charsets.load("ibm", {}, tmp_path)
    with pytest.raises(ValueError, match=r"F: 1 values do not fit PICTURE 9\(3\)") as caught:
        encode(layout.fields(), {"F": np.array([123456])}, charset=charset, length=layout.length, count=1)
    assert "123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("picture", "text"),
    [("X(4)", "漢字"), ("X(4)", "abcde"), ("G(2) DISPLAY-1", "AB"), ("A(4)", "漢"), ("X(8)", "\U0001f600")],
)
def test_a_text_that_cannot_be_written_is_refused(picture, text, tmp_path):
    layout = layout_of(picture)
    charset = charsets.load("ibm", {}, tmp_path)
    with pytest.raises(ValueError, match="do not fit"):
        encode(layout.fields(), {"F": pa.array([text])}, charset=charset, length=layout.length, count=1)


def test_the_slack_of_buffers_covers_what_kernels_load():
    assert SLACK >= 16


@pytest.mark.parametrize("text", ["", "T", "12", " A ", "ABCDE", "ｱｲ", "漢", "A漢", "か゚", "é", "€", "\ue000"])
@pytest.mark.parametrize("name", ["ibm", "fujitsu", "shift_jis", "euc_jp", "iso_2022_jp"])
def test_one_text_is_written_alone_as_among_others(name, text, tmp_path):
    charset = charsets.load(name, {}, tmp_path)
    for mode in (written.SINGLE_ONLY, written.BOTH):
        alone, among = np.zeros((1, 4), np.uint8), np.zeros((2, 4), np.uint8)
        misfit = written.encode_text(np.array([text], object), charset, alone, mode=mode)
        both = written.encode_text(np.array([text, "B"], object), charset, among, mode=mode)
        assert (alone[0].tolist(), bool(misfit[0])) == (among[0].tolist(), bool(both[0]))


INVENTED = '''
"""Excess three: a digit a byte, three above what it is."""

import numpy as np
import pyarrow as pa

from extractors.layout.storage import Storage, Stored
from extractors.usages._floats import field_bytes
from extractors.usages._numbers import number_type
from extractors.usages.contract import LOST, WHOLE, Usage

EXCESS = Storage("COMP-E3")


def store(item, dialect):
    if item.storage != EXCESS or item.category != "numeric":
        return None
    return Stored(item.picture.size, number_type(item.picture), item.picture)


def read(field, data, starts, rules):
    digits = field_bytes(data, starts, field.width).astype(np.int64) - 3
    rows = np.nonzero(((digits < 0) | (digits > 9)).any(axis=1))[0]
    values = digits @ (10 ** np.arange(field.width - 1, -1, -1))
    return pa.array(values), rows, np.full(len(rows), LOST, np.int64)


def encode(field, column, charset, cells):
    cells[:] = np.asarray(column)[:, None] // 10 ** np.arange(field.width - 1, -1, -1) % 10 + 3
    return np.zeros(len(cells), bool)


USAGE = Usage(
    name="excess_three", doc=__doc__, value=WHOLE, words={"COMP-E3": EXCESS, "EXCESS-3": EXCESS}, stores=store,
    read=read, flags={LOST: "D201"}, empty=b"\\x03", encode=encode,
)
'''
READ = """
import sys
from pathlib import Path
import numpy as np
from extractors import charsets
from extractors.copybooks.copybook import read_copybook
from extractors.copybooks.picture import read_picture
from extractors.decoder import Decoder
from extractors.writing.encode import encode
layout = read_copybook("01 R. 05 G COMPUTATIONAL-E3. 10 A PIC 9(3). 05 B PIC 9(2) EXCESS-3. 05 C PIC X.", file="c.cpy")
fields = [f for f in layout.fields() if f.usage == "excess_three"]
charset = charsets.load("ibm", {}, Path())
records = np.zeros((4, 64), np.uint8)
records[1:3, :5] = (4, 5, 6, 3, 12), (4, 5, 99, 4, 3)
decoded = Decoder(fields, charset).decode(records.ravel(), np.array([64, 128]))
print(*(f"{f.name} {f.offset} {f.width} {f.usage}" for f in layout.fields()), sep=", ")
print([c.to_pylist() for c in decoded.columns], [(o.field.name, o.code, o.rows.tolist()) for o in decoded.oddities])
print(encode(fields, {"A": np.array([123]), "B": np.array([9])}, charset=charset, length=6, count=1)[0, :5].tolist())
"""


def test_a_usage_is_one_file_and_its_name_in_the_registry(tmp_path):
    """Copybooks say it, the decoder reads it, the encoder writes it, and nothing else had to be told."""
    root = Path(__file__).parents[2]
    for package in ("extractors", "migration_reports"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    family = tmp_path / "extractors" / "usages"
    (family / "excess_three.py").write_text(INVENTED, "utf-8")
    registry = (family / "__init__.py").read_text("utf-8")
    registry = registry.replace("    edited,\n", "    edited,\n    excess_three,\n")
    registry = registry.replace("    edited.USAGE,\n", "    edited.USAGE,\n    excess_three.USAGE,\n")
    (family / "__init__.py").write_text(registry, "utf-8")
    done = subprocess.run([sys.executable, "-c", READ], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "A 0 3 excess_three, B 3 2 excess_three, C 5 1 mixed",
        "[[123, None], [9, 10]] [('A', 'D201', [1])]",
        "[4, 5, 6, 3, 12]",
    ]


CATEGORIES = {
    "alphanumeric": ["X(3)", "X(9)"],
    "alphabetic": ["A(3)"],
    "national": ["N(2)", "G(2)"],
    "edited": ["ZZ9", "9B9"],
    "numeric": ["9(4)", "S9(4)", "S9(18)", "9(20)", "S9(40)"],
}


@pytest.mark.parametrize("dialect", [dialect.name for dialect in dialects.DIALECTS])
def test_no_two_usages_want_the_same_item(dialect):
    """The order of the registry decides nothing."""
    rules = dialects.load(dialect, {})
    pictures = [None, *(read_picture(text) for texts in CATEGORIES.values() for text in texts)]
    signs = [(False, False), (True, False), (False, True), (True, True)]
    wanted = set()
    for storage, picture, (leading, separate) in itertools.product(set(WORDS.values()), pictures, signs):
        item = Described(storage, picture, leading, separate)
        takers = [u.name for u in USAGES if u.stores is not None and u.stores(item, rules) is not None]
        assert len(takers) <= 1, (item, takers)
        wanted.update(takers)
    by_charset, by_sheet = {"utf8", "zoned_ascii"}, {"figures"}
    assert (
        wanted <= {usage.name for usage in USAGES if usage.stores} == {u.name for u in USAGES} - by_charset - by_sheet
    )


@settings(max_examples=150, deadline=None)
@given(
    width=st.integers(1, 38),
    rows=st.lists(st.tuples(st.sampled_from(b"\x40\x00\xff"), st.integers(0, 99)), min_size=1, max_size=90),
)
def test_bytes_of_any_width_are_blank_only_where_all_of_them_are(width, rows):
    layout = read_copybook(f"01 R. 05 P PIC 9({2 * width - 1}) COMP-3.", file="case.cpy")
    cells = [bytearray([byte]) * width for byte, _ in rows]
    for cell, (_, at) in zip(cells, rows, strict=True):
        # A byte that is not like the others, in half of them.
        if at < width and width > 1:
            cell[at] = 0x41
    (part,) = extract(
        open_bytes(b"".join(cells)), name="d", layout=layout, framing=load("fixed", {}, layout),
        charset=charsets.load("ibm", {}, Path()), blanks=Blanks(spaces="null", low_values="zero"),
    )  # fmt: skip
    zero = [cell == bytes(width) for cell in cells]
    refused = [n for n, cell in enumerate(cells, 1) if cell not in (b"\x40" * width, bytes(width))]
    assert part.batch["P"].to_pylist() == [0 if is_zero else None for is_zero in zero]
    assert part.findings["record"].to_pylist() == refused
    assert set(part.findings["code"].to_pylist()) <= {"D201"}
    assert part.filled["P"] == 0
