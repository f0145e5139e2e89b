"""Which field may fill which column: judged by name, comment, type and, where a dump was profiled, by contents.

A guess is never sure: it says why it was made, and whoever confirms it removes the line `guessed:`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import sqlalchemy as sa

from dags.authoring.field_words import LIGHT, Said, likeness, said_by, terms_of
from dags.guarded.secrets import secret_in
from extractors.layout import Field
from mappings.compiling.columns import groups_of, key_groups
from mappings.plan import OCCURRENCE, occurrence_of
from migration_reports.items import Item, heading, item_of
from migration_reports.records.profile_record import Detection, FieldProfile

ENOUGH = 0.45
"""How likely a guess must be to be written."""

DETECTED: Mapping[str, str] = {
    "postal_code": "郵便番号",
    "kana_name": "フリガナ",
    "kanji_name": "氏名",
    "address": "住所",
    "unique_key": "宛名番号",
    "group_key": "世帯番号",
}
"""What contents that look like something say, in the words of a column's title."""

DISTINCT = ("postal_code", "era_date", "gregorian_date", "kana_name", "kanji_name", "address", "phone_number")
"""What contents seldom look like by chance, so that another title is doubted."""

DAY = said_by("日")


@dataclasses.dataclass(frozen=True, slots=True)
class Given:
    """A field as a mapping may name it.

    Attributes:
        name: that name; of a table's member, the one in a row of it.
        names: the layout's names, several where it is repeated.
        field: what the copybook says of it.
        table: the table (OCCURS) that it stands in; empty where it stands once a record.
        around: the tables that this one stands in, the outermost first.
        member: whether it is offered as part of an occurrence's row.
        prefix: what the record's names begin with.
        comment: what is written beside it in the copybook.
        profile: how it is really used.
        codes: the codes that it holds, with the label that the copybook gives each.
    """

    name: str
    names: tuple[str, ...]
    field: Field
    table: str = ""
    member: bool = False
    prefix: str = ""
    comment: str = ""
    profile: FieldProfile | None = None
    codes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    around: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it stands in, the outermost first."""
        return (*self.around, self.table) if self.table else ()

    @property
    def repeated(self) -> bool:
        """Whether a record holds it several times, and a column would take them all."""
        return len(self.names) > 1 and not self.member

    @property
    def best(self) -> Detection | None:
        """What its contents look like."""
        found = self.profile.detections if self.profile is not None else ()
        return found[0] if found else None

    def secret(self, refuse: Collection[str]) -> tuple[str, str]:
        """Why it is no candidate for any column, and what is to be said of it; empty where it is one.

        Args:
            refuse: the kinds of secrets that the system refuses.
        """
        if (kind := secret_in(self.name)) in refuse:
            return f"秘密情報 ({kind})。移行しない", ""
        if self.best is not None and self.best.detector == "secret":
            return "?", "what stands in it looks like a secret; map it only if you know that it is none"
        return "", ""


@dataclasses.dataclass(frozen=True, slots=True)
class Guess:
    """How a column may be filled.

    Attributes:
        column: the column, or the date's group.
        given: the field; None where it is no field that fills it.
        sources: what stands under `from`; of a constant, nothing.
        constant: the constant.
        transforms: the transforms, as YAML.
        reason: why.
        remarks: what else whoever confirms it must know.
        code_table: the codes that need new ones, where `transforms` look them up.
    """

    column: str
    given: Given | None
    sources: tuple[str, ...]
    constant: str = ""
    transforms: tuple[str, ...] = ()
    reason: str = ""
    remarks: tuple[str, ...] = ()
    code_table: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """A table and the guesses that fill it from one record kind.

    Attributes:
        table: the target table.
        guesses: by column.
        empty: columns that nothing fills and that may be empty.
        missing: columns that nothing fills and that must be filled.
    """

    table: sa.Table
    guesses: Mapping[str, Guess]
    empty: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def keyed(self) -> tuple[str, ...]:
        """The fields that its key is made of."""
        found = (self.guesses.get(name) for name in key_groups(self.table))
        return tuple(source for guess in found if guess is not None for source in guess.sources)


def fill(table: sa.Table, givens: Sequence[Given], code_sets: Mapping[str, Mapping[str, str]]) -> Filled | str:
    """Guess how a table is filled from the fields of a record, or of an occurrence and its record.

    Args:
        table: the target table.
        givens: the fields.
        code_sets: of each code set, the codes with their labels.

    Returns:
        The guesses, or why the table cannot be filled from these fields.
    """
    groups = groups_of(table)
    pairs = []
    for place, (column, members) in enumerate(groups.items()):
        for number, given in enumerate(givens):
            made = _match(column, members, given, code_sets)
            if made is not None:
                score, guess = made
                pairs.append((-score, place, number, guess))
    guesses: dict[str, Guess] = {}
    taken: set[int] = set()
    for _, _, number, guess in sorted(pairs, key=lambda pair: pair[:3]):
        if guess.column not in guesses and number not in taken:
            guesses[guess.column] = guess
            taken.add(number)
    key = key_groups(table)
    tables = max((given.tables for given in givens if given.member), key=len, default=())
    unnumbered = [name for name in key if name not in guesses and item_of(groups[name][0]).kind == "I"]
    for place, name in enumerate(reversed(unnumbered)):
        guesses[name] = _number_of_a_row(name, tables, place)
    lacking = [heading(groups[name][0]).ja for name in key if name not in guesses]
    if lacking:
        return f"no field looks like {'、'.join(lacking)}, which its key needs"
    must = [name for name, members in groups.items() if any(not m.nullable for m in members)]
    told = [name for name, guess in guesses.items() if guess.given is not None]
    if not any(name not in key or item_of(groups[name][0]).code_set for name in told):
        return "only its key looks like a field"
    if 2 * sum(name in guesses for name in must) < len(must):
        return f"only {sum(name in guesses for name in must)} of its {len(must)} mandatory columns look like a field"
    left = [name for name in groups if name not in guesses]
    ordered = {name: guesses[name] for name in groups if name in guesses}
    return Filled(
        table,
        ordered,
        tuple(name for name in left if name not in must),
        tuple(name for name in left if name in must),
    )


def _number_of_a_row(column: str, tables: tuple[str, ...], place: int) -> Guess:
    """The number of the occurrence, for the last number of a key; for those before it of the tables around."""
    if tables and place == 0:
        return Guess(column, None, (OCCURRENCE,), reason="the number of the occurrence")
    if tables:
        table = tables[max(len(tables) - 1 - place, 0)]
        return Guess(column, None, (occurrence_of(table),), reason=f"the number of the occurrence of {table}")
    return Guess(column, None, (), constant="1", reason="no field numbers the rows of a key, so each is the first")


def _match(
    column: str, members: Sequence[sa.Column[object]], given: Given, code_sets: Mapping[str, Mapping[str, str]]
) -> tuple[float, Guess] | None:
    """How well a field fits a column, and the guess; None where it does not."""
    said = _said(given.field.data_name, given.prefix)
    is_date = item_of(members[0]).kind == "D"
    title = _title(members)
    name = max(likeness(title, said), _literal(column, said))
    comment = 0.95 * likeness(title, said_by(given.comment)) if given.comment else 0.0
    if not is_date and comment <= name and likeness(DAY, said) and not likeness(title, DAY):
        # A field that says it is a day fills no other column, however much else its name shares with it.
        return None
    support, contents = _contents(title, members, given)
    words = max(name, comment)
    score = min(words + 0.2 * support, 1.0) if support >= 0 else words * 0.5
    if not words:
        # A day, a code or an amount may be any; only what a title names itself is told by contents alone.
        named = any(likeness(title, said_by(DETECTED[d.detector])) > 0.99 for d in _detections(given))
        score = 0.6 * support if named else 0.0
    if score < ENOUGH:
        return None
    way = _way(members, given, code_sets)
    if way is None:
        return None
    reasons = []
    meant = {term for _, terms in title.ideas for term in terms}
    ideas = [(word, tuple(t for t in terms if t in meant)) for word, terms in said.ideas]
    ideas = [(word, terms) for word, terms in ideas if terms]
    if name:
        spelled = terms_of(ideas)
        reasons.append(f"the name {given.field.data_name}" + (f" says {spelled}" if spelled else " is alike"))
    if comment > name:
        reasons.append(f"its comment says {given.comment[:60]}")
    if contents:
        reasons.append(contents)
    transforms, remarks, code_table, sources = way
    reason = "; ".join([*reasons, *remarks[:1]])
    return score, Guess(column, given, sources, "", transforms, reason, remarks, code_table)


def _detections(given: Given) -> tuple[Detection, ...]:
    found = given.profile.detections if given.profile is not None else ()
    return tuple(d for d in found if d.detector in DETECTED)


@functools.lru_cache(maxsize=4096)
def _said(name: str, prefix: str) -> Said:
    return said_by(name, prefix)


def _title(members: Sequence[sa.Column[object]]) -> Said:
    return said_by(item_of(members[0]).ja)


def _literal(column: str, said: Said) -> float:
    """How many words of a column's own name a field's name has: TAX-YEAR and tax_year."""
    words = {word.upper() for word in column.split("_")}
    mine = {word for word, _ in said.ideas} | set(said.unknown)
    light = {word for word, terms in said.ideas if max(term.weight for term in terms) == LIGHT}
    return len(words & mine) / len(words | mine) if (words & mine) - light else 0.0


def _contents(title: Said, members: Sequence[sa.Column[object]], given: Given) -> tuple[float, str]:
    """How much the contents speak for a column (below zero: against it), and in which words."""
    best = given.best
    if best is None or given.profile is None:
        return 0.0, ""
    kind = item_of(members[0]).kind
    for found in given.profile.detections:
        alike = likeness(title, said_by(DETECTED[found.detector])) if found.detector in DETECTED else 0.0
        fits = (
            alike > 0.99
            or (kind == "D" and found.detector in ("era_date", "gregorian_date"))
            or (kind == "C" and found.detector == "code")
            or (kind == "M" and found.detector == "amount")
        )
        if fits:
            return found.confidence, f"its contents look like {found.title} ({found.title_ja}): {found.reason}"
    if best.confidence >= 0.85 and best.detector in DISTINCT:
        return -best.confidence, f"but its contents look like {best.title} ({best.title_ja}): {best.reason}"
    return 0.0, ""


Way = tuple[tuple[str, ...], tuple[str, ...], str, tuple[str, ...]]
"""Transforms, remarks (the first is part of the reason), the code table, and what stands under `from`."""


def _way(members: Sequence[sa.Column[object]], given: Given, code_sets: Mapping[str, Mapping[str, str]]) -> Way | None:
    """How a field's values become the column's; None where they cannot."""
    item, kind = item_of(members[0]), given.field.arrow_type
    if given.repeated and not item.width:
        return None
    sources = given.names if given.repeated else (given.name,)
    if item.kind == "D":
        made = _date(given)
        return None if made is None else (*made, "", sources)
    whole, text = pa.types.is_integer(kind), pa.types.is_string(kind)
    wanted = item.kind
    if wanted == "C":
        return _code(item, given, sources, code_sets) if whole or text else None
    if wanted in ("I", "M", "R"):
        return (("number",) if text else (), (), "", sources) if text or not pa.types.is_binary(kind) else None
    if wanted in ("J", "K"):
        return (("kana",) if wanted == "K" else (), (), "", sources) if text else None
    if whole:
        width, remarks = _width(item, given)
        return (f"{{digits: {{width: {width}}}}}",), remarks, "", sources
    return (("trim",), (), "", sources) if text else None


def _width(item: Item, given: Given) -> tuple[int, tuple[str, ...]]:
    size, room = given.field.picture.size, item.length or 18
    remarks: tuple[str, ...] = ()
    if size == 12 and "個人" in item.ja + terms_of(_said(given.field.data_name, given.prefix).ideas):
        remarks = ("twelve digits may be the Individual Number (個人番号、マイナンバー), which must not stand here",)
    if size <= min(room, 18):
        return size, remarks
    seen = given.profile.most_digits if given.profile is not None else None
    width = min(seen or room, room, 18)
    said = f"its PICTURE has {size} digits, the column {room}"
    return width, (*remarks, said + (f", and the longest number of the dump {seen}" if seen else ""))


def _date(given: Given) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    kind = given.field.arrow_type
    size = given.field.picture.size
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind)) or size < 5:
        return None
    best = given.best
    if best is not None and best.detector == "era_date":
        if len(best.choices) == 1 and not _dated(given, "GYYMM"):
            return (f"{{wareki_date: {{eras: {best.choices[0]}}}}}",), ()
        if _dated(given, "letter"):
            return ("{wareki_date: {form: letter}}",), ()
        if _dated(given, "words"):
            return ("wareki_text",), ()
        return (), ("the family of its era digits must be stated: [{wareki_date: {eras: 1-5}}] or eras: 1-9",)
    if best is not None and best.detector == "gregorian_date":
        if _dated(given, "YYYYMMDD"):
            return ("date",), ()
        return (), (f"it is written {best.choices[0]}, for which a transform must be chosen",)
    if best is not None and best.detector == "short_date":
        return (), (
            "the era or century of its two-digit years must be stated: [{wareki_date: {form: yymmdd, era: showa}}]",
        )
    if size == 8 and given.profile is None:
        return ("date",), ("eight digits are taken for YYYYMMDD",)
    return (), ("how it writes a day must be stated: [{wareki_date: {eras: 1-5}}], eras: 1-9, or [date]",)


def _dated(given: Given, form: str) -> bool:
    dates = given.profile.dates if given.profile is not None else ()
    return bool(dates) and form in dates[0].reading.split()


def _code(item: Item, given: Given, sources: tuple[str, ...], code_sets: Mapping[str, Mapping[str, str]]) -> Way:
    name = item.code_set
    whole = pa.types.is_integer(given.field.arrow_type)
    joined = ("concat",) if len(sources) > 1 else ()
    if given.codes and name in code_sets:
        unknown = sum(code not in code_sets[name] for code in given.codes)
        said = f"each code of codes/{name}.csv must be confirmed" + (
            f", and {unknown} have no new one" if unknown else ""
        )
        return (f"{{lookup: {{table: codes/{name}.csv}}}}", *joined), (said,), name, sources
    width = item.width or item.length or 1
    plain = (f"{{digits: {{width: {min(given.field.picture.size, width)}}}}}",) if whole else ()
    said = f"its codes are taken as they stand; a table of old and new ones is [{{lookup: {{table: codes/{name or 'codes'}.csv}}}}]"
    return (*plain, *joined), (said,), "", sources
