"""項目マッピング表: the item mapping table of the design document, as a workbook of two sheets, one in each direction.

Strings are written as strings and never start a formula.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable, Sequence

import xlsxwriter

_MAX_WIDTH = 60


@dataclasses.dataclass(frozen=True, slots=True)
class TargetItem:
    """A target column, and one field that it is made of; without any, its fields stay empty."""

    system: str
    table: str
    title: str
    column: str
    kind: str
    length: str
    code_set: str
    mandatory: bool
    file: str
    source: str
    field: str
    picture: str
    position: int | None
    width: int | None
    transforms: str
    policy: str
    place: str
    remark: str


@dataclasses.dataclass(frozen=True, slots=True)
class SourceItem:
    """A source field, and what becomes of it."""

    file: str
    source: str
    field: str
    picture: str
    usage: str
    position: int | None
    width: int | None
    targets: tuple[str, ...]
    reason: str

    @property
    def fate(self) -> str:
        """移行 (it goes somewhere), 対象外 (it is left, with a reason), or 未定 (nobody has decided)."""
        return "移行" if self.targets else "対象外" if self.reason else "未定"


TARGET_HEADS = (
    "系統\nSystem", "表\nTable", "項目名\nItem", "列\nColumn", "型\nType", "桁数\nLength", "コード\nCode set",
    "必須\nMandatory", "移行ファイル\nFile", "レコード種別\nRecord kind", "移行元項目\nField", "PICTURE", "位置\nPosition",
    "桁\nBytes", "変換\nTransforms", "不正値の扱い\nPolicy", "定義\nMapping line", "備考\nRemark",
)  # fmt: skip
SOURCE_HEADS = (
    "移行ファイル\nFile", "レコード種別\nRecord kind", "移行元項目\nField", "PICTURE", "格納形式\nUsage", "位置\nPosition",
    "桁\nBytes", "扱い\nFate", "移行先\nTargets", "対象外の理由\nReason",
)  # fmt: skip


def workbook(title: str, targets: Iterable[TargetItem], sources: Iterable[SourceItem]) -> bytes:
    """Write the table.

    Args:
        title: whose it is.
        targets: a row for each target column and field of it.
        sources: a row for each source field.

    Returns:
        The workbook's bytes.
    """
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": f"項目マッピング表 {title}", "comments": "Hikkoshi"})
        rows = [
            (
                t.system, t.table, t.title, t.column, t.kind, t.length, t.code_set, "○" if t.mandatory else "", t.file,
                t.source, t.field, t.picture, t.position, t.width, t.transforms, t.policy, t.place, t.remark,
            )
            for t in targets
        ]  # fmt: skip
        _sheet(book, "移行先から Targets", TARGET_HEADS, rows)
        back = [
            (s.file, s.source, s.field, s.picture, s.usage, s.position, s.width, s.fate, ", ".join(s.targets), s.reason)
            for s in sources
        ]
        _sheet(book, "移行元から Sources", SOURCE_HEADS, back)
    return target.getvalue()


def _sheet(
    book: xlsxwriter.Workbook, name: str, heads: Sequence[str], rows: Sequence[Sequence[str | int | None]]
) -> None:
    head = book.add_format({"bold": True, "bg_color": "#E8EDF2", "border": 1, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    page = book.add_worksheet(name)
    widths = [max(len(part) for part in heading.split("\n")) + 4 for heading in heads]
    for column, heading in enumerate(heads):
        page.write_string(0, column, heading, head)
    for line, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                page.write_number(line, column, value)
            else:
                page.write_string(line, column, value or "", wrapped)
                widths[column] = max(widths[column], min(_MAX_WIDTH, len(value or "") + 2))
    for column, width in enumerate(widths):
        page.set_column(column, column, width)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, max(len(rows), 1), len(heads) - 1)
