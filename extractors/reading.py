"""How one dump is read, as a person says it, and everything made of that: layout, framing, charset, open stream.

A manifest and the command line give the same things under the same names, so that what `diagnose` proposes can be pasted
into either.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from extractors import charsets, containers, dialects, framings
from extractors.charsets import CHARSETS
from extractors.charsets.contract import Charset
from extractors.copybooks.copybook import read_copybook
from extractors.copybooks.copybook_text import NoTextError, decode_text
from extractors.copybooks.copying import Library
from extractors.copybooks.reference_format import SourceFormat
from extractors.decoder import Blank, Blanks, Padded
from extractors.framings import FRAMINGS
from extractors.framings.contract import Framing
from extractors.layout import Joined, Layout
from extractors.layout.column_sheet import read_columns
from extractors.options import Options, choose, gathered, made
from extractors.stream import DumpStream
from migration_reports.findings import Position, Problem, RunError, SpecError, did_you_mean

TEXTS = ("mixed", "text")
"""Usages whose bytes may be read apart: characters of one byte each, as the copybook counts them."""

MAX_COPYBOOK_BYTES = 4_000_000
ROWS = ("cells", "delimited")
"""The framings whose records are rows of cells."""

SUFFIXES = ("", ".cpy", ".CPY", ".cbl", ".CBL", ".cob", ".COB")

OPTIONS: Mapping[str, str] = {
    "header": "bytes to leave out at the beginning of each file (0)",
    "trailer": "bytes to leave out at its end (0)",
    "spaces": "a number whose bytes are all spaces: finding, null or zero (finding); in binary and floating point such "
    "bytes are a number, and a field with BLANK WHEN ZERO is zero",
    "low_values": "a number whose bytes are all LOW-VALUES: finding, null or zero (finding); not in binary, as spaces",
    "high_values": "a number whose bytes are all HIGH-VALUES: finding, null or zero (finding); not in binary, as spaces",
    "padded": "digits among spaces or LOW-VALUES: refuse (no number) or read (an alert) (refuse)",
    "occurs": "what follows a varying table: shrinking (moves with its count) or maximum (does not) (shrinking)",
    "source_format": "the copybook's reference format: auto, fixed, variable or free (auto)",
    "decimal_point": "the decimal point of its pictures: point, or comma as DECIMAL-POINT IS COMMA has it (point)",
    "currency": "currency signs of its pictures besides $ \\ ¥ £ €, as CURRENCY SIGN names them (none)",
}
"""What belongs to the dump itself, rather than to its framing, charset, dialect or container."""

PROBLEMS: Mapping[str, str] = {
    "L901": "a table file that cannot be read, is too large, or holds no mapping",
    "L902": "a line of a table file that is no mapping",
    "L903": "an unknown member of a family, or an unknown option",
    "L904": "an option whose value cannot be used",
    "L905": "a record kind by a field or group that the layout does not have",
    "L906": "a record kind that cannot be read",
    "L907": "an option of a container that cannot be used",
    "L908": "a value of a record kind that its field cannot hold",
    "L909": "record kinds that do not fit together: a name twice, a parent that is none, or its own descendant",
    "L911": "a code that a table file, or two of them, define twice",
    "L912": "a code that the charset defines itself, or that no text of it can hold",
    "L913": "a text that is no character",
    "L914": "a field that cannot be read apart from its picture",
    "L930": "a line of a gaiji table that cannot be used",
    "L931": "a decision about a code that is no gaiji",
    "L932": "MJ data that cannot be read",
}
"""What may be wrong with how a dump is said to be read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """A member of a family by name, with its options as text."""

    name: str
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Apart:
    """How one field is read apart from its picture: as one text, of its own charset perhaps, or as bytes."""

    form: Joined
    charset: Choice | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Spoken:
    """How a dump is read, as it was said. `container` None: the files are the records themselves.

    `dialect` None: nobody said it, and that of the charset's maker is meant (`compiler`).
    `replacing` is what stands for the tags of a copybook made for COPY REPLACING.
    `fields` are those that are read apart from their pictures, by name.
    """

    framing: Choice = Choice("fixed")
    charset: Choice = Choice("ibm")
    dialect: Choice | None = None
    container: Choice | None = None
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    replacing: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fields: Mapping[str, Apart] = dataclasses.field(default_factory=dict)

    @property
    def compiler(self) -> Choice:
        """The dialect that was said, or the usual one beside the charset."""
        return self.dialect or Choice(dialects.usual(self.charset.name))


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """How a dump is read, proved: everything that reading needs but the files."""

    layout: Layout
    framing: Framing
    charset: Charset
    blanks: Blanks
    fixed_places: bool
    header: int
    trailer: int
    unwrap: Callable[[BinaryIO], BinaryIO] | None

    def open(self, paths: Sequence[Path], *, hashed: bool = False) -> DumpStream:
        """Open the files of the dump as one stream; `hashed`, where each file is hashed as it is read."""
        return DumpStream(paths, unwrap=self.unwrap, header=self.header, trailer=self.trailer, hashed=hashed)


def sort_options(spoken: Spoken, pairs: Mapping[str, str]) -> Spoken:
    """Give each option to whom it belongs: dump, framing, charset, dialect or container.

    Raises:
        SpecError: nobody knows one.
    """
    framing = choose("framing", spoken.framing.name, FRAMINGS)
    charset = choose("charset", spoken.charset.name, CHARSETS)
    dialect = choose("dialect", spoken.compiler.name, dialects.DIALECTS)
    given: dict[str, dict[str, str]] = {"framing": {}, "charset": {}, "dialect": {}, "container": {}, "options": {}}
    known: dict[str, Mapping[str, str]] = {
        "options": OPTIONS,
        "framing": framing.options,
        "charset": charset.options,
        "dialect": dialect.options,
    }
    if spoken.container is not None:
        known["container"] = choose("container", spoken.container.name, containers.CONTAINERS).options
    problems = []
    for key, value in pairs.items():
        owner = next((name for name, options in known.items() if key in options), None)
        if owner is None:
            allowed = tuple(sorted({option for options in known.values() for option in options}))
            message = f"unknown option `{key[:60]}`"
            problems.append(Problem("L903", Position("--option"), message, allowed, did_you_mean(key, allowed)))
        else:
            given[owner][key] = value
    if problems:
        raise SpecError(problems)
    return Spoken(
        Choice(spoken.framing.name, {**spoken.framing.options, **given["framing"]}),
        Choice(spoken.charset.name, {**spoken.charset.options, **given["charset"]}),
        Choice(dialect.name, {**spoken.compiler.options, **given["dialect"]}) if given["dialect"] else spoken.dialect,
        spoken.container and Choice(spoken.container.name, {**spoken.container.options, **given["container"]}),
        {**spoken.options, **given["options"]},
        spoken.replacing,
        spoken.fields,
    )


def make_layout(spoken: Spoken, text: str, file: str, library: Library | None = None) -> Layout:
    """Read the copybook by what was said of its dialect and format.

    Raises:
        SpecError: with every problem of it.
    """
    problems: list[Problem] = []
    said = Options(spoken.options)
    form = said.choice("source_format", "auto", ("auto", "fixed", "variable", "free"))
    comma = said.choice("decimal_point", "point", ("point", "comma")) == "comma"
    problems.extend(said.problems)
    dialect = gathered(problems, lambda: dialects.load(spoken.compiler.name, spoken.compiler.options))
    if problems or dialect is None:
        raise SpecError(problems)
    if file.lower().endswith(".csv"):
        return read_columns(text, file=file, dialect=dialect)
    return read_copybook(
        text,
        file=file,
        dialect=dialect,
        library=library,
        source_format=cast(SourceFormat, form),
        decimal_comma=comma,
        currency=spoken.options.get("currency", ""),
        replacing=spoken.replacing,
    )


def read_apart(layout: Layout, fields: Mapping[str, Apart]) -> Layout:
    """The layout with some fields read apart from their pictures; a table of characters becomes one value.

    Raises:
        SpecError: a field is none of the layout's, or holds what cannot be read so.
    """
    groups = layout.groups()
    texts = [name for name, item in groups.items() if item.usage in TEXTS and not item.filler]
    problems = []
    for name, apart in fields.items():
        item = groups.get(name)
        if item is None:
            message = f"the layout has no field `{name[:60]}`"
        elif item.usage not in TEXTS:
            message = f"`{name}` is no text, and is read by its picture only"
        elif apart.form == "bytes" and apart.charset is not None:
            message = f"`{name}` is read as bytes, which have no charset"
        else:
            continue
        hint = did_you_mean(name, texts) if item is None else ""
        problems.append(
            Problem("L914", Position("(options)"), message, tuple(texts[:40]) if item is None else (), hint)
        )
    if problems:
        raise SpecError(problems)
    return dataclasses.replace(layout, joined={name: apart.form for name, apart in fields.items()})


def make_reading(spoken: Spoken, layout: Layout, folder: Path) -> Reading:
    """Prove what was said against the layout.

    Args:
        spoken: how the dump is read.
        layout: of its records.
        folder: what a table file's path is relative to.

    Raises:
        SpecError: a name, an option or its value is not usable; with every problem.
    """
    problems: list[Problem] = []
    own = gathered(problems, lambda: made(spoken.options, _own, known=OPTIONS))
    framing = gathered(problems, lambda: framings.load(spoken.framing.name, spoken.framing.options, layout))
    charset = gathered(problems, lambda: charsets.load(spoken.charset.name, spoken.charset.options, folder))
    container = spoken.container
    unwrap = gathered(problems, lambda: containers.load(container.name, container.options)) if container else None
    own_charsets = {n: c for n, apart in spoken.fields.items() if (c := apart.charset) is not None}
    beside = {
        n: gathered(problems, functools.partial(charsets.load, c.name, c.options, folder))
        for n, c in own_charsets.items()
    }
    if problems or own is None or framing is None or charset is None:
        raise SpecError(problems)
    blanks, fixed_places, header, trailer = own
    charset = dataclasses.replace(charset, beside={name: of for name, of in beside.items() if of is not None})
    problems.extend(_unfit(framing, charset, layout))
    if problems:
        raise SpecError(problems)
    if framing.lay is not None:
        # An empty cell says nothing, and is nothing odd.
        blanks = dataclasses.replace(blanks, spaces="null") if "spaces" not in spoken.options else blanks
    return Reading(layout, framing, charset, blanks, fixed_places, header, trailer, unwrap)


def _unfit(framing: Framing, charset: Charset, layout: Layout) -> Iterator[Problem]:
    """What of framing, charset and layout does not belong together."""
    if layout.headings and framing.lay is None:
        message = f"the layout is a sheet of columns, and records of framing {framing.name} are no rows of cells"
        yield Problem("L124", Position(layout.file), message, ROWS)
    if framing.lay is not None and not charset.delimits:
        message = f"rows of charset {charset.name} cannot be cut: a separator may be part of a character there"
        yield Problem("L125", Position(layout.file), message, ("utf_8", "shift_jis", "euc_jp", "single_byte"))


def _own(said: Options) -> tuple[Blanks, bool, int, int]:
    """What belongs to the dump itself: blanks, whether places are fixed, header, trailer."""
    policies = {
        name: cast(Blank, said.choice(name, "finding", ("finding", "null", "zero")))
        for name in ("spaces", "low_values", "high_values")
    }
    return (
        Blanks(**policies, padded=cast(Padded, said.choice("padded", "refuse", ("refuse", "read")))),
        said.choice("occurs", "shrinking", ("shrinking", "maximum")) == "maximum",
        said.number("header", 0, 0, 1 << 40),
        said.number("trailer", 0, 0, 1 << 30),
    )


def read_text(path: Path, name: str = "") -> str:
    """Read a copybook file, in any of the encodings of `copybook_text`.

    Args:
        path: the file.
        name: how messages call it; by its path, where not given.

    Raises:
        SpecError: it is no text, or too large.
        RunError: it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_COPYBOOK_BYTES:
            raise SpecError([Problem("L001", Position(name or str(path)), "the copybook is larger than 4 MB")])
        data = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}). Check the path of the copybook.") from None
    try:
        return decode_text(data)
    except NoTextError as error:
        problem = Problem("L001", Position(name or str(path)), str(error), hint="convert it to UTF-8")
        raise SpecError([problem]) from None


def library_of(folders: Sequence[Path]) -> Library:
    """The texts of COPY in some folders, the first that has one; nothing outside them is ever read."""

    def find(name: str) -> tuple[str, str] | None:
        if not name or len(name) > 100 or any(c in "/\\\0" for c in name) or name.startswith("."):
            return None
        for folder in folders:
            root = folder.resolve()
            for stem in dict.fromkeys((name, name.upper(), name.lower())):
                for suffix in SUFFIXES:
                    path = folder / f"{stem}{suffix}"
                    if path.is_file() and path.resolve().is_relative_to(root):
                        return read_text(path), str(path)
        return None

    return find
