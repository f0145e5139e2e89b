"""Words of a copybook -> data description entries, each with its clauses; every problem with its place.

Follows ISO/IEC 1989, 13.16, and IBM Enterprise COBOL for z/OS, Language Reference, data description entry. What comes
before the first level number of a whole program (divisions, FD and SELECT entries) is passed over.
"""

# Above 400 lines: a method a clause, and all of them share the words and the problems of one entry.

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Mapping, Sequence

from extractors.copybooks.entry import MAX_NAME, UNREADABLE, Entry, Reference, meant
from extractors.copybooks.picture import PictureError, read_picture
from extractors.copybooks.reference_format import Word
from extractors.copybooks.vocabulary import (
    ALIASES,
    CLAUSES,
    HEADERS,
    IN_PARENTHESES,
    MAY_NAME,
    NAME_MARKS,
    ONCE,
    PRINTED,
    STOPS,
    TAG,
    WITHOUT_EFFECT,
)
from extractors.layout import Condition
from extractors.usages import WORDS
from migration_reports.findings import Position, Problem

MAX_OCCURS = 16 * 1024 * 1024
MAX_ENTRIES = 20_000


def read_entries(
    words: Sequence[Word], problems: list[Problem], *, decimal_comma: bool = False, currency: str = ""
) -> list[Entry]:
    """Read the entries of a copybook; what cannot be read goes to `problems`.

    Args:
        words: of the copybook.
        problems: what is wrong is added here.
        decimal_comma: whether DECIMAL-POINT IS COMMA holds, which the text may say itself.
        currency: currency signs besides the usual ones, which the text may name too.
    """
    reader = _Reader(problems, decimal_comma=decimal_comma, currency=currency)
    sentence: list[Word] = []
    for word in words:
        if word.kind != "period":
            sentence.append(word)
            continue
        reader.sentence(sentence)
        sentence = []
        if len(reader.entries) > MAX_ENTRIES:
            problems.append(Problem("L070", word.position, f"more than {MAX_ENTRIES:,} entries"))
            return []
    if sentence:
        problems.append(Problem("L012", sentence[-1].position, "the last entry does not end with a period"))
    return reader.entries


class _Reader:
    def __init__(self, problems: list[Problem], *, decimal_comma: bool, currency: str) -> None:
        self._problems = problems
        self.entries: list[Entry] = []
        self._decimal_comma = decimal_comma
        self._currency = "$\\¥￥£€" + currency.upper()
        self._program = False
        self._section = ""
        self._tags: set[str] = set()
        self._constants: dict[str, Word] = {}
        self._clause_of: Mapping[str, Callable[[list[Word], int, Word, Entry], int]] = {
            "PICTURE": self._picture,
            "USAGE": self._usage,
            "OCCURS": self._occurs,
            "REDEFINES": self._redefines,
            "VALUE": self._value,
            "SIGN": self._sign,
            "LEADING": self._sign_position,
            "TRAILING": self._sign_position,
            "BLANK": self._blank,
            "JUSTIFIED": self._justified,
            "SYNCHRONIZED": self._synchronized,
        }

    def sentence(self, words: list[Word]) -> None:
        """Read one entry, or what stands around the entries of a whole program."""
        if not words:
            return
        first = words[0]
        texts = [word.upper for word in words]
        if "DECIMAL-POINT" in texts and "COMMA" in texts:
            self._decimal_comma = True
        if "CURRENCY" in texts:
            self._currency += next((w.text.strip("'\"")[:1].upper() for w in words if w.kind == "literal"), "")
        if not _is_level(first):
            self._program |= bool(HEADERS.intersection(texts)) or texts[0] in ("SELECT", "FD", "SD", "SPECIAL-NAMES")
            if len(texts) > 1 and texts[1] in HEADERS:
                self._section = "" if texts[1] == "DIVISION" else texts[0]
            if not self._program:
                self._no_entry(words)
            return
        level = int(first.text)
        words = self._with_constants(words)
        if level == 78 or (level == 1 and len(words) > 2 and words[2].upper == "CONSTANT"):
            self._constant(words)
        elif level == 88:
            self._condition(words)
        elif level == 66:
            self._renames(words)
        elif 1 <= level <= 49 or level == 77:
            self._entry(level, words)
        else:
            self._problem("L011", first, f"`{first.text}` is no level number", ("01 to 49", "66", "77", "88"))

    def _constant(self, words: list[Word]) -> None:
        """78 NAME VALUE 3, or 01 NAME CONSTANT AS 3: a name for a literal, which stands wherever the literal may."""
        at = _skip(words, _skip(words, 2, "CONSTANT", "VALUE"), "IS", "AS")
        value = words[at] if at < len(words) else None
        if value is None or at + 1 != len(words) or words[1].kind != "word" or not _is_literal(value):
            hint = "78 NAME VALUE 3."
            self._problem("L033", words[0], "a constant needs a name and one literal", hint=hint)
            return
        self._constants[words[1].upper] = value

    def _with_constants(self, words: list[Word]) -> list[Word]:
        """The words of an entry, the literals of the constants in their places; its own name stays."""
        if not self._constants:
            return words
        changed = words[:2]
        for word in words[2:]:
            value = self._constants.get(word.upper)
            if value is not None:
                changed.append(dataclasses.replace(word, text=value.text, kind=value.kind))
            else:
                text = IN_PARENTHESES.sub(self._literal_of, word.text) if word.kind == "word" else word.text
                changed.append(dataclasses.replace(word, text=text))
        return changed

    def _literal_of(self, match: re.Match[str]) -> str:
        value = self._constants.get(match[1].upper())
        return f"({value.text})" if value is not None else match.group()

    def _no_entry(self, words: list[Word]) -> None:
        """Say what looks like an entry and is none; a remark ends where a line begins with a level number."""
        pairs = enumerate(itertools.pairwise(words), 1)
        lines = (at for at, (before, word) in pairs if word.position.line > before.position.line)
        after = next((at for at in lines if _is_level(words[at])), 0)
        if not after and any(word.upper in STOPS for word in words):
            self._problem("L010", words[0], "an entry begins with a level number", ("01 to 49", "66", "77", "88"))
            return
        remark = words[:after] if after else words
        message = f"`{' '.join(word.text for word in remark)[:60]}` looks like a title or a remark"
        self._problem(
            "L010", words[0], message, hint="put `*` in column 7 of its line, or `*>` before it in free format"
        )
        if after:
            self.sentence(words[after:])

    def _entry(self, level: int, words: list[Word]) -> None:
        at = 1
        name = "FILLER"
        printed = at + 1 < len(words) and (words[at].upper, words[at + 1].upper) in PRINTED
        if at < len(words) and words[at].kind == "word" and words[at].upper not in STOPS - MAY_NAME and not printed:
            name = words[at].upper
            if name != "FILLER" and not _is_data_name(name):
                self._no_name(words[at], name, TAG.search(words[at].text))
            at += 1
        elif at + 1 < len(words) and words[at].kind == "literal" and words[at + 1].kind == "word":
            # 05 'XXX'-NAME: COPY REPLACING puts a word in the place of the literal.
            tag = re.match(r".+", words[at].text)
            self._no_name(words[at], words[at].text + words[at + 1].text, tag)
            at += 2
        entry = Entry(level, name, words[0].position)
        seen: set[str] = set()
        while at < len(words):
            word = words[at]
            key = ALIASES.get(word.upper, word.upper)
            at += 1
            if key in WORDS:
                entry.storage, entry.usage_position, key = WORDS[key], word.position, "USAGE"
                clause = None
            elif key in self._clause_of:
                clause = self._clause_of[key]
            elif key in ("SIGNED", "UNSIGNED") and entry.storage is not None and entry.storage.size:
                entry.unsigned = key == "UNSIGNED"
                continue
            elif (key, words[at].upper if at < len(words) else "") in PRINTED:
                # How the item is printed, never what it holds.
                while at < len(words) and words[at].upper not in STOPS:
                    at += 1
                continue
            elif key == "IS" and at < len(words) and words[at].upper in WITHOUT_EFFECT:
                continue
            elif key in WITHOUT_EFFECT:
                # EXTERNAL AS 'name' says where the storage is, never what it holds.
                at += 2 if at < len(words) and words[at].upper == "AS" else 0
                continue
            else:
                self._unknown(word, CLAUSES)
                continue
            if key in seen and key in ONCE:
                self._problem("L032", word, f"{key} is given twice")
            seen.add(key)
            if clause is not None:
                at = clause(words, at, word, entry)
        self._append(entry)

    def _no_name(self, word: Word, name: str, tag: re.Match[str] | None) -> None:
        if tag is None:
            allowed = ("letters, digits, hyphens, kanji, kana",)
            self._problem("L020", word, f"`{name[:40]}` is no data name", allowed)
        elif tag.group() not in self._tags:
            self._tags.add(tag.group())
            text = tag.group()[:40]
            message = f"`{name[:40]}` holds the tag `{text}`, for which COPY REPLACING puts a word"
            said = f"""--replace "{text}=WORD" on the command line, `replacing: {{"{text}": WORD}}` in the manifest"""
            self._problem("L020", word, message, hint=f"say which: {said}")

    def _append(self, entry: Entry) -> None:
        entry.section = self._section
        entry.ordinal = len(self.entries) + 1
        self.entries.append(entry)

    def _picture(self, words: list[Word], at: int, clause: Word, entry: Entry) -> int:
        at = _skip(words, at, "IS")
        if at >= len(words):
            self._problem("L033", clause, "PICTURE gives nothing", hint="for example PIC X(10)")
            return at
        word = words[at]
        try:
            entry.picture = read_picture(word.text, decimal_comma=self._decimal_comma, currency=self._currency)
        except PictureError as error:
            place = dataclasses.replace(word.position, column=word.position.column + error.at)
            self._at("L040", place, f"PICTURE {word.text[:40]}: {error}", error.allowed)
            entry.picture = UNREADABLE
        return at + 1

    def _usage(self, words: list[Word], at: int, clause: Word, entry: Entry) -> int:
        at = _skip(words, at, "IS")
        if at >= len(words):
            self._problem("L033", clause, "USAGE names nothing", hint="for example USAGE COMP-3")
            return at
        if words[at].upper in WORDS:
            entry.storage, entry.usage_position = WORDS[words[at].upper], words[at].position
        else:
            self._unknown(words[at], tuple(WORDS))
        return at + 1

    def _occurs(self, words: list[Word], at: int, clause: Word, entry: Entry) -> int:
        entry.occurs_clause = True
        number = self._count(words, at, clause, least=0)
        if number is None:
            return at
        at += 1
        entry.least = entry.occurs = number
        if at < len(words) and words[at].upper == "TO":
            most = self._count(words, at + 1, words[at], least=max(number, 1))
            if most is None:
                return at + 1
            entry.occurs = most
            at += 2
        elif number == 0:
            self._problem("L050", words[at - 1], "OCCURS 0 does not fit", (f"1 to {MAX_OCCURS}",))
            entry.least = entry.occurs = 1
        at = _skip(words, at, "TIMES")
        while at < len(words):
            word = words[at].upper
            if word == "DEPENDING":
                at = _skip(words, at + 1, "ON")
                if at >= len(words):
                    self._problem("L033", clause, "DEPENDING ON names nothing")
                    return at
                entry.depending, at = _reference(words, at)
                if entry.least == entry.occurs:
                    # OCCURS 80 DEPENDING ON: the standard asks for a lower bound, compilers do without.
                    entry.least = 0
            elif word in ("INDEXED", "ASCENDING", "DESCENDING"):
                at = _skip(words, _skip(words, _skip(words, at + 1, "KEY"), "IS"), "BY")
                while at < len(words) and words[at].kind == "word" and words[at].upper not in STOPS:
                    at += 1
            elif word == "KEY":
                at += 1
            else:
                break
        if entry.least != entry.occurs and entry.depending is None:
            self._problem("L033", clause, "OCCURS n TO m needs DEPENDING ON")
        return at

    def _count(self, words: list[Word], at: int, clause: Word, *, least: int) -> int | None:
        if at >= len(words) or not words[at].text.isascii() or not words[at].text.isdigit():
            self._problem("L033", words[at] if at < len(words) else clause, "OCCURS gives no number")
            return None
        text = words[at].text
        if len(text) > 9 or not least <= int(text) <= MAX_OCCURS:
            self._problem("L050", words[at], f"OCCURS {text[:20]} does not fit", (f"{max(least, 1)} to {MAX_OCCURS}",))
            return max(least, 1)
        return int(text)

    def _redefines(self, words: list[Word], at: int, clause: Word, entry: Entry) -> int:
        if at >= len(words) or words[at].kind != "word":
            self._problem("L033", clause, "REDEFINES names nothing")
            return at
        entry.redefines = words[at]
        return at + 1

    def _value(self, words: list[Word], at: int, clause: Word, entry: Entry) -> int:
        at = _skip(words, at, "IS", "ARE")
        if at >= len(words):
            self._problem("L033", clause, "VALUE gives nothing")
            return at
        at = _skip(words, at, "ALL")
        if at < len(words):
            entry.value = literal_text(words[at])
        at += 1
        while entry.value is not None and at + 1 < len(words) and words[at].text == "&":
            entry.value += literal_text(words[at + 1])
            at += 2
        return at

    def _sign(self, words: list[Word], at: int, clause: Word, entry: Entry) -> int:
        at = _skip(words, at, "IS")
        if at >= len(words) or words[at].upper not in ("LEADING", "TRAILING"):
            self._problem("L033", clause, "SIGN says neither LEADING nor TRAILING")
            return at
        return self._sign_position(words, at + 1, words[at], entry)

    def _sign_position(self, words: list[Word], at: int, clause: Word, entry: Entry) -> int:
        entry.leading = clause.upper == "LEADING"
        if at < len(words) and words[at].upper == "SEPARATE":
            entry.separate = True
            at += 1
        return _skip(words, at, "CHARACTER")

    def _blank(self, words: list[Word], at: int, _: Word, entry: Entry) -> int:
        entry.blank_when_zero = True
        return _skip(words, _skip(words, at, "WHEN"), "ZERO", "ZEROS", "ZEROES")

    def _justified(self, words: list[Word], at: int, _: Word, entry: Entry) -> int:
        entry.justified = True
        return _skip(words, at, "RIGHT")

    def _synchronized(self, words: list[Word], at: int, _: Word, entry: Entry) -> int:
        entry.sync = True
        return _skip(words, at, "LEFT", "RIGHT")

    def _condition(self, words: list[Word]) -> None:
        if not self.entries:
            self._problem("L011", words[0], "level 88 has no item to belong to")
            return
        if len(words) < 4 or words[2].upper not in ("VALUE", "VALUES"):
            self._problem("L033", words[0], "level 88 needs a name and VALUE", hint="88 IS-HEAD VALUE '01'.")
            return
        values: list[str | tuple[str, str]] = []
        at = _skip(words, 3, "IS", "ARE")
        while at < len(words):
            if words[at].upper in ("THRU", "THROUGH") and values and at + 1 < len(words):
                first = values.pop()
                values.append((first if isinstance(first, str) else first[0], literal_text(words[at + 1])))
                at += 2
            elif words[at].text == "&" and values and isinstance(values[-1], str) and at + 1 < len(words):
                values[-1] += literal_text(words[at + 1])
                at += 2
            elif words[at].upper in ("FALSE", "WHEN") and words[at].kind == "word":
                # What SET ... TO FALSE moves there is none of the values.
                break
            elif words[at].upper == "ALL" and words[at].kind == "word":
                at += 1
            else:
                values.extend(self._values(words[at]))
                at += 1
        self.entries[-1].conditions.append(Condition(words[1].upper, tuple(values)))

    def _values(self, word: Word) -> list[str]:
        """The values that a word is: several where commas without blanks stand between numbers."""
        if word.kind == "literal":
            return [literal_text(word)]
        return [value for value in re.split(r";" if self._decimal_comma else r"[,;]", word.text) if value]

    def _renames(self, words: list[Word]) -> None:
        named: list[Reference] = []
        at = 3
        if len(words) > at and words[2].upper == "RENAMES":
            first, at = _reference(words, at)
            named = [first, first]
            if at + 1 < len(words) and words[at].upper in ("THRU", "THROUGH"):
                named[1], at = _reference(words, at + 1)
        if not named or at != len(words) or any(reference.word.kind != "word" for reference in named):
            hint = "66 NAME RENAMES FIRST THRU LAST."
            self._problem("L033", words[0], "level 66 needs a name and RENAMES", hint=hint)
            return
        self._append(Entry(66, words[1].upper, words[0].position, renames=(named[0], named[1])))

    def _unknown(self, word: Word, allowed: tuple[str, ...]) -> None:
        hint = meant(word.upper, allowed, self._problems) or "is a period missing before it?"
        self._problem("L030", word, f"`{word.text[:40]}` is no clause", hint=hint)

    def _problem(self, code: str, word: Word, message: str, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        self._problems.append(Problem(code, word.position, message, allowed, hint))

    def _at(self, code: str, position: Position, message: str, allowed: tuple[str, ...] = ()) -> None:
        self._problems.append(Problem(code, position, message, allowed))


def _is_literal(word: Word) -> bool:
    """Whether a word is a literal: quoted, or a number."""
    return word.kind == "literal" or re.fullmatch(r"[+-]?\d*[.,]?\d+", word.text) is not None


def _is_level(word: Word) -> bool:
    return word.text.isascii() and word.text.isdigit() and len(word.text) <= 2


def _skip(words: list[Word], at: int, *noise: str) -> int:
    return at + 1 if at < len(words) and words[at].upper in noise else at


def _reference(words: list[Word], at: int) -> tuple[Reference, int]:
    """A data name with its qualifiers, and where the next word stands."""
    name = words[at]
    of = []
    at += 1
    while at + 1 < len(words) and words[at].upper in ("OF", "IN"):
        of.append(words[at + 1].upper)
        at += 2
    return Reference(name, tuple(of)), at


def _is_data_name(name: str) -> bool:
    return (
        len(name) <= MAX_NAME
        and all(c.isalnum() or c in NAME_MARKS for c in name)
        and not name.startswith("-")
        and not name.endswith("-")
        and not name.isdigit()
    )


def literal_text(word: Word) -> str:
    """The text of a literal without its quotes; of a number or a figurative constant, the word."""
    if word.kind != "literal" or len(word.text) < 2:
        return word.text
    body = word.text[word.text.index(word.text[-1]) + 1 : -1]
    return body.replace(word.text[-1] * 2, word.text[-1])
