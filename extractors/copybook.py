"""COBOL copybook -> Layout: data description entries, placed, with every problem and its place at once.

Follows ISO/IEC 1989 clause 13.16 and IBM Enterprise COBOL for z/OS, Language Reference, data description entry:
levels 01 to 49, 77 and 88; PICTURE X A 9 S V N G; USAGE DISPLAY, DISPLAY-1, COMP, COMP-4, BINARY, COMP-3 and
PACKED-DECIMAL, inherited from groups; OCCURS n; REDEFINES; FILLER; VALUE. A clause that would change bytes and is not
read yet is refused by name, never skipped.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence

from extractors.layout import Condition, Item, Layout, Picture, Storage
from extractors.picture import PictureError, read_picture
from extractors.reference_format import Word, split_words
from migration_reports.findings import Position, Problem, SpecError

MAX_RECORD = 16 * 1024 * 1024
MAX_FIELDS = 100_000
MAX_ENTRIES = 20_000
MAX_DEPTH = 49

PROBLEMS: Mapping[str, str] = {
    "L001": "the copybook cannot be read as text",
    "L002": "a line is too long",
    "L003": "a wrong indicator in column 7",
    "L004": "a literal is not closed",
    "L010": "an entry that does not begin with a level number",
    "L011": "a level number that does not fit",
    "L012": "a period is missing",
    "L013": "no data description entry",
    "L014": "several records in one copybook",
    "L020": "a data name that COBOL does not allow",
    "L030": "a clause that is not known",
    "L031": "a clause that is not read yet",
    "L032": "a clause given twice",
    "L033": "a clause that is not complete",
    "L040": "a PICTURE that cannot be read",
    "L041": "PICTURE missing, or on a group",
    "L042": "PICTURE and USAGE do not fit together",
    "L050": "an OCCURS count that does not fit",
    "L060": "a REDEFINES of something else than an item of the same group and level",
    "L070": "a layout that is too large",
}
"""What each problem code of a copybook means."""

_STORAGE = {
    "DISPLAY": Storage.DISPLAY,
    "DISPLAY-1": Storage.DISPLAY_1,
    "COMP": Storage.BINARY,
    "COMPUTATIONAL": Storage.BINARY,
    "COMP-4": Storage.BINARY,
    "COMPUTATIONAL-4": Storage.BINARY,
    "BINARY": Storage.BINARY,
    "COMP-3": Storage.PACKED,
    "COMPUTATIONAL-3": Storage.PACKED,
    "PACKED-DECIMAL": Storage.PACKED,
}
_LATER = {
    "COMP-1", "COMP-2", "COMP-5", "COMP-6", "COMP-X", "COMPUTATIONAL-1", "COMPUTATIONAL-2", "COMPUTATIONAL-5",
    "NATIONAL", "INDEX", "POINTER", "SYNC", "SYNCHRONIZED", "DEPENDING", "SEPARATE", "LEADING", "COPY", "REPLACE",
    "RENAMES",
}  # fmt: skip
_WITHOUT_EFFECT = {"JUST", "JUSTIFIED", "EXTERNAL", "GLOBAL", "RIGHT"}
_CLAUSES = (
    "PICTURE", "PIC", "USAGE", "OCCURS", "REDEFINES", "VALUE", "SIGN", "BLANK", *_WITHOUT_EFFECT, *_STORAGE,
)  # fmt: skip
_STOPS = frozenset((*_CLAUSES, *_LATER, "VALUES", "INDEXED", "ASCENDING", "DESCENDING", "KEY"))


@dataclasses.dataclass(slots=True)
class _Entry:
    """A data description entry while it is read and placed."""

    level: int
    name: str
    position: Position
    picture: Picture | None = None
    storage: Storage | None = None
    usage_position: Position | None = None
    occurs: int = 1
    occurs_clause: bool = False
    redefines: Word | None = None
    value: str | None = None
    conditions: list[Condition] = dataclasses.field(default_factory=list)
    children: list[_Entry] = dataclasses.field(default_factory=list)


def read_copybook(text: str, *, file: str) -> Layout:
    """Read a copybook of one record.

    Args:
        text: the copybook, fixed or free reference format.
        file: how positions call it.

    Returns:
        The layout, offsets and widths in bytes.

    Raises:
        SpecError: with every problem found.
    """
    words, problems = split_words(text, file)
    if problems and not words:
        raise SpecError(problems)
    reader = _Reader(file, problems)
    entries = reader.entries(words)
    roots = reader.nest(entries)
    if not roots and not problems:
        problems.append(Problem("L013", Position(file), "there is no data description entry", ("01 NAME ...",)))
    for second in roots[1:]:
        problems.append(
            Problem(
                "L014",
                second.position,
                f"`{second.name}` is a second record; a layout describes one",
                hint="put it into a copybook of its own, or let it REDEFINE a group of the first",
            )
        )
    if problems:
        raise SpecError(problems)
    record, fields = _Placer(problems).place(roots[0], 0, None)
    if not problems and (record.width > MAX_RECORD or fields > MAX_FIELDS):
        problems.append(Problem("L070", roots[0].position, f"{record.width:,} bytes, {fields:,} fields are too many"))
    if problems:
        raise SpecError(problems)
    return Layout(record, file)


class _Reader:
    """Words -> entries -> the tree of their levels; collects problems and goes on."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems

    def entries(self, words: Sequence[Word]) -> list[_Entry]:
        entries: list[_Entry] = []
        sentence: list[Word] = []
        for word in words:
            if word.kind != "period":
                sentence.append(word)
                continue
            self._entry(sentence, entries)
            sentence = []
        if sentence:
            self._problem("L012", sentence[-1], "the last entry does not end with a period")
        if len(entries) > MAX_ENTRIES:
            self._problem("L070", words[0], f"more than {MAX_ENTRIES:,} entries")
            return []
        return entries

    def nest(self, entries: list[_Entry]) -> list[_Entry]:
        roots: list[_Entry] = []
        stack: list[_Entry] = []
        for entry in entries:
            while stack and stack[-1].level >= entry.level:
                stack.pop()
            if not stack:
                if roots and entry.level not in (1, 77):
                    self._at("L011", entry.position, f"level {entry.level:02} stands outside the record", ("01",))
                    continue
                roots.append(entry)
            else:
                parent = stack[-1]
                if parent.picture is not None:
                    self._at(
                        "L041", parent.position, f"`{parent.name}` has a PICTURE and so cannot have items below it"
                    )
                if parent.children and parent.children[0].level != entry.level:
                    message = f"level {entry.level:02} does not match its siblings' level"
                    self._at("L011", entry.position, message, (f"{parent.children[0].level:02}",))
                parent.children.append(entry)
            stack.append(entry)
        for entry in entries:
            if entry.picture is None and not entry.children:
                self._at("L041", entry.position, f"`{entry.name}` has neither a PICTURE nor items below it")
        return roots

    def _entry(self, words: list[Word], entries: list[_Entry]) -> None:
        if not words:
            return
        first = words[0]
        if not first.text.isascii() or not first.text.isdigit() or len(first.text) > 2:
            if first.upper in _LATER:
                self._problem("L031", first, f"{first.upper} is not read yet", hint="write out what it stands for")
            else:
                self._problem("L010", first, "an entry begins with a level number", ("01 to 49", "77", "88"))
            return
        level = int(first.text)
        if level == 88:
            self._condition(words, entries)
            return
        if level == 66:
            self._problem("L031", first, "level 66 RENAMES is not read yet", hint="name the fields themselves")
            return
        if not (1 <= level <= 49 or level == 77):
            self._problem("L011", first, f"`{first.text}` is no level number", ("01 to 49", "77", "88"))
            return
        at = 1
        name = "FILLER"
        if at < len(words) and words[at].kind == "word" and words[at].upper not in _STOPS:
            name = words[at].upper
            if name != "FILLER" and not _is_data_name(name):
                self._problem(
                    "L020",
                    words[at],
                    f"`{name[:40]}` is no data name",
                    ("letters, digits, hyphens, kanji, kana",),
                )
            at += 1
        entry = _Entry(level, name, first.position)
        self._clauses(words, at, entry)
        entries.append(entry)

    def _clauses(self, words: list[Word], at: int, entry: _Entry) -> None:
        seen: set[str] = set()
        while at < len(words):
            word = words[at]
            name = word.upper
            at += 1
            key = "PICTURE" if name == "PIC" else "USAGE" if name in _STORAGE else name
            if key in seen:
                self._problem("L032", word, f"{key} is given twice")
            if key in ("PICTURE", "USAGE", "OCCURS", "REDEFINES", "VALUE"):
                seen.add(key)
            if key == "PICTURE":
                at = self._picture(words, self._skip(words, at, "IS"), word, entry)
            elif name in _STORAGE:
                entry.storage, entry.usage_position = _STORAGE[name], word.position
            elif name == "USAGE":
                at = self._skip(words, at, "IS")
                if at >= len(words):
                    self._problem("L033", word, "USAGE names nothing", hint="for example USAGE COMP-3")
                elif words[at].upper in _STORAGE:
                    entry.storage, entry.usage_position = _STORAGE[words[at].upper], words[at].position
                    at += 1
                else:
                    self._unknown(words[at], tuple(_STORAGE))
                    at += 1
            elif name == "OCCURS":
                at = self._occurs(words, at, word, entry)
            elif name == "REDEFINES":
                if at >= len(words) or words[at].kind != "word":
                    self._problem("L033", word, "REDEFINES names nothing")
                else:
                    entry.redefines = words[at]
                    at += 1
            elif name in ("VALUE", "VALUES"):
                at = self._skip(words, at, "IS", "ARE")
                if at >= len(words):
                    self._problem("L033", word, "VALUE gives nothing")
                else:
                    entry.value = _literal(words[at])
                    at += 2 if words[at].upper == "ALL" else 1
            elif name == "SIGN":
                at = self._skip(words, at, "IS")
                if at < len(words) and words[at].upper == "TRAILING":
                    at += 1
                at = self._skip(words, at, "CHARACTER")
            elif name == "BLANK":
                at = self._skip(words, self._skip(words, at, "WHEN"), "ZERO", "ZEROS", "ZEROES")
            elif name not in _WITHOUT_EFFECT and name != "CHARACTER":
                self._unknown(word, _CLAUSES)

    def _picture(self, words: list[Word], at: int, clause: Word, entry: _Entry) -> int:
        if at >= len(words):
            self._problem("L033", clause, "PICTURE gives nothing", hint="for example PIC X(10)")
            return at
        word = words[at]
        try:
            entry.picture = read_picture(word.text)
        except PictureError as error:
            place = dataclasses.replace(word.position, column=word.position.column + error.at)
            self._at("L040", place, f"PICTURE {word.text[:40]}: {error}", error.allowed)
            entry.picture = Picture(word.text, "alphanumeric", 1)
        return at + 1

    def _occurs(self, words: list[Word], at: int, clause: Word, entry: _Entry) -> int:
        if at >= len(words) or not words[at].text.isascii() or not words[at].text.isdigit():
            self._problem("L033", words[at] if at < len(words) else clause, "OCCURS gives no number")
            return at
        word = words[at]
        if len(word.text) > 8 or not 1 <= int(word.text) <= MAX_RECORD:
            self._problem("L050", word, f"OCCURS {word.text[:20]} does not fit", (f"1 to {MAX_RECORD}",))
        else:
            entry.occurs = int(word.text)
        entry.occurs_clause = True
        at += 1
        if at < len(words) and words[at].upper == "TO":
            self._problem(
                "L031",
                words[at],
                "OCCURS DEPENDING ON is not read yet",
                hint="the record would have no fixed length",
            )
            while at < len(words) and words[at].upper not in _STOPS - {"DEPENDING"}:
                at += 1
            return at
        at = self._skip(words, at, "TIMES")
        while at < len(words) and words[at].upper in ("INDEXED", "ASCENDING", "DESCENDING"):
            at = self._skip(words, at + 1, "KEY")
            at = self._skip(words, self._skip(words, at, "IS"), "BY")
            while at < len(words) and words[at].kind == "word" and words[at].upper not in _STOPS:
                at += 1
        return at

    def _condition(self, words: list[Word], entries: list[_Entry]) -> None:
        if not entries:
            self._problem("L011", words[0], "level 88 has no item to belong to")
            return
        if len(words) < 4 or words[2].upper not in ("VALUE", "VALUES"):
            self._problem("L033", words[0], "level 88 needs a name and VALUE", hint="88 IS-HEAD VALUE '01'.")
            return
        values: list[str | tuple[str, str]] = []
        at = self._skip(words, 3, "IS", "ARE")
        while at < len(words):
            if words[at].upper in ("THRU", "THROUGH") and values and at + 1 < len(words):
                first = values.pop()
                values.append((first if isinstance(first, str) else first[0], _literal(words[at + 1])))
                at += 2
            else:
                values.append(_literal(words[at]))
                at += 1
        entries[-1].conditions.append(Condition(words[1].upper, tuple(values)))

    @staticmethod
    def _skip(words: list[Word], at: int, *noise: str) -> int:
        return at + 1 if at < len(words) and words[at].upper in noise else at

    def _unknown(self, word: Word, allowed: tuple[str, ...]) -> None:
        if word.upper in _LATER:
            self._problem("L031", word, f"{word.upper} is not read yet", hint="see docs/reference/copybook.md")
            return
        close = difflib.get_close_matches(word.upper, allowed, 1)
        hint = f"did you mean `{close[0]}`?" if close else "is a period missing before it?"
        self._problem("L030", word, f"`{word.text[:40]}` is no clause", hint=hint)

    def _problem(self, code: str, word: Word, message: str, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        self._problems.append(Problem(code, word.position, message, allowed, hint))

    def _at(self, code: str, position: Position, message: str, allowed: tuple[str, ...] = ()) -> None:
        self._problems.append(Problem(code, position, message, allowed))


class _Placer:
    """Gives every entry its offset and width."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def place(self, entry: _Entry, offset: int, inherited: Storage | None) -> tuple[Item, int]:
        """Place an entry; returns the item and how many fields it flattens into."""
        storage = entry.storage or inherited
        children: list[Item] = []
        fields = 1
        if entry.picture is not None:
            width = self._width(entry, storage)
        else:
            width = fields = 0
            at = 0
            starts: dict[str, int] = {}
            for child in entry.children:
                start = at
                if child.redefines is not None:
                    start = self._redefined(child, starts)
                item, inside = self.place(child, offset + start, storage)
                children.append(item)
                starts[item.name] = start
                extent = start + item.width * item.occurs
                at = max(at, extent)
                width = max(width, extent)
                fields += inside
                if width > MAX_RECORD or fields > MAX_FIELDS:
                    position = child.position
                    self._problems.append(Problem("L070", position, f"`{child.name}` makes the record too large"))
                    break
        item = Item(
            name=entry.name,
            level=entry.level,
            offset=offset,
            width=width,
            position=entry.position,
            occurs=entry.occurs,
            occurs_clause=entry.occurs_clause,
            redefines=entry.redefines.upper if entry.redefines else None,
            picture=entry.picture,
            storage=(self._storage(entry.picture, storage) if entry.picture else None),
            value=entry.value,
            conditions=tuple(entry.conditions),
            children=tuple(children),
        )
        return item, fields * entry.occurs

    def _redefined(self, entry: _Entry, starts: Mapping[str, int]) -> int:
        assert entry.redefines is not None
        name = entry.redefines.upper
        if name not in starts:
            close = difflib.get_close_matches(name, starts, 1)
            self._problems.append(
                Problem(
                    "L060",
                    entry.redefines.position,
                    f"`{name[:40]}` does not stand before `{entry.name}` in the same group",
                    tuple(starts)[:20],
                    f"did you mean `{close[0]}`?" if close else "",
                )
            )
            return 0
        return starts[name]

    def _storage(self, picture: Picture, storage: Storage | None) -> Storage:
        if picture.category == "national":
            return Storage.DISPLAY_1
        if picture.category != "numeric":
            return Storage.DISPLAY
        return storage or Storage.DISPLAY

    def _width(self, entry: _Entry, storage: Storage | None) -> int:
        picture = entry.picture
        assert picture is not None
        if picture.category == "national":
            if entry.storage not in (None, Storage.DISPLAY_1):
                self._misfit(entry, "PICTURE N and G are double-byte", ("DISPLAY-1",))
            return 2 * picture.size
        if picture.category != "numeric":
            if entry.storage not in (None, Storage.DISPLAY):
                self._misfit(entry, f"PICTURE {picture.text[:20]} is text", ("DISPLAY",))
            return picture.size
        match storage:
            case Storage.PACKED:
                return picture.size // 2 + 1
            case Storage.BINARY:
                if picture.size > 18:
                    self._misfit(entry, "a binary number has at most 18 digits", ("PIC 9(1) to 9(18)",))
                return 2 if picture.size <= 4 else 4 if picture.size <= 9 else 8
            case Storage.DISPLAY_1:
                self._misfit(entry, "DISPLAY-1 belongs to PICTURE G or N", ("DISPLAY", "COMP", "COMP-3"))
        return picture.size

    def _misfit(self, entry: _Entry, message: str, allowed: tuple[str, ...]) -> None:
        self._problems.append(Problem("L042", entry.usage_position or entry.position, message, allowed))


def _is_data_name(name: str) -> bool:
    return (
        len(name) <= 60
        and all(c.isalnum() or c in "-_ー・（）()" for c in name)
        and not name.startswith("-")
        and not name.endswith("-")
        and not name.isdigit()
    )


def _literal(word: Word) -> str:
    if word.kind != "literal":
        return word.text
    body = word.text[word.text.index(word.text[-1]) + 1 : -1]
    return body.replace(word.text[-1] * 2, word.text[-1])
