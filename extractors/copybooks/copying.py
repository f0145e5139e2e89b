"""COPY and REPLACE: the words of a copybook after text manipulation (ISO/IEC 1989, 7.2).

    COPY JUKI REPLACING ==:TAG:== BY ==JK==.        REPLACE ==OLD-NAME== BY ==NEW-NAME==.

COPY takes a text from the library and replaces words in it; parentheses end a word, so that LEN is replaced in X(LEN).
LEADING and TRAILING replace a part of a word, and so does a pseudo-text of one word between colons or parentheses, as
IBM's compilers take it, and a literal that stands against a word ('XXX'-NAME). Of several such tags in a word each is
replaced. Fujitsu's JOINING AS PREFIX and DISJOINING change the names that a text defines. A text may copy others, not
itself.

A copybook that is made for REPLACING has its tags replaced by what is said beside it (`replacing`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence

from extractors.copybooks.reference_format import Source, SourceFormat, Word, split_words
from migration_reports.findings import Problem

MAX_WORDS = 400_000
MAX_NESTING = 16
MAX_COPIES = 4_000
MAX_COPIED = 8_000_000
MAX_COMPARISONS = 10_000_000
MAX_WORD = 10_000

_PARENTHESES = re.compile(r"([()])")

Library = Callable[[str], tuple[str, str] | None]
"""Find the text of a COPY by its name: (text, how positions call its file), or None."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Replacement:
    """Words to find and words to put there.

    `part` is leading, trailing or inside where a part of a word is meant, and literal where a literal stands against one.
    """

    old: tuple[str, ...]
    new: tuple[Word, ...]
    part: str = ""


def read_words(
    text: str,
    file: str,
    *,
    library: Library | None = None,
    source_format: SourceFormat = "auto",
    replacing: Mapping[str, str] | None = None,
) -> Source:
    """Split a copybook into words, with every COPY and REPLACE carried out.

    Args:
        text: the copybook.
        file: how positions call it.
        library: where the texts of COPY come from; None: there are none.
        source_format: the reference format.
        replacing: what stands for each tag of the copybook: between marks (`:TAG:`, `'XXX'`) a part of any word, before
            or behind a hyphen (`XXX-`) the beginning or the end of one, otherwise a whole word.

    Returns:
        The words, each with its own place in its own file, and the problems.
    """
    reader = _Copier(library or (lambda _: None), source_format)
    words = reader.copied(text, file, ())
    words = reader.replaced(words)
    words = reader.said(words, replacing or {})
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
        joined: _Joining | None = None
        if at < len(sentence) and sentence[at].upper == "REPLACING":
            replacements = self._replacements(sentence, at + 1)
        elif at < len(sentence) and sentence[at].upper in ("JOINING", "DISJOINING"):
            joined, at = _joining(sentence, at)
            if joined is None or at < len(sentence):
                self._problem("L033", sentence[min(at, len(sentence) - 1)], "COPY JOINING is not complete", _JOININGS)
                joined = None
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
        words = self._replace(self.copied(found[0], found[1], (*inside, name.upper())), replacements)
        return joined.renamed(words) if joined is not None else words

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

    def said(self, words: list[Word], replacing: Mapping[str, str]) -> list[Word]:
        """The words after the tags that are said beside the copybook were replaced."""
        replacements = []
        for tag, name in replacing.items():
            old = tag.upper()
            marks = not (old[0].isalnum() or old[-1].isalnum() or "-" in (old[0], old[-1]))
            part = "literal" if old[0] in "'\"" else "inside" if marks else ""
            part = part or ("leading" if old[-1] == "-" else "trailing" if old[0] == "-" else "")
            new = (Word(name, words[0].position, "word"),) if name and words else ()
            replacements.append(_Replacement((old,), new, part))
        return self._replace(words, replacements)

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
            if not part and len(old) == 1 and old[0].kind == "literal":
                part = "literal"
            found.append(_Replacement(texts, tuple(new), part))
        return found

    def _replace(self, words: list[Word], replacements: Sequence[_Replacement]) -> list[Word]:
        if not replacements or not words:
            return words
        self._comparisons += len(words) * len(replacements)
        if self._comparisons > MAX_COMPARISONS:
            self._too_much(words[0], f"words are replaced in more than {MAX_COMPARISONS:,} comparisons")
            return words
        tags = {r.old[0]: "".join(w.text for w in r.new) for r in reversed(replacements) if r.part == "inside"}
        pattern = re.compile("|".join(map(re.escape, tags)), re.IGNORECASE)
        single = {r.old[0]: r.new for r in reversed(replacements) if not r.part and len(r.old) == 1}
        result: list[Word] = []
        at = 0
        while at < len(words) and len(result) <= MAX_WORDS:
            word, upper = words[at], words[at].upper
            for replacement in replacements:
                old = replacement.old
                if replacement.part == "literal":
                    if word.kind == "literal" and upper == old[0]:
                        at = _put_against(words, at, replacement.new, result)
                        break
                elif replacement.part == "inside":
                    if word.kind in ("word", "literal") and old[0] in upper:
                        text = _tags_replaced(word.text, pattern, tags)
                        if text:
                            result.append(dataclasses.replace(word, text=text))
                        at += 1
                        break
                elif replacement.part:
                    rest = _part_replaced(word, replacement)
                    if rest is not None:
                        if rest:
                            result.append(dataclasses.replace(word, text=rest))
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


def _tags_replaced(text: str, pattern: re.Pattern[str], tags: Mapping[str, str]) -> str:
    """A word with each of its tags replaced, in one pass: what a tag is replaced by is not looked at again."""
    return pattern.sub(lambda match: tags[match.group().upper()], text)[:MAX_WORD]


def _put_against(words: Sequence[Word], at: int, new: Sequence[Word], result: list[Word]) -> int:
    """Put words in the place of a literal, as one word with what stands against it; gives where the next begins."""
    literal = words[at]
    added = [dataclasses.replace(word, position=literal.position) for word in new]
    if at and _touch(words[at - 1], literal) and result:
        before = result.pop()
        head = added[0].text if added else ""
        added[:1] = [dataclasses.replace(before, text=before.text + head)]
    if at + 1 < len(words) and _touch(literal, words[at + 1]):
        tail = words[at + 1]
        last = added.pop() if added else dataclasses.replace(tail, text="", position=literal.position)
        added.append(dataclasses.replace(last, text=last.text + tail.text))
        at += 1
    result.extend(added)
    return at + 1


def _touch(one: Word, other: Word) -> bool:
    """Whether two words, one of them a literal, stand against each other."""
    first, second = one.position, other.position
    beside = (first.file, first.line, first.column + len(one.text)) == (second.file, second.line, second.column)
    return beside and "word" in (one.kind, other.kind)


@dataclasses.dataclass(frozen=True, slots=True)
class _Joining:
    """A prefix or suffix that the names of a text get, and one that they lose before that."""

    lost: str
    got: str
    prefix: bool

    def renamed(self, words: Sequence[Word]) -> list[Word]:
        """The words of a text with the names that it defines changed wherever they stand."""
        pairs = zip(("", *(word.kind for word in words)), words, words[1:], strict=False)
        names = {
            name.upper
            for before, level, name in pairs
            if before in ("", "period") and level.text.isdigit() and name.kind == "word" and name.upper != "FILLER"
        }
        renamed = []
        picture = False
        for word in words:
            named = not picture and word.kind == "word" and word.upper in names
            renamed.append(dataclasses.replace(word, text=self._name(word.text)) if named else word)
            # The X of PIC X is no name.
            picture = word.upper in ("PIC", "PICTURE") or (picture and word.upper == "IS")
        return renamed

    def _name(self, name: str) -> str:
        lost = f"{self.lost}-" if self.prefix else f"-{self.lost}"
        if self.lost and self.prefix and name.upper().startswith(lost):
            name = name[len(lost) :]
        elif self.lost and not self.prefix and name.upper().endswith(lost):
            name = name[: -len(lost)]
        if not self.got:
            return name
        return f"{self.got}-{name}" if self.prefix else f"{name}-{self.got}"


_JOININGS = ("JOINING WORD AS PREFIX", "JOINING WORD AS SUFFIX", "DISJOINING WORD JOINING WORD AS PREFIX")


def _joining(sentence: Sequence[Word], at: int) -> tuple[_Joining | None, int]:
    """What JOINING and DISJOINING say, and where they end; None where they are not complete."""
    said = {"DISJOINING": "", "JOINING": ""}
    while at + 1 < len(sentence) and sentence[at].upper in said:
        said[sentence[at].upper] = sentence[at + 1].text.strip("'\"").strip("-")
        at += 2
    where = "PREFIX"
    if at + 1 < len(sentence) and sentence[at].upper == "AS":
        where, at = sentence[at + 1].upper, at + 2
    if where not in ("PREFIX", "SUFFIX") or not any(said.values()):
        return None, at
    return _Joining(said["DISJOINING"].upper(), said["JOINING"], where == "PREFIX"), at


def _part_replaced(word: Word, replacement: _Replacement) -> str | None:
    if word.kind not in ("word", "literal"):
        return None
    old, new = replacement.old[0], "".join(w.text for w in replacement.new)
    upper = word.upper
    if replacement.part == "leading" and upper.startswith(old):
        return new + word.text[len(old) :]
    if replacement.part == "trailing" and upper.endswith(old):
        return word.text[: -len(old)] + new
    return None
