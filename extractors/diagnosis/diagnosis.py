"""What a dump of unknown making is: framing, record length, charset and dialect, each proposed with its evidence.

Nothing is guessed silently: every proposal says what speaks for it and how much, what the bytes cannot decide is said in
so many words, and the reader is never set by it. Only a sample of the bytes is looked at; nothing of their content is
repeated, only counts and lengths.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from extractors import containers, dialects
from extractors.containers.contract import HEAD, Damaged
from extractors.diagnosis.charset_diagnosis import CANDIDATES, charset_of, diagnose_charset, first_guess
from extractors.diagnosis.framing_diagnosis import TRIED, WITH_LAYOUT, Sample, diagnose_framing, load_framing
from extractors.diagnosis.layout_evidence import judge, same_reading
from extractors.diagnosis.periods import ends_alike
from extractors.diagnosis.proposal import LayoutOf, Proposal, said
from extractors.diagnosis.row_diagnosis import HEADS, SEPARATORS, of_container, of_rows
from extractors.diagnosis.translation_damage import signs_of_translation
from extractors.layout import Layout
from extractors.reading import Choice, Spoken
from migration_reports.findings import SpecError

SAMPLE = 4 * 1024 * 1024
TAIL = 256 * 1024
ROWS_TRIED = f"separated by {', '.join(SEPARATORS)}, the head in row {', '.join(HEADS)}"

FAMILIES = ("container", "framing", "charset", "dialect")
SHOWN = 4
END_MARK = b"\x1a"


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything found out about a dump.

    Attributes:
        size: bytes of the dump, unwrapped where `sampled` is all of it.
        sampled: bytes looked at.
        proposals: of each family the likeliest first.
        remarks: what else a person should know, such as bytes left over.
    """

    size: int
    sampled: int
    proposals: tuple[Proposal, ...]
    remarks: tuple[str, ...]

    def best(self, family: str) -> Proposal | None:
        """The likeliest proposal of a family."""
        return next((p for p in self.proposals if p.family == family), None)

    @property
    def spoken(self) -> Spoken:
        """The likeliest reading."""
        best = {family: p for family in FAMILIES if (p := self.best(family)) is not None}
        chosen = {family: p.choice for family, p in best.items()}
        return Spoken(
            framing=chosen.get("framing", Choice("fixed")),
            charset=chosen.get("charset", Choice("ibm")),
            dialect=chosen.get("dialect"),
            container=chosen.get("container"),
            options={key: value for p in best.values() for key, value in p.options.items()},
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """The manifest lines of the likeliest reading; what is not decided is a question mark, with the choices behind it.

        A dialect is said only where the one usual beside the charset, which needs no line, does not read the sample as
        well; where several charsets are left, beside any of them.
        """
        best = [p for family in FAMILIES if (p := self.best(family)) is not None]
        charset = self.best("charset")
        left = charset.equals if charset is not None else ()
        others = [p.choice.name for p in self.proposals if p.family == "charset" and said(p.choice) in left]
        usual = {dialects.usual(name) for name in (self.spoken.charset.name, *others)}
        needed = [p for p in best if p.family != "dialect" or not usual <= {p.choice.name, *p.equals, *p.same}]
        return tuple(line for p in needed for line in p.lines)


def diagnose(path: Path, layout_of: LayoutOf | None = None) -> Diagnosis:
    """Find out how a dump may be read.

    Args:
        path: the file.
        layout_of: reads the copybook of its records by a dialect, where there is one.
    """
    remarks: list[str] = []
    proposals: list[Proposal] = []
    layouts = _layouts(layout_of)
    sample, name, damage = _sample(path)
    if name is not None:
        proposals.append(Proposal("container", Choice(name), 0.99, (f"the file begins as {name} does",)))
    if damage:
        remarks.append(f"the container is damaged: {damage}")
    if not sample.data:
        return Diagnosis(sample.size, 0, tuple(proposals), ("the dump is empty",))
    sheet = next((layout for layout in layouts.values() if layout.headings), None)
    proposals.extend(of_container(name))
    if len(proposals) > 1:
        return Diagnosis(sample.size, len(sample.data), tuple(proposals), tuple(remarks))
    if sheet is not None:
        framed_rows = of_rows(sample.data, sheet)
        if not framed_rows:
            remarks.append("no head that the sheet of columns names, nor rows of as many cells; tried: " + ROWS_TRIED)
        charsets, questions = diagnose_charset(sample.data, None, None)
        proposals.extend((*framed_rows, *charsets))
        return Diagnosis(sample.size, len(sample.data), tuple(proposals), (*remarks, *questions))
    sample, mark = _without_end_mark(sample)
    if mark:
        remarks.append(
            f"behind the last line end X'1A' ({mark}), the end-of-file mark of DOS: a trailer (options: "
            f'{{trailer: "{mark}"}})'
        )
    remarks.extend(signs_of_translation(sample.data, layouts))
    distinct = {names[0]: layouts[names[0]] for names in _alike(layouts, in_ascii=False)}
    framed = diagnose_framing(sample, distinct, first_guess(sample.data))
    if mark:
        framed = [(dataclasses.replace(p, options={**p.options, "trailer": str(mark)}), d) for p, d in framed]
    proposals.extend(proposal for proposal, _ in framed[:SHOWN])
    best, dialect = framed[0] if framed else (None, "")
    if best is None:
        remarks.append("no framing fits; " + TRIED + (WITH_LAYOUT if layouts else ""))
    data = sample.data[int(best.options.get("header", 0)) if best is not None else 0 :]
    framing = load_framing(best.choice, layouts[dialect]) if best is not None and dialect else None
    decided, open_questions = diagnose_charset(data, framing, layouts[dialect] if dialect else None)
    proposals.extend(decided)
    chosen, evidence = _dialects(data, best, layouts, decided[0].choice if decided else CANDIDATES[0])
    proposals.extend(chosen)
    remarks.extend((*open_questions, *evidence))
    if best is not None:
        remarks.extend(_left_over(best, sample))
        remarks.extend(_lengths(best, layouts))
    return Diagnosis(sample.size, len(sample.data), tuple(proposals), tuple(dict.fromkeys(remarks)))


def _sample(path: Path) -> tuple[Sample, str | None, str]:
    """The bytes to look at, the container that they are in, and what of it is damaged."""
    size = path.stat().st_size
    with path.open("rb") as raw:
        name = containers.recognise(raw.read(HEAD))
        raw.seek(0)
        stream: BinaryIO = raw
        if name is not None:
            try:
                stream = containers.load(name, {})(raw)
            except (Damaged, SpecError) as error:
                return Sample(b"", size, whole=True), name, str(error)
        data, damage = _take(stream, SAMPLE)
        whole = len(data) < SAMPLE or (name is None and size == len(data))
        tail = data[-TAIL:] if whole else b""
        if name is None and not whole:
            raw.seek(size - TAIL)
            tail = raw.read(TAIL)
    return Sample(data, len(data) if whole else size, whole, tail), name, damage


def _without_end_mark(sample: Sample) -> tuple[Sample, int]:
    """The same without the X'1A' that ends a text file of DOS, and how often it stands behind the last line end."""
    text = sample.tail.rstrip(END_MARK)
    mark = len(sample.tail) - len(text)
    if not mark or not text.endswith(b"\n"):
        return sample, 0
    data = sample.data[: sample.size - mark]
    return dataclasses.replace(sample, data=data, size=sample.size - mark, tail=text), mark


def _take(stream: BinaryIO, most: int) -> tuple[bytes, str]:
    """At most so many bytes, and what was damaged."""
    parts: list[bytes] = []
    got = 0
    try:
        while got < most:
            block = stream.read(min(1 << 16, most - got))
            if not block:
                break
            parts.append(block)
            got += len(block)
    except (Damaged, SpecError) as damage:
        return b"".join(parts), str(damage)
    return b"".join(parts), ""


def _layouts(layout_of: LayoutOf | None) -> Mapping[str, Layout]:
    found: dict[str, Layout] = {}
    if layout_of is None:
        return found
    problem: SpecError | None = None
    for dialect in (dialects.DEFAULT, *dialects.DIALECTS):
        try:
            if dialect.name not in found:
                found[dialect.name] = layout_of(Choice(dialect.name))
        except SpecError as error:
            problem = error
    if not found and problem is not None:
        raise problem
    return found


def _alike(layouts: Mapping[str, Layout], *, in_ascii: bool) -> list[list[str]]:
    """Dialects that read the layout alike are one: their names, group by group."""
    groups: dict[object, list[str]] = {}
    for dialect, layout in layouts.items():
        groups.setdefault(same_reading(layout, in_ascii=in_ascii), []).append(dialect)
    return list(groups.values())


def _dialects(
    data: bytes,
    best: Proposal | None,
    layouts: Mapping[str, Layout],
    speaks: Choice,
) -> tuple[list[Proposal], list[str]]:
    """The dialects by what is wrong under each, and which of them no byte of this dump tells apart."""
    charset = charset_of(speaks)
    # A maker's charset speaks for its compiler, where nothing speaks against it.
    maker = dialects.usual(speaks.name)
    found: list[tuple[float, Proposal, list[str]]] = []
    for names in _alike(layouts, in_ascii=charset.ascii):
        layout = layouts[names[0]]
        framing = load_framing(best.choice, layout) if best is not None else None
        if framing is None:
            continue
        judged = judge(data, framing, layout, charset)
        if not judged.records:
            continue
        first = maker if maker in names else dialects.DEFAULT.name if dialects.DEFAULT.name in names else names[0]
        evidence = (*judged.describe(), f"the layout has {layout.length} bytes")
        strength = judged.weigh(0.6)
        others = [name for name in names if name != first]
        found.append((judged.wrong, Proposal("dialect", Choice(first), strength, evidence), others))
    if not found:
        return [], []
    found.sort(key=lambda one: (round(one[0], 4), one[1].choice.name != maker))
    least, first_one, others = found[0]
    equal = [p.choice.name for wrong, p, _ in found[1:] if wrong - least < 1e-4]
    also = [name for wrong, _, names in found[1:] if wrong - least < 1e-4 for name in names]
    remarks = []
    doubt = ""
    if others:
        remarks.append(
            f"dialect {first_one.choice.name} cannot be told from {', '.join(others)}: they read this layout alike"
        )
        doubt = f"or {', '.join(others)}: they read this layout alike"
    if equal:
        text = ", ".join((*equal, *also))
        remarks.append(
            f"dialect {first_one.choice.name} cannot be told from {text}: they read the layout otherwise, but no value "
            "looked at is wrong under one of them only; ask which compiler wrote the dump"
        )
        doubt = f"or {', '.join((*others, *equal, *also))}: the sample does not tell"
    first_one = dataclasses.replace(first_one, doubt=doubt, equals=(*equal, *also), same=tuple(others))
    return [first_one, *(p for _, p, _ in found[1:])][:3], remarks


def _left_over(best: Proposal, sample: Sample) -> Iterator[str]:
    """What bytes are left over by records of one length may be."""
    if best.choice.name != "fixed":
        return
    length = int(best.choice.options["length"])
    size = sample.size - int(best.options.get("header", 0))
    rest = size % length
    if not rest or not (sample.whole or sample.tail):
        return
    said = f"{rest} bytes are left over after {size // length:,} records of {length}"
    at_end, at_beginning, usual = ends_alike(sample.data, sample.tail, length, sample.size)
    if "header" in best.options or at_end >= 0.75 * usual:
        yield f"{said}, and look like the beginning of another record: cut short?"
    elif at_beginning >= 0.75 * usual:
        yield f'{said}, and do not look like a record: a trailer (options: {{trailer: "{rest}"}})?'
    else:
        yield f"{said}: cut short?"


def _lengths(best: Proposal, layouts: Mapping[str, Layout]) -> Iterator[str]:
    """Layouts that are not as long as the records."""
    if best.choice.name != "fixed":
        return
    length = int(best.choice.options["length"])
    lengths: dict[int, list[str]] = {}
    for dialect, layout in layouts.items():
        lengths.setdefault(layout.length, []).append(dialect)
    if length in lengths:
        return
    for its, names in lengths.items():
        why = "it leaves the last out" if its < length else "is it the right copybook?"
        yield f"the layout has {its} bytes ({', '.join(names)}), the records seem to have {length}: {why}"
