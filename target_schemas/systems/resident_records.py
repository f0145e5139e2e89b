"""住民記録: households, residents, and what a resident register carries beside them.

Words and structure follow 住民記録システム標準仕様書 第1.0版 第3章 (宛名番号, 履歴番号, 世帯番号, 続柄, 異動事由,
抑止・支援措置); lengths are our own. No conformance is claimed.
"""

from __future__ import annotations

from types import MappingProxyType

from target_schemas.model import CodeSet, Reference, System, amount, date, table, text, whole

NAME = "resident_records"
BASED_ON = "住民記録システム標準仕様書 第1.0版 第3章"

HOUSEHOLDS = table(
    "households",
    "世帯",
    "households",
    text("household_no", "世帯番号", "household number", kind="N", length=15, nullable=False),
    text(
        "head_resident_no",
        "世帯主宛名番号",
        "resident number of the head",
        kind="N",
        length=15,
        check="resident_number",
    ),
    whole("member_count", "世帯人数", "stated number of members"),
    text("postal_code", "郵便番号", "postal code", kind="N", length=7),
    text("address", "住所", "address", kind="J", length=200, gaiji=True),
    text("address_building", "方書", "building and room", kind="J", length=100, gaiji=True),
    date("established", "世帯設定日", "date of establishment"),
    amount("average_amount", "平均額", "average amount", digits=11, scale=2),
    system=NAME,
    key=("household_no",),
    based_on=BASED_ON,
    references=(
        Reference(
            ("head_resident_no",),
            "residents",
            ("resident_no",),
            orphan="stays",
            because="A household may have no head (世帯主未設定), and its members must not fall with one of them.",
        ),
    ),
)

RESIDENTS = table(
    "residents",
    "住民票",
    "resident records",
    text("resident_no", "宛名番号", "resident number", kind="N", length=15, nullable=False, check="resident_number"),
    whole("history_no", "履歴番号", "history number", nullable=False),
    text("household_no", "世帯番号", "household number", kind="N", length=15, nullable=False),
    text("name", "氏名", "name", kind="J", length=100, nullable=False, gaiji=True),
    text("name_kana", "フリガナ", "name in kana", kind="K", length=100),
    date("birth", "生年月日", "date of birth", nullable=False),
    text("sex", "性別", "sex", kind="C", length=1, nullable=False, code_set="sex"),
    text(
        "relationship",
        "続柄",
        "relationship to the head",
        kind="C",
        length=8,
        nullable=False,
        code_set="relationship",
        code_width=2,
    ),
    date("resident_since", "住民となった年月日", "resident since"),
    text("change_reason", "異動事由", "reason of the change", kind="C", length=3, code_set="change_reason"),
    date("changed", "異動日", "date of the change"),
    date("processed", "処理日", "date of processing"),
    text("postal_code", "郵便番号", "postal code", kind="N", length=7),
    text("address", "住所", "address", kind="J", length=200, gaiji=True),
    text("address_building", "方書", "building and room", kind="J", length=100, gaiji=True),
    text("remarks", "備考", "remarks", kind="J", length=200, gaiji=True),
    system=NAME,
    key=("resident_no", "history_no"),
    based_on=BASED_ON,
    references=(
        Reference(
            ("household_no",),
            "households",
            ("household_no",),
            orphan="falls",
            because="Resident records are kept by household (住民基本台帳法 第6条); without one a person has no head and no relationship.",
        ),
    ),
)

CHANGES = table(
    "resident_changes",
    "異動履歴",
    "history of changes",
    text("resident_no", "宛名番号", "resident number", kind="N", length=15, nullable=False),
    whole("change_no", "異動連番", "number of the change, from 1", nullable=False),
    date("changed", "異動日", "date of the change"),
    text("change_reason", "異動事由", "reason of the change", kind="C", length=3, code_set="change_reason"),
    system=NAME,
    key=("resident_no", "change_no"),
    based_on=BASED_ON,
    references=(
        Reference(
            ("resident_no",),
            "residents",
            ("resident_no",),
            orphan="falls",
            because="A change of nobody tells nothing, and would become that of whoever gets the number next.",
        ),
    ),
)

TAX_AMOUNTS = table(
    "tax_amounts",
    "課税額",
    "taxable amounts",
    text("resident_no", "宛名番号", "resident number", kind="N", length=15, nullable=False, check="resident_number"),
    amount("amount", "課税額", "amount"),
    system=NAME,
    key=("resident_no",),
    based_on="none (a field of the legacy registers, carried for reference)",
    references=(
        Reference(
            ("resident_no",),
            "residents",
            ("resident_no",),
            orphan="falls",
            because="An amount of nobody can be charged to nobody; rejected, it is counted in the reconciliation of amounts.",
        ),
    ),
)

PROTECTIVE_MEASURES = table(
    "protective_measures",
    "支援措置",
    "protective measures",
    text("resident_no", "宛名番号", "resident number", kind="N", length=15, nullable=False, check="resident_number"),
    text("measure_kind", "抑止種別", "kind of measure", kind="C", length=2, nullable=False, code_set="measure_kind"),
    system=NAME,
    key=("resident_no", "measure_kind"),
    based_on=BASED_ON,
    critical=True,
    references=(
        Reference(
            ("resident_no",),
            "residents",
            ("resident_no",),
            orphan="falls",
            because="It protects nobody who is not there. That it falls holds the run, so that a person must mend it: none may be lost.",
        ),
    ),
)

_RELATIONSHIP = {
    "01": ("世帯主", "head of household"),
    "02": ("夫", "husband"),
    "03": ("妻", "wife"),
    "04": ("夫 (未届)", "husband (unregistered)"),
    "05": ("妻 (未届)", "wife (unregistered)"),
    "11": ("子", "child"),
    "21": ("父", "father"),
    "22": ("母", "mother"),
    "31": ("兄", "elder brother"),
    "32": ("姉", "elder sister"),
    "33": ("弟", "younger brother"),
    "34": ("妹", "younger sister"),
    "41": ("縁故者", "relation"),
    "51": ("同居人", "lodger"),
}

SYSTEM = System(
    name=NAME,
    title_ja="住民記録",
    title_en="resident records",
    based_on=BASED_ON,
    tables=(HOUSEHOLDS, RESIDENTS, CHANGES, TAX_AMOUNTS, PROTECTIVE_MEASURES),
    code_sets=(
        CodeSet(
            "sex",
            "性別",
            "sex",
            MappingProxyType({"1": ("男", "male"), "2": ("女", "female"), "9": ("不詳", "unknown")}),
        ),
        CodeSet("relationship", "続柄", "relationship", MappingProxyType(_RELATIONSHIP)),
        CodeSet(
            "change_reason",
            "異動事由",
            "reason of change",
            MappingProxyType(
                {
                    "101": ("国内転入", "moved in from within the country"),
                    "102": ("国外転入", "moved in from abroad"),
                    "103": ("出生", "birth"),
                    "104": ("職権記載", "entered ex officio"),
                    "201": ("国内転出", "moved out within the country"),
                    "202": ("国外転出", "moved out abroad"),
                    "203": ("死亡", "death"),
                    "204": ("職権消除", "removed ex officio"),
                    "301": ("転居", "moved within the municipality"),
                    "302": ("軽微な修正", "minor correction"),
                    "303": ("職権修正", "corrected ex officio"),
                    "304": ("世帯変更", "change of household"),
                }
            ),
        ),
        CodeSet(
            "measure_kind", "抑止種別", "kind of measure", MappingProxyType({"01": ("支援措置", "protective measure")})
        ),
    ),
)
