"""Single-byte code pages: every byte a character, no kanji.

By the option `page`: cp037 (the default), cp290, cp500, cp1027, cp1047, ascii, latin_1, jis_x_0201 (Windows-31J's single
bytes), the Japanese makers' own pages, and any other single-byte codec of Python.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import read_page
from extractors.charsets.contract import Charset, CharsetFamily
from extractors.options import Options


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    text = read_page(options, "page", "cp037")
    charset = Charset(
        name="single_byte",
        single=characters.single_byte_table(text),
        double=characters.undefined(65536),
        double_space=None,
        ascii=text[0x41] == "A",
        policies=MappingProxyType({"page": options.get("page", "cp037")}),
    )
    return policies.settle(charset, options, folder)


CHARSET = CharsetFamily(
    name="single_byte",
    title="Single-byte code pages without kanji",
    options={
        "page": "the code page, for example cp037, cp500, cp1047, ascii (cp037)",
        **{name: policies.OPTIONS[name] for name in ("table", "kana", "controls", "repertoire")},
    },
    make=make,
    profiles={f"page {page}": {"page": page} for page in ("cp037", "cp1027", "hitachi_ebcdik", "jis_x_0201")},
)
