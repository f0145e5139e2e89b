"""The words of clauses: which begin one, which end the one before, which say nothing of bytes."""

from __future__ import annotations

import re

from extractors.usages import WORDS

WITHOUT_EFFECT = frozenset(("EXTERNAL", "GLOBAL", "LEFT", "RIGHT", "CHARACTER", "VOLATILE"))
CLAUSES = (
    "PICTURE", "PIC", "USAGE", "OCCURS", "REDEFINES", "VALUE", "SIGN", "BLANK", "JUSTIFIED", "SYNCHRONIZED", "RENAMES",
    "LEADING", "TRAILING", *sorted(WITHOUT_EFFECT), *WORDS,
)  # fmt: skip
STOPS = frozenset(
    (*CLAUSES, "VALUES", "JUST", "SYNC", "INDEXED", "ASCENDING", "DESCENDING", "KEY", "DEPENDING", "SEPARATE", "TIMES")
)
MAY_NAME = frozenset(("KANJI", "LEFT", "RIGHT", "CHARACTER", "VOLATILE"))
"""Words of clauses that name an item where they stand first: not every compiler reserves them, and no clause begins so."""
PRINTED = frozenset((("CHARACTER", "TYPE"), ("PRINTING", "POSITION")))
"""The first words of Fujitsu's clauses of printing."""
IN_PARENTHESES = re.compile(r"\(([^()]+)\)")
ONCE = frozenset(("PICTURE", "USAGE", "OCCURS", "REDEFINES", "VALUE", "SIGN", "BLANK", "JUSTIFIED", "SYNCHRONIZED"))
ALIASES = {"PIC": "PICTURE", "JUST": "JUSTIFIED", "SYNC": "SYNCHRONIZED", "VALUES": "VALUE"}
NAME_MARKS = "-_ー・（）()#@$－−‐―＿＃＠＄％＆／"
"""What a name may hold besides letters and digits: the full-width hyphen reads otherwise by the copybook's encoding."""
TAG = re.compile(r":[^:\s]*:")
HEADERS = frozenset(("DIVISION", "SECTION"))
