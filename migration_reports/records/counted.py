"""What is counted of a dump, slice by slice, and how slices add up. Nothing here holds a resident's value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from migration_reports.records.groups import Group, Parents, groups_of_all
from migration_reports.records.run_record import Frozen
from migration_reports.records.step_result import StepResult
from migration_reports.records.sums import added, added_within, keys_of, sums, values_by
from migration_reports.trouble import FIRST_PLACES

MOST_CHARACTERS = 100_000
"""Of a dump, by field; the rest is counted."""


class Bytes(Frozen):
    """Where the bytes and records of a dump went; `left_out`, in headers and trailers of files, is no part of `bytes`."""

    bytes: int = 0
    records: int = 0
    of_no_kind: int = 0
    left_over: int = 0
    in_records: int = 0
    descriptors: int = 0
    skipped: int = 0
    left_out: int = 0
    kinds: Mapping[str, int] = {}

    @classmethod
    def total(cls, parts: Iterable[Bytes]) -> Bytes:
        """The accounts of parts of a dump, added."""
        parts = tuple(parts)
        counts = {name: sum(getattr(part, name) for part in parts) for name in cls.model_fields if name != "kinds"}
        return cls(**counts, kinds=added(part.kinds for part in parts))


class PartMade(Frozen):
    """What a part of a table made of records.

    Attributes:
        candidates: records, or occurrences where each gives a row.
        rows: the rows that they gave.
        wrong: by column, how many values were wrong.
        unknown: by column that looks codes up, the codes that no table holds, and how often each came.
    """

    candidates: int = 0
    rows: int = 0
    wrong: Mapping[str, int] = {}
    unknown: Mapping[str, Mapping[str, int]] = {}

    @classmethod
    def total(cls, parts: Iterable[PartMade]) -> PartMade:
        """What the same part made of several portions of its records."""
        parts = tuple(parts)
        return cls(
            candidates=sum(part.candidates for part in parts),
            rows=sum(part.rows for part in parts),
            wrong=added(part.wrong for part in parts),
            unknown=added_within(part.unknown for part in parts),
        )


class Met(Frozen):
    """A code outside the standard in a field: how often, in how many records, and the first places, (record, offset)."""

    field: str
    code: int
    area: str
    count: int
    records: int
    places: tuple[tuple[int, int], ...] = ()


Trailers = Mapping[str, tuple[Mapping[str, str | None], ...]]
"""Of each header and trailer kind, the numbers in its records, as decimal strings; None is unreadable."""


class FileCount(Frozen):
    """What was counted of one file of a dump.

    Attributes:
        number: which of the dump's files, from 0.
        records: records read, by kind.
        sums: exact sums, by kind.field, where controls are proved per file.
        trailers: the numbers in its headers and trailers.
        left_over: at how many places bytes are left over after its last record.
        cut_short: whether it lacks a trailer that it should have, or bytes are left over; known once all is read.
    """

    number: int
    records: Mapping[str, int] = {}
    sums: Mapping[str, Decimal] = {}
    trailers: Mapping[str, tuple[Mapping[str, str | None], ...]] = {}
    left_over: int = 0
    cut_short: bool = False

    @classmethod
    def total(cls, parts: Iterable[FileCount]) -> FileCount:
        """The counts of portions of one file, in their order."""
        parts = tuple(parts)
        return cls(
            number=parts[0].number,
            records=added(part.records for part in parts),
            sums=sums(part.sums for part in parts),
            trailers=trailers_by_all(part.trailers for part in parts),
            left_over=sum(part.left_over for part in parts),
        )


class Counted(StepResult):
    """What was counted of some bytes of a dump.

    Attributes:
        read: where bytes and records went.
        made: what the parts of tables made of the records, by `part_key`.
        records: records read, by kind.
        sums: exact sums, by kind.field.
        trailers: the numbers in headers and trailers.
        files: the same of each file.
        filled: by kind and field, in how many records it holds anything.
        characters: codes outside the standard, by field.
        groups: what was counted for controls, by the control's number.
        left: by kind and reason, how many records are left.
        left_sums: exact sums over the records that are left, by kind.field.
    """

    read: Bytes = Bytes()
    made: Mapping[str, PartMade] = {}
    records: Mapping[str, int] = {}
    sums: Mapping[str, Decimal] = {}
    trailers: Mapping[str, tuple[Mapping[str, str | None], ...]] = {}
    files: tuple[FileCount, ...] = ()
    filled: Mapping[str, Mapping[str, int]] = {}
    characters: tuple[Met, ...] = ()
    groups: Mapping[str, tuple[Group, ...]] = {}
    left: Mapping[str, Mapping[str, int]] = {}
    left_sums: Mapping[str, Decimal] = {}


class SliceAccount(Counted):
    """What was counted of a slice. Slices add up, in their order, to what is counted of the whole."""

    def __add__(self, other: SliceAccount) -> SliceAccount:
        return SliceAccount.total((self, other))

    @classmethod
    def total(cls, parts: Iterable[SliceAccount]) -> SliceAccount:
        """The sum of slices that follow one another, in one go."""
        parts = tuple(parts)
        return cls(
            read=Bytes.total(part.read for part in parts),
            made=made_by_all(part.made for part in parts),
            records=added(part.records for part in parts),
            sums=sums(part.sums for part in parts),
            trailers=trailers_by_all(part.trailers for part in parts),
            files=tuple(
                FileCount.total(some)
                for _, some in sorted(values_by({one.number: one for one in part.files} for part in parts).items())
            ),
            filled=added_within(part.filled for part in parts),
            characters=met_by_all(part.characters for part in parts),
            groups=groups_of_all(part.groups for part in parts),
            left=added_within(part.left for part in parts),
            left_sums=sums(part.left_sums for part in parts),
        )


class DumpAccount(Counted):
    """What was counted of a dump: the sum of its slices in the order of its kinds, the most frequent characters first."""

    characters_distinct: int = 0
    parents: Mapping[str, Parents] = {}

    @classmethod
    def of(cls, total: SliceAccount, kinds: Sequence[str]) -> DumpAccount:
        """The account of a dump.

        Args:
            total: the sum of its slices.
            kinds: its record kinds, in the order of the manifest.
        """
        sums = sorted(total.sums, key=lambda name: (kinds.index(name.partition(".")[0]), name))
        characters = sorted(total.characters, key=lambda met: (-met.count, met.field, met.code, met.area))
        return cls(
            read=total.read,
            made=total.made,
            records=total.records,
            sums={name: total.sums[name] for name in sums},
            trailers=total.trailers,
            files=total.files,
            filled=total.filled,
            characters=tuple(characters[:MOST_CHARACTERS]),
            characters_distinct=len(characters),
            groups=total.groups,
            left=total.left,
            left_sums=total.left_sums,
        )


class Made(StepResult):
    """What the parts of all tables made of all dumps, by `part_key`."""

    parts: Mapping[str, PartMade]

    def of(self, table: str, number: int) -> PartMade:
        """What a part made; nothing, where no record came."""
        return self.parts.get(part_key(table, number), PartMade())


def part_key(table: str, number: int) -> str:
    """How a part of a table is called where what it made is counted."""
    return f"{table}.{number}"


def trailers_by_all(parts: Iterable[Trailers]) -> Trailers:
    """The headers and trailers of several portions, in their order."""
    parts = tuple(parts)
    return {kind: tuple(row for part in parts for row in part.get(kind, ())) for kind in keys_of(parts)}


def made_by_all(parts: Iterable[Mapping[str, PartMade]]) -> dict[str, PartMade]:
    """What each part of a table made, added."""
    return {key: PartMade.total(some) for key, some in values_by(parts).items()}


def met_by_all(parts: Iterable[Iterable[Met]]) -> tuple[Met, ...]:
    """The characters of several portions, one for each field, code and area."""
    met_before = values_by({(met.field, met.code, met.area): met} for part in parts for met in part)
    return tuple(
        Met(
            field=field,
            code=code,
            area=area,
            count=sum(met.count for met in some),
            records=sum(met.records for met in some),
            places=tuple(sorted(place for met in some for place in met.places)[:FIRST_PLACES]),
        )
        for (field, code, area), some in met_before.items()
    )
