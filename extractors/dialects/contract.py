"""What a COBOL dialect is: the rules by which compilers differ in where a field lies and what its bytes mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

BinarySizes = Literal["2-4-8", "1-2-4-8", "1-8"]
ByteOrder = Literal["big", "little"]
FloatFormat = Literal["ibm", "ieee"]
National = Literal["double-byte", "utf-16"]
PlainN = Literal["display-1", "national"]
AsciiSigns = Literal["ebcdic", "fujitsu"]

OPTIONS: Mapping[str, str] = {
    "binary_sizes": "bytes of a binary item by its digits: 2-4-8, 1-2-4-8, or 1-8 (as few as hold the digits)",
    "binary_order": "byte order of BINARY, COMP and COMP-4: big or little",
    "comp_5_order": "byte order of COMP-5, INDEX and POINTER: big or little",
    "sync_long": "the boundary, in bytes, to which SYNCHRONIZED aligns a binary item of eight bytes: 1, 2, 4 or 8",
    "float_format": "COMP-1 and COMP-2: ibm (hexadecimal) or ieee",
    "float_order": "byte order of COMP-1 and COMP-2: big or little",
    "national": "USAGE NATIONAL: double-byte (as DISPLAY-1) or utf-16",
    "national_order": "byte order of UTF-16: big or little",
    "plain_n": "PICTURE N without USAGE: display-1 or national, as IBM's NSYMBOL(DBCS) and NSYMBOL(NATIONAL)",
    "pointer_size": "bytes of a POINTER: 4 or 8",
    "procedure_pointer_size": "bytes of a PROCEDURE-POINTER: 4 or 8",
    "plus_signs": "half bytes that mean plus in a packed number, for example ACEF, or CF to be strict",
    "minus_signs": "half bytes that mean minus in a packed number, for example BD, or D to be strict",
    "ascii_signs": "signs over a digit in ASCII: ebcdic ({ABC and }JKL as translated, or pqr) or fujitsu (@ABC and PQR)",
}
"""The rules; each may be given in a manifest as an option of the dialect, where a file differs from its compiler."""


def sources(otherwise: str, **known: str) -> Mapping[str, str]:
    """Where each rule is from: as it is said of some, otherwise as of all.

    Raises:
        KeyError: there is no such rule.
    """
    return {**dict.fromkeys(OPTIONS, otherwise), **{rule: known[rule] for rule in known if OPTIONS[rule]}}


@dataclasses.dataclass(frozen=True, slots=True)
class Dialect:
    """One compiler's rules.

    Attributes:
        name: its name in the family.
        title: the compilers it stands for.
        sources: where each rule is from, by rule; a rule that could not be verified says so, and one that a dump has
            otherwise says that.
        binary_sizes, binary_order, comp_5_order, sync_long, float_format, float_order, national, national_order,
        plain_n, pointer_size, procedure_pointer_size, plus_signs, minus_signs, ascii_signs: see `OPTIONS`.
    """

    name: str
    title: str
    sources: Mapping[str, str]
    binary_sizes: BinarySizes = "2-4-8"
    binary_order: ByteOrder = "big"
    comp_5_order: ByteOrder = "big"
    sync_long: int = 4
    float_format: FloatFormat = "ibm"
    float_order: ByteOrder = "big"
    national: National = "double-byte"
    national_order: ByteOrder = "big"
    plain_n: PlainN = "display-1"
    pointer_size: int = 4
    procedure_pointer_size: int = 8
    plus_signs: str = "ACEF"
    minus_signs: str = "BD"
    ascii_signs: AsciiSigns = "ebcdic"
    options: Mapping[str, str] = dataclasses.field(default_factory=lambda: OPTIONS)

    @property
    def rules(self) -> Mapping[str, str]:
        """Every rule as text, by name: what a report prints."""
        return {rule: str(getattr(self, rule)) for rule in OPTIONS}


_SIGNED = {1: 2, 2: 4, 3: 6, 4: 9, 5: 11, 6: 14, 7: 16, 8: 18}
_UNSIGNED = {1: 2, 2: 4, 3: 7, 4: 9, 5: 12, 6: 14, 7: 16, 8: 19}


def binary_size(sizes: BinarySizes, digits: int, *, signed: bool) -> int:
    """Bytes of a binary item.

    Args:
        sizes: the dialect's rule.
        digits: of the PICTURE, 1 to 38. More than eighteen, which few compilers know, take as few bytes as hold them
            and a sign, as the layouts of Cobrix have it.
        signed: whether the PICTURE has S.
    """
    if digits > 18 and not (sizes == "1-8" and not signed and digits == 19):
        return min((int(10**digits - 1).bit_length() + 8) // 8, 16)
    if sizes == "1-8":
        return next(size for size, most in (_SIGNED if signed else _UNSIGNED).items() if digits <= most)
    if sizes == "1-2-4-8" and digits <= 2:
        return 1
    return 2 if digits <= 4 else 4 if digits <= 9 else 8
