"""Where occurrences that differ in size stand: a record's counts, followed from table to table by compiled code.

An occurrence that holds a table of varying size ends where its counts say, and the next one begins there; so a table of
such occurrences can only be stepped through. What is to be done at each step is written down once a segment: read this
counter, pass over that table. A counter is read by the kernel of its usage, as the decoder would.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.charsets.contract import Charset
from extractors.decoder import Blanks, Decoder
from extractors.dialects.contract import Dialect
from extractors.kernels import plan as p
from extractors.kernels.lost import ZERO, kind_of_bytes
from extractors.kernels.memory import call, inner, jit
from extractors.kernels.plan import argument
from extractors.layout import Field, Segment
from extractors.usages.contract import LOST

# Of a step: from which register a section begins, where in it; a counter's number, or -1; the fewest and most
# occurrences of a table; the register of its count, or -1; the segment of its occurrences where they vary, or -1; the
# bytes of one; and the register that takes the outcome, a count or where the table ends.
_FROM, _OFFSET, _COUNTER, _LEAST, _MOST, _COUNT, _ELEMENT, _WIDTH, _TO = range(9)
# Of a segment: its steps, the register of its beginning, and the section and offset at which it ends.
_FIRST, _LAST, _BEGIN, _END, _BEHIND = range(5)
# Of a table that is being stepped through: its step and segment, how many occurrences are left, where this one begins.
_STEP, _SEGMENT, _LEFT, _AT = range(4)


class Walk:
    """Steps through the occurrences of one table; made once, and used for every batch.

    Args:
        element: the segment of an occurrence.
        charset, dialect, blanks: as the decoder takes them.
        fixed_places: whether a table inside always takes the room of its most occurrences.
    """

    def __init__(
        self, element: Segment, charset: Charset, dialect: Dialect, blanks: Blanks, *, fixed_places: bool
    ) -> None:
        self._fixed_places = fixed_places
        self._registers = 0
        self._counters: list[Field] = []
        self._outer: dict[int, int] = {}
        self._wanted = {table.counter for table in element.deep_tables if table.depending is not None}
        self._steps: list[list[tuple[int, ...]]] = []
        self._bounds: list[tuple[int, int, int]] = []
        self._add(element, {})
        ends = np.cumsum([len(steps) for steps in self._steps])
        firsts = ends - [len(steps) for steps in self._steps]
        self._segments = np.column_stack((firsts, ends, np.array(self._bounds, np.int64)))
        self._program = np.array([step for steps in self._steps for step in steps], np.int64).reshape(-1, _TO + 1)
        self._decoder = Decoder(self._counters, charset, dialect, blanks)
        zeros = [10 ** max(-field.picture.scale, 0) for field in self._counters]
        # By counter: the verdicts on bytes that are no number, and what a P on the right multiplies it by.
        self._values = np.column_stack(
            (np.array(self._decoder.policies, np.int64).reshape(-1, 4), np.array(zeros, np.int64))
        )

    def through(
        self,
        data: np.ndarray,
        begin: np.ndarray,
        limits: np.ndarray,
        counts: np.ndarray,
        known: Mapping[int, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Step through a table in each record.

        Args:
            data: uint8, as the decoder takes it.
            begin: where the tables begin in it.
            limits: where the records end: no occurrence is looked for behind that.
            counts: how many occurrences are stated.
            known: by ordinal, the counts outside the table on which tables inside depend.

        Returns:
            How many occurrences there are, where the tables end, and the places of all occurrences, table by table.
        """
        plan = self._decoder.arguments(data)
        outer = np.array([[register, *known[number]] for number, register in self._outer.items()], np.int64)
        counted, ends = np.zeros(len(begin), np.int64), np.empty(len(begin), np.int64)
        memory = np.zeros(self._registers, np.int64)

        def step(places: np.ndarray) -> None:
            _walk(
                data, begin, limits, counts, outer.reshape(-1, len(begin) + 1), self._segments, self._program, memory,
                plan, self._values, self._fixed_places, counted, ends, places,
            )  # fmt: skip

        # How many there are is known behind the first walk only: a stated count may be of any size.
        step(np.zeros(0, np.int64))
        places = np.empty(int(counted.sum()), np.int64)
        step(places)
        return counted, ends, places

    def _register(self) -> int:
        self._registers += 1
        return self._registers - 1

    def _add(self, segment: Segment, known: Mapping[int, int]) -> int:
        """Write down the steps of a segment and of those in it; gives its number."""
        number = len(self._steps)
        steps: list[tuple[int, ...]] = []
        self._steps.append(steps)
        self._bounds.append((0, 0, 0))
        registers = dict(known)
        begin = self._register()
        begins: list[int] = []
        table_ends: dict[str, int] = {}
        for section in segment.sections:
            begins.append(begin if section.after is None else table_ends[section.after])
            for field in section.fields:
                if field.ordinal in self._wanted:
                    registers[field.ordinal] = self._register()
                    counter = (begins[-1], field.offset, len(self._counters), 0, 0, -1, -1, field.width)
                    steps.append((*counter, registers[field.ordinal]))
                    self._counters.append(field)
            for table in section.tables:
                count = -1
                if table.depending is not None:
                    if table.counter not in registers:
                        registers[table.counter] = self._outer.setdefault(table.counter, self._register())
                    count = registers[table.counter]
                element = -1 if table.element.fixed else self._add(table.element, registers)
                table_ends[table.name] = self._register()
                place = (begins[-1], table.offset, -1, table.least, table.most, count, element, table.element.width)
                steps.append((*place, table_ends[table.name]))
        section_number, behind = segment.end
        self._bounds[number] = (begin, begins[section_number], behind)
        return number


@inner
def _count_at(section, number, data, plan, values, place, value, listed):
    """The count that a counter states in a section; -1 where it states none."""
    place[0] = section
    row = np.int64(plan.ctypes.data) + number * plan.shape[1] * 8
    found = call(argument(row, p.KERNEL), row, np.int64(0), np.int64(1), np.int64(0))
    if found > 0 and (listed[0] >> 32) & LOST != 0:
        at = np.int64(data.ctypes.data) + section + plan[number, p.OFFSET]
        kind = kind_of_bytes(at, plan[number, p.WIDTH], np.uint64(plan[number, p.BLANK] & 0xFF))
        return np.int64(0 if values[number, kind] == ZERO else -1)
    return value[0] * values[number, 4]


@inner
def _end_of(start, limit, data, segments, steps, memory, plan, values, fixed_places, place, value, listed, stack):
    """Where the first segment ends that begins at `start`, by its counts."""
    depth = 0
    segment = np.int64(0)
    memory[segments[segment, _BEGIN]] = start
    number = segments[segment, _FIRST]
    while True:
        if number == segments[segment, _LAST]:
            end = memory[segments[segment, _END]] + segments[segment, _BEHIND]
            if depth == 0:
                return end
            # An occurrence of a table ends, and the next one begins, or what follows the table.
            inside = depth - 1
            end = max(min(end, limit), stack[inside, _AT] + 1)
            stack[inside, _LEFT] -= 1
            if stack[inside, _LEFT] > 0 and end < limit:
                stack[inside, _AT] = end
                memory[segments[segment, _BEGIN]] = end
                number = segments[segment, _FIRST]
                continue
            depth = inside
            number, segment = stack[depth, _STEP], stack[depth, _SEGMENT]
            step = steps[number]
            begin = memory[step[_FROM]] + step[_OFFSET]
            memory[step[_TO]] = begin + step[_MOST] * step[_WIDTH] if fixed_places else end
            number += 1
            continue
        step = steps[number]
        section = memory[step[_FROM]]
        begin = section + step[_OFFSET]
        if step[_COUNTER] >= 0:
            stated = np.int64(-1)
            if begin + step[_WIDTH] <= limit:
                stated = _count_at(section, step[_COUNTER], data, plan, values, place, value, listed)
            memory[step[_TO]] = stated
            number += 1
            continue
        stated = memory[step[_COUNT]] if step[_COUNT] >= 0 else step[_MOST]
        wrong = stated < step[_LEAST] or stated > step[_MOST]
        count = np.int64(0) if wrong else stated
        end = begin
        if step[_ELEMENT] < 0:
            end += min(count, -(-max(limit - begin, 0) // max(step[_WIDTH], 1))) * step[_WIDTH]
        elif count > 0 and begin < limit:
            stack[depth, _STEP], stack[depth, _SEGMENT] = number, segment
            stack[depth, _LEFT], stack[depth, _AT] = count, begin
            depth += 1
            segment = step[_ELEMENT]
            memory[segments[segment, _BEGIN]] = begin
            number = segments[segment, _FIRST]
            continue
        if fixed_places:
            end = begin + step[_MOST] * step[_WIDTH]
        elif wrong:
            # Where what follows begins cannot be known: at the record's end nothing of it is read.
            end = limit
        memory[step[_TO]] = end
        number += 1


@jit
def _walk(
    data, begin, limits, counts, outer, segments, steps, memory, plan, values, fixed_places, counted, ends, places
):
    """Step through each table; fills `counted`, `ends` and, where it has room for them, `places`."""
    place, value, listed = np.zeros(1, np.int64), np.zeros(2, np.int64), np.zeros(2, np.int64)
    for number in range(len(plan) - 1):
        plan[number, p.POS] = place.ctypes.data
        plan[number, p.OUT] = value.ctypes.data
        plan[number, p.LIST] = listed.ctypes.data
    stack = np.zeros((len(segments), 4), np.int64)
    total = 0
    for r in range(len(begin)):
        for n in range(len(outer)):
            memory[outer[n, 0]] = outer[n, 1 + r]
        at, done = begin[r], 0
        while done < counts[r] and at < limits[r]:
            if len(places) > 0:
                places[total] = at
            total += 1
            done += 1
            end = _end_of(
                at, limits[r], data, segments, steps, memory, plan, values, fixed_places, place, value, listed, stack
            )
            # An occurrence has at least a byte, so that a damaged count can never hold the walk in place.
            at = max(min(end, limits[r]), at + 1)
        counted[r], ends[r] = done, at
