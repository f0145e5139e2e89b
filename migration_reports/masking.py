"""Values as a person may see them who need not know whose they are."""

from __future__ import annotations

import re

MASKS = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        ("[0-9]", "9"),
        ("[０-９]", "９"),
        ("[A-Za-z]", "X"),
        ("[ｦ-ﾟ]", "ｱ"),
        ("[ぁ-ゖァ-ヺー]", "ア"),
        ("[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U0003ffff]", "漢"),
    )
)
"""Patterns and what stands for them where a value is masked: its kind of characters stays visible, nothing else."""

HIDDEN = "（非表示 hidden）"
"""What stands for a value of which not even the form is shown."""


def mask(text: str) -> str:
    """A value with its characters replaced by what stands for their kind."""
    for pattern, stands in MASKS:
        text = pattern.sub(stands, text)
    return text
