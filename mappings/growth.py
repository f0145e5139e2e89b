"""How long the text of an SQL expression can become, before any data are read.

The bound is computed from the widths of fields, the lengths of constants and what each function does to them, so that
nothing that memory could not hold is ever begun: `REPLACE` in `REPLACE` grows with each level.

    REPLACE("JJ-KANA", ' ', '  ')        of a field of 30 characters: 60
    LPAD("JJ-NO", 12, '0')               12, whatever the field holds
"""

from __future__ import annotations

import dataclasses

MAX_TEXT = 4_000
"""Characters; a field that is wider itself may be read, and may not grow."""
MAX_PATTERN = 200
"""Characters of what LIKE compares with: each is a state that every character of every row may meet."""
NUMBER = 40
"""Characters of a number of 128 bits, or of a decimal, as text."""
TRUTH = 5

_FIRST = frozenset({"LEFT", "LTRIM", "REVERSE", "RIGHT", "RTRIM", "SUBSTR", "TRIM"})
_NUMBERS = frozenset({"ABS", "CHAR_LENGTH", "LENGTH", "MOD", "SIGN", "STRPOS"})
_CASED = 3
"""Characters that one becomes in the other case, at most (U+0390)."""


class TooLongError(Exception):
    """A part of an expression that could give too long a text, or whose length is not known.

    Attributes:
        message: what is wrong.
        hint: what to do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclasses.dataclass(slots=True)
class _Argument:
    """An argument, as far as it is read: its longest alternative, and the chain of || being read."""

    longest: int = 0
    chain: int = 0
    words: list[str] = dataclasses.field(default_factory=list)

    @property
    def most(self) -> int:
        return max(self.longest, self.chain)


@dataclasses.dataclass(slots=True)
class _Group:
    """What stands between brackets, or between CASE and END; `pattern`: LIKE compares with it."""

    function: str
    pattern: bool = False
    arguments: list[_Argument] = dataclasses.field(default_factory=lambda: [_Argument()])


class Growth:
    """The bound of an expression, token by token.

    Args:
        room: the most characters that any part of it may give.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._groups = [_Group("")]
        self._function = ""

    @property
    def depth(self) -> int:
        """Brackets and CASEs one in another."""
        return len(self._groups) - 1

    def function(self, name: str) -> None:
        """Read the name of a function; its bracket comes next."""
        self._function = name.upper()

    def field(self, most: int) -> None:
        """Read a field; as text it has so many characters at most."""
        self._atom("", most)

    def number(self, word: str) -> None:
        """Read a number."""
        self._atom(word, NUMBER)

    def text(self, word: str) -> None:
        """Read a constant text, in its quotes."""
        length = len(word[1:-1].replace("''", "'"))
        if self._compared and length > MAX_PATTERN:
            raise TooLongError(f"LIKE with {length:,} characters; {MAX_PATTERN} are allowed")
        self._atom(word, length)

    def keyword(self, word: str) -> None:
        """Read a keyword."""
        word = word.upper()
        if word == "CASE":
            self._groups.append(_Group(word))
        elif word == "END" and self._groups[-1].function == "CASE":
            self._close()
        elif word in ("FALSE", "NULL", "TRUE"):
            self._atom(word, TRUTH)
        else:
            self._next(word)

    def operator(self, word: str) -> None:
        """Read an operator, a bracket or a comma."""
        if word == "(":
            self._groups.append(_Group(self._function, self._compared and not self._function))
            self._function = ""
        elif word == ")":
            if self.depth == 0 or self._groups[-1].function == "CASE":
                raise TooLongError("a bracket is closed that was not opened")
            self._close()
        elif word == ",":
            self._groups[-1].arguments.append(_Argument())
        elif word != "||":
            self._next(word)

    def end(self) -> int:
        """Check the whole, and give the most characters of its value."""
        most = max(argument.most for argument in self._groups[0].arguments)
        self._check("the expression", most)
        return most

    @property
    def _compared(self) -> bool:
        """Whether what comes next is what LIKE compares with."""
        group = self._groups[-1]
        words = group.arguments[-1].words
        return words[-1] == "LIKE" if words else group.pattern

    def _atom(self, word: str, most: int) -> None:
        argument = self._groups[-1].arguments[-1]
        argument.chain += most
        argument.words.append(word)

    def _next(self, word: str) -> None:
        """Whatever operator joins two values, only || makes them one text."""
        argument = self._groups[-1].arguments[-1]
        argument.longest, argument.chain = max(argument.most, TRUTH), 0
        argument.words.append(word)

    def _close(self) -> None:
        group = self._groups.pop()
        most = max(_most(group, self._room), TRUTH)
        self._check(group.function if group.function not in ("", "CASE") else "the expression", most)
        self._atom(")", most)

    def _check(self, what: str, most: int) -> None:
        if most > self._room:
            raise TooLongError(
                f"{what} could give {most:,} characters; {self._room:,} are allowed",
                "shorten what it reads with LEFT(…, n), or nest less",
            )


def _most(group: _Group, room: int) -> int:
    """The most characters that a function gives."""
    each = [argument.most for argument in group.arguments]
    match group.function:
        case "LPAD" | "RPAD":
            return _count(group, room)
        case "REPLACE" if len(each) == 3:
            old = group.arguments[1].words
            known = len(old) == 1 and old[0].startswith("'")
            return _replaced(each[0], each[1] if known else 0, each[2])
        case "CONCAT":
            return sum(each)
        case "CONCAT_WS":
            return each[0] * max(len(each) - 2, 0) + sum(each[1:])
        case "UPPER" | "LOWER":
            return _CASED * each[0]
        case name if name in _FIRST:
            return each[0]
        case name if name in _NUMBERS:
            return NUMBER
    return max(each)


def _replaced(text: int, old: int, new: int) -> int:
    """REPLACE of nothing puts the new text before every character, and at the end."""
    if old == 0:
        return text + (text + 1) * new
    return max(text, text // old * new + text % old)


def _count(group: _Group, room: int) -> int:
    """The length that LPAD and RPAD are told; they cut a longer text to it."""
    words = group.arguments[1].words if len(group.arguments) > 1 else []
    hint = f"write the length, up to {room:,}: {group.function}(…, 8, '0')"
    if len(words) != 1 or not words[0].isdecimal():
        raise TooLongError(
            f"the length that {group.function} fills to is not a whole number that is written in it", hint
        )
    # Of many digits not even the number is made.
    if len(words[0]) > 18 or int(words[0]) > room:
        raise TooLongError(f"{group.function} fills to {words[0][:20]} characters; {room:,} are allowed", hint)
    return int(words[0])
