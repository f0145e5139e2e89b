"""What is recorded of a dump's fields: how each is really used. Counts, shapes and years; never a resident's value."""

from __future__ import annotations

from collections.abc import Mapping

from migration_reports.records.run_record import Frozen, Municipality

FORMAT = 1
"""Raised when the JSON changes in a way that a reader of the former would misread."""


class KindCount(Frozen):
    """A record kind and how many records are of it."""

    name: str
    role: str = "data"
    records: int


class FindingCount(Frozen):
    """How often a field has a finding of one code."""

    code: str
    count: int


class Pattern(Frozen):
    """A shape that values have: characters replaced by what stands for their kind.

    9 a digit, X a letter, ｱ half-width kana, ア kana, 漢 kanji and gaiji, 字 any other character; … after one of them says
    that it is repeated. `more` is how many more values of this shape there may be, 0 where the count is exact.
    """

    shape: str
    count: int
    more: int = 0


class Dates(Frozen):
    """A reading of a field as dates: how many values it fits, and the first and last year (None: they stand elsewhere)."""

    reading: str
    eras: str = ""
    count: int
    first_year: int | None
    last_year: int | None


class GaijiCount(Frozen):
    """Characters outside the standard area of the charset: how often they stand in a field, and how many codes."""

    area: str
    count: int
    codes: int


class Detection(Frozen):
    """What a field's contents look like.

    Attributes:
        detector: the detector's name.
        confidence: 0 to 1; 1 would be proof.
        reason: why, in plain words.
        reason_ja: the same in Japanese.
        choices: the readings that fit, such as the families of era digits; several are left for a person to decide.
    """

    detector: str
    title: str
    title_ja: str
    confidence: float
    reason: str
    reason_ja: str
    choices: tuple[str, ...] = ()


class FieldProfile(Frozen):
    """What one field holds.

    values = valid + blank + invalid, and filled = valid without the numbers that are zero.

    Attributes:
        kind: the record kind.
        field: the field's name in the layout.
        table: the varying table that it occurs in; empty where it stands once a record.
        type: text, number, decimal, float or bytes.
        size: the PICTURE's digits or characters.
        scale: digits after the point.
        values: records, or occurrences within a table.
        blank: spaces, LOW-VALUES, or a record that ends before the field.
        invalid: bytes that are no value, and text with a code that the charset does not define.
        distinct: different values; exact, or within two per cent where `distinct_exact` is false.
        once: the share of the different values that stand there one time only; of a fair sample where not exact.
        ascending: whether each value is larger than the one before.
        rising: whether none is smaller than the one before.
        negative: numbers below zero.
        fractions: numbers with something behind the point.
        shortest: characters of the trimmed text.
        fewest_digits: digits of the numbers before the point, zeros left out.
        no_dates: values that stand for no date, all zeros or all nines.
        dates: the readings as dates that fit nearly all others, best first.
        passed: how many filled values passed each test that the detectors judge by.
        targets: the columns that it goes to; None where no mapping is known.
        unmapped_but_filled: whether data stand in it that go nowhere.
    """

    kind: str
    field: str
    table: str = ""
    picture: str = ""
    usage: str = ""
    type: str
    offset: int = 0
    width: int = 0
    line: int = 0
    size: int = 0
    scale: int = 0
    values: int
    valid: int
    blank: int
    invalid: int
    filled: int
    distinct: int
    distinct_exact: bool
    once: float
    ascending: bool = False
    rising: bool = False
    negative: int = 0
    fractions: int = 0
    shortest: int | None = None
    longest: int | None = None
    fewest_digits: int | None = None
    most_digits: int | None = None
    patterns: tuple[Pattern, ...] = ()
    patterns_left_out: bool = False
    no_dates: int = 0
    dates: tuple[Dates, ...] = ()
    gaiji: tuple[GaijiCount, ...] = ()
    findings: tuple[FindingCount, ...] = ()
    passed: Mapping[str, int] = {}
    detections: tuple[Detection, ...] = ()
    targets: tuple[str, ...] | None = None
    ignored_because: str = ""
    unmapped_but_filled: bool = False


class Profile(Frozen):
    """A dump's profile; fields that are filled and mapped nowhere stand first.

    `findings` are those about records, or about the dump between them, and not about a field.
    """

    format: int = FORMAT
    dump: str
    title: str = ""
    municipality: Municipality | None = None
    layout: str
    framing: str
    charset: str
    dialect: str
    bytes: int
    bytes_left_over: int
    records: int
    of_no_kind: int
    findings: tuple[FindingCount, ...] = ()
    kinds: tuple[KindCount, ...]
    fields: tuple[FieldProfile, ...]

    @property
    def unmapped(self) -> tuple[FieldProfile, ...]:
        """The fields that are filled and mapped nowhere."""
        return tuple(field for field in self.fields if field.unmapped_but_filled)
