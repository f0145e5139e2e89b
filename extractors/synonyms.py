"""What people call charsets, framings and dialects elsewhere: names of products, code pages and record formats.

They are offered where a name is not known and never taken for it: which member is meant, a person says.
"""

from __future__ import annotations

from collections.abc import Mapping

_MAKERS = {
    "jips": "nec",
    "jipse": "nec",
    "jipsj": "nec",
    "acos": "nec",
    "acos2": "nec",
    "acos4": "nec",
    "acos6": "nec",
    "jef": "fujitsu",
    "facom": "fujitsu",
    "msp": "fujitsu",
    "xsp": "fujitsu",
    "keis": "hitachi",
    "vos": "hitachi",
    "vos3": "hitachi",
    "zos": "ibm",
    "mvs": "ibm",
}
SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "charset": {
        **_MAKERS,
        **{f"{prefix}{page}": "ibm" for prefix in ("", "cp", "ibm", "ccsid") for page in (930, 931, 939, 1390, 1399, 5026, 5035)},
        "ebcdic": "ibm",
        "ebcdik": "hitachi",
        "lets": "unisys",
        "letsj": "unisys",
        "sjis": "shift_jis",
        "cp932": "shift_jis",
        "ms932": "shift_jis",
        "windows31j": "shift_jis",
        "ujis": "euc_jp",
        "jis": "iso_2022_jp",
        "ascii": "single_byte",
    },
    "framing": {
        "f": "fixed",
        "fb": "fixed",
        "fbs": "fixed",
        "v": "variable",
        "rdw": "variable",
        "vb": "blocked",
        "bdw": "blocked",
        "vs": "spanned",
        "vbs": "spanned",
        "u": "undefined",
        "text": "lines",
        "csv": "delimited",
        "tsv": "delimited",
        "lseq": "lines",
    },
    "dialect": {
        **_MAKERS,
        "netcobol": "fujitsu",
        "mf": "microfocus",
        "opencobol": "gnucobol",
        "cobol2002": "hitachi",
    },
    "container": {"gz": "gzip", "bz2": "bzip2", "aws": "awstape", "zst": "zstd", "xmit": "xmi", "excel": "xlsx", "shp": "shapefile", "ldap": "ldif"},
}  # fmt: skip
"""By family, the member that a word means elsewhere; the words in small letters and digits only."""


def meant(family: str, word: str) -> str | None:
    """The member of a family that a word means elsewhere; None where it means none."""
    letters = "".join(character for character in word.casefold() if character.isalnum())
    return SYNONYMS.get(family, {}).get(letters)
