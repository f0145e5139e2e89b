"""ISO-2022-JP inside fixed columns: JIS X 0208 between escape sequences, JIS X 0201 as single bytes.

1B2442 (ESC $ B) and 1B2440 (ESC $ @) begin double-byte text, 1B2842 (ESC ( B) and 1B284A (ESC ( J) end it; 1B2442 and
1B284A are written, as the layouts of 年金特別徴収 have them. After ESC $ @ the 48 codes that the standard changed in 1983 read
as in JIS C 6226:1978, which that escape names; codes that were free then read as later editions have them. Kana are the
single bytes A1 to DF. The three-state forms (kana by ESC ( I or by SO and SI) are not read: their escape is a control
character, which is a finding.
"""

from __future__ import annotations

from pathlib import Path

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import code_page
from extractors.charsets.contract import Area, CharacterClass, Charset, CharsetFamily, Shift
from extractors.options import Options


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    double = characters.undefined(65536)
    characters.assign(double, jis.x0208())
    characters.spaces(double, 0x2121)
    single = code_page("jis_x_0201")
    assert single is not None
    charset = Charset(
        name="iso_2022_jp",
        single=characters.single_byte_table(single),
        double=double,
        shifts=(
            Shift(b"\x1b$B", True),
            Shift(b"\x1b$@", True, jis.moved_since_1978()),
            Shift(b"\x1b(J", False),
            Shift(b"\x1b(B", False),
        ),
        double_space=0x2121,
        ascii=True,
        areas=(Area("standard", jis.ROWS, jis.CELLS, CharacterClass.STANDARD, "JIS X 0208:1990"),),
    )
    return policies.settle(charset, options, folder)


CHARSET = CharsetFamily(
    name="iso_2022_jp",
    title="ISO-2022-JP in fixed columns",
    options=policies.OPTIONS,
    make=make,
    profiles={"ISO-2022-JP": {}},
)
