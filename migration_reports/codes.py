"""コード一覧: code sets and their codes, with the times in which these hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Code:
    """One line of コード一覧: a code, its label, and from when to when it holds (YYYYMMDD, both included; empty: no end).

    `own`: whether it is a municipality's, and does not stand in the shared sheet.
    """

    code: str
    ja: str
    en: str
    valid_from: str = ""
    valid_to: str = ""
    source: str = ""
    own: bool = False

    def holds(self, first: str, last: str) -> bool:
        """Whether it holds on any of the days from `first` to `last`."""
        return self.valid_from <= last and first <= (self.valid_to or _LAST)


_LAST = "99999999"


@dataclasses.dataclass(frozen=True, slots=True)
class CodeSet:
    """コード構成表: the codes that an item may hold.

    Attributes:
        name: its name, which is its file's.
        ja: its Japanese name.
        en: its English name.
        codes: its lines; one code may stand on several whose times do not overlap.
        open: whether it still lacks the municipality's own list (`joined`); until then its codes are not judged.
    """

    name: str
    ja: str
    en: str
    codes: tuple[Code, ...]
    open: bool = False

    def __contains__(self, code: object) -> bool:
        return any(code == line.code for line in self.codes)

    @property
    def labels(self) -> Mapping[str, Code]:
        """The lines by code; of a code with several the last."""
        return {line.code: line for line in sorted(self.codes, key=lambda line: line.valid_from)}

    @property
    def ever(self) -> frozenset[str]:
        """The codes that hold at any time."""
        return frozenset(line.code for line in self.codes)

    @property
    def dated(self) -> bool:
        """Whether any of its codes begins or ends."""
        return any(line.valid_from or line.valid_to for line in self.codes)

    def on(self, day: str | None) -> frozenset[str]:
        """The codes that hold on a day, YYYYMMDD; None: those of any day."""
        return self.ever if day is None else frozenset(line.code for line in self.codes if line.holds(day, day))

    def joined(self, codes: Iterable[Code]) -> CodeSet:
        """The set with a municipality's own codes, which are judged like those that stand in the sheet.

        Raises:
            ValueError: the set is not open.
        """
        if not self.open:
            raise ValueError(f"code set {self.name} is not open: a municipality has no codes of its own in it")
        own = (dataclasses.replace(code, own=True) for code in codes)
        return dataclasses.replace(self, codes=(*self.codes, *own), open=False)

    @property
    def shared(self) -> CodeSet:
        """The set without a municipality's own codes."""
        return dataclasses.replace(self, codes=tuple(code for code in self.codes if not code.own))
