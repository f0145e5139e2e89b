"""COPY and REPLACE: the words of a copybook after text manipulation (ISO/IEC 1989, 7.2).

    COPY JUKI REPLACING ==:TAG:== BY ==JK==.        REPLACE ==OLD-NAME== BY ==NEW-NAME==.

COPY takes a text from the library and replaces words in it; parentheses end a word, so that LEN is replaced in X(LEN).
LEADING and TRAILING replace a part of a word, and so does a pseudo-text of one word between colons or parentheses, as
IBM's compilers take it. A text may copy others, not itself.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence

from extractors.reference_format import Source, SourceFormat, Word, split_words
from migration_reports.findings import Problem

MAX_WORDS = 400_000
MAX_NESTING = 16
MAX_COPIES = 4_000
MAX_COPIED = 8_000_000
MAX_COMPARISONS = 10_000_000

_PARENTHESES = re.compile(r"([()])")

Library = Callable[[str], tuple[str, str] | None]
"""Find the text of a COPY by its name: (text, how positions call its file), or None."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Replacement:
    """Words to find and words to put there; `part` is leading, trailing or inside where a part of a word is meant."""

    old: tuple[str, ...]
    new: tuple[Word, ...]
    part: str = ""


def read_words(text: str, file: str, *, library: Library | None = None, source_format: SourceFormat = "auto") -> Source:
    """Split a copybook into words, with every COPY and REPLACE carried out.

    Args:
        text: the copybook.
        file: how positions call it.
        library: where the texts of COPY come from; None: there are none.
        source_format: the reference format.

    Returns:
        The words, each with its own place in its own file, and the problems.
    """
    reader = _Copier(library or (lambda _: None), source_format)
    words = reader.copied(text, file, ())
    words = reader.replaced(words)
    return Source(tuple(words), tuple(reader.problems), tuple(reader.notes))


class _Copier:
    def __init__(self, library: Library, source_format: SourceFormat) -> None:
        self._library = library
        self._format = source_format
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self._count = 0
        self._copies = 0
        self._characters = 0
        self._comparisons = 0
        self._full = False

    def copied(self, text: str, file: str, inside: tuple[str, ...]) -> list[Word]:
        """The words of a text, with those of every COPY in its place."""
        source = split_words(text, file, source_format=self._format)
        self.problems.extend(source.problems)
        self.notes.extend(source.notes)
        words: list[Word] = []
        at = 0
        while at < len(source.words):
            word = source.words[at]
            if word.kind != "word" or word.upper != "COPY":
                words.append(word)
                at += 1
                continue
            stop = _sentence_end(source.words, at)
            words.extend(self._copy(source.words[at:stop], inside))
            at = stop + 1
        self._count += len(words)
        return words

    def _copy(self, sentence: Sequence[Word], inside: tuple[str, ...]) -> list[Word]:
        if len(sentence) < 2:
            self.problems.append(Problem("L033", sentence[0].position, "COPY names nothing"))
            return []
        name = sentence[1].text.strip("'\"")
        at = 2
        if at < len(sentence) and sentence[at].upper in ("OF", "IN"):
            at += 2
        if at < len(sentence) and sentence[at].upper == "SUPPRESS":
            at += 1
        replacements: list[_Replacement] = []
        if at < len(sentence) and sentence[at].upper == "REPLACING":
            replacements = self._replacements(sentence, at + 1)
        elif at < len(sentence):
            self._problem("L030", sentence[at], f"`{sentence[at].text[:40]}` in COPY", ("REPLACING", "SUPPRESS", "OF"))
        if name.upper() in inside or len(inside) >= MAX_NESTING:
            self._problem("L081", sentence[1], f"COPY {name[:40]} copies itself", ())
            return []
        if self._count >= MAX_WORDS or self._copies >= MAX_COPIES or self._characters >= MAX_COPIED:
            most = f"{MAX_COPIES:,} texts, {MAX_WORDS:,} words or {MAX_COPIED:,} characters"
            self._too_much(sentence[1], f"more than {most} are copied")
            return []
        found = self._library(name)
        if found is None:
            hint = "put it beside the copybook, as NAME, NAME.cpy, .cbl or .cob, or name its folder"
            message = f"COPY {name[:40]}: no such text"
            self.problems.append(Problem("L080", sentence[1].position, message, (), hint))
            return []
        self._copies += 1
        self._characters += len(found[0])
        return self._replace(self.copied(found[0], found[1], (*inside, name.upper())), replacements)

    def replaced(self, words: Sequence[Word]) -> list[Word]:
        """The words after every REPLACE statement."""
        result: list[Word] = []
        pending: list[Word] = []
        active: list[_Replacement] = []
        at = 0
        while at < len(words):
            word = words[at]
            if word.kind != "word" or word.upper != "REPLACE":
                pending.append(word)
                at += 1
                continue
            result.extend(self._replace(pending, active))
            pending = []
            stop = _sentence_end(words, at)
            off = at + 1 < stop and words[at + 1].upper == "OFF"
            active = [] if off else self._replacements(words[at:stop], 1)
            at = stop + 1
        result.extend(self._replace(pending, active))
        return result

    def _replacements(self, words: Sequence[Word], at: int) -> list[_Replacement]:
        found: list[_Replacement] = []
        while at < len(words):
            start = words[at]
            part = start.upper.lower() if start.upper in ("LEADING", "TRAILING") else ""
            at += bool(part)
            old, at = _operand(words, at)
            if not old or at >= len(words) or words[at].upper != "BY":
                self._problem("L033", start, "REPLACING needs OLD BY NEW", ("==OLD== BY ==NEW==",))
                break
            new, at = _operand(words, at + 1)
            texts = tuple(word.upper for word in old)
            if not part and len(texts) == 1 and texts[0][0] + texts[0][-1] in ("::", "()") and len(texts[0]) > 2:
                part = "inside"
            found.append(_Replacement(texts, tuple(new), part))
        return found

    def _replace(self, words: list[Word], replacements: Sequence[_Replacement]) -> list[Word]:
        if not replacements or not words:
            return words
        self._comparisons += len(words) * len(replacements)
        if self._comparisons > MAX_COMPARISONS:
            self._too_much(words[0], f"words are replaced in more than {MAX_COMPARISONS:,} comparisons")
            return words
        single = {r.old[0]: r.new for r in reversed(replacements) if not r.part and len(r.old) == 1}
        result: list[Word] = []
        at = 0
        while at < len(words) and len(result) <= MAX_WORDS:
            word, upper = words[at], words[at].upper
            for replacement in replacements:
                old = replacement.old
                if replacement.part:
                    text = _part_replaced(word, replacement)
                    if text is not None:
                        if text:
                            result.append(dataclasses.replace(word, text=text))
                        at += 1
                        break
                elif upper == old[0] and tuple(w.upper for w in words[at : at + len(old)]) == old:
                    # The new words stand where the old ones stood: a message points to the copybook's own line.
                    result.extend(dataclasses.replace(new, position=word.position) for new in replacement.new)
                    at += len(old)
                    break
            else:
                result.append(_pieces_replaced(word, single) if "(" in upper else word)
                at += 1
        return result

    def _too_much(self, word: Word, message: str) -> None:
        if not self._full:
            self._full = True
            self._problem("L070", word, message, ())

    def _problem(self, code: str, word: Word, message: str, allowed: tuple[str, ...]) -> None:
        self.problems.append(Problem(code, word.position, message, allowed))


def _sentence_end(words: Sequence[Word], at: int) -> int:
    inside = False
    for number in range(at, len(words)):
        if words[number].kind == "pseudo":
            inside = not inside
        if words[number].kind == "period" and not inside:
            return number
    return len(words)


def _operand(words: Sequence[Word], at: int) -> tuple[list[Word], int]:
    """A pseudo-text, or one word or literal, or a qualified name; and where the next begins."""
    if at >= len(words):
        return [], at
    if words[at].kind != "pseudo":
        stop = at + 1
        while stop + 1 < len(words) and words[stop].upper in ("OF", "IN"):
            stop += 2
        return list(words[at:stop]), stop
    stop = next((n for n in range(at + 1, len(words)) if words[n].kind == "pseudo"), len(words))
    return list(words[at + 1 : stop]), stop + 1


def _pieces_replaced(word: Word, single: Mapping[str, Sequence[Word]]) -> Word:
    """A word with what stands between its parentheses, and around them, replaced."""
    if word.kind != "word":
        return word
    pieces = _PARENTHESES.split(word.text)
    new = (single.get(piece.upper()) for piece in pieces)
    text = "".join(piece if n is None else "".join(w.text for w in n) for piece, n in zip(pieces, new, strict=True))
    return word if text == word.text else dataclasses.replace(word, text=text)


def _part_replaced(word: Word, replacement: _Replacement) -> str | None:
    if word.kind not in ("word", "literal"):
        return None
    old, new = replacement.old[0], "".join(w.text for w in replacement.new)
    upper = word.upper
    if replacement.part == "leading" and upper.startswith(old):
        return new + word.text[len(old) :]
    if replacement.part == "trailing" and upper.endswith(old):
        return word.text[: -len(old)] + new
    if replacement.part == "inside" and old in upper:
        text, at = "", 0
        while (next_at := upper.find(old, at)) >= 0 and len(text) < 10_000:
            text += word.text[at:next_at] + new
            at = next_at + len(old)
        return text + word.text[at:]
    return None
