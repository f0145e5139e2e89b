"""What decisions about candidates come to, and which contradict one another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.language.decisions import COLUMNS, read_decisions, settle

HEAD = ",".join(COLUMNS)


def lines(*said):
    """Decisions written shortly: `1=2`, `1=2>2` (2 is kept), `1!3`, `1?2` (later)."""
    kinds = {"=": "same", "!": "different", "?": "later"}
    rows = []
    for word in said:
        pair, _, keeps = word.partition(">")
        mark = next(mark for mark in kinds if mark in pair)
        a, b = pair.split(mark)
        rows.append(f"c,{a},{b},{kinds[mark]},{keeps},seen,clerk,2026-11-20")
    problems = []
    decisions = read_decisions("\n".join([HEAD, *rows]), "d.csv", problems)
    assert problems == []
    return decisions


def settled(*said, between=False):
    problems = []
    return settle(lines(*said), between=between, problems=problems), [p.position.line for p in problems]


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        (["1=2"], {"2": "1"}),
        (["1=2>2"], {"1": "2"}),
        (["2=3", "1=2"], {"2": "1", "3": "1"}),
        (["1=2>2", "2=3>3"], {"1": "3", "2": "3"}),
        (["1=2", "2=3>3"], {"1": "3", "2": "3"}),
        (["1=2", "2!3", "4?5"], {"2": "1"}),
        ([], {}),
    ],
)
def test_a_number_stands_for_its_group(said, numbers):
    assert settled(*said)[0].numbers == numbers
    assert settled(*said)[1] == []


@pytest.mark.parametrize(
    ("said", "at"),
    [
        (["1=2", "2=3", "1!3"], [4]),
        (["1=2>1", "2=3>3"], [3]),
        (["1=2>1", "2=3>2", "1=3>3"], [4]),
        (["1=2", "2=1"], [3]),
        (["1=2", "3!4", "2=3", "4=1"], [3]),
    ],
)
def test_what_contradicts_is_named_by_its_line(said, at):
    assert settled(*said)[1] == at


def test_what_follows():
    all_of_it, problems = settled("1=2", "2=3", "3!4")
    assert problems == []
    assert [all_of_it.follows(*pair) for pair in ("13", "14", "24", "15", "56")] == [
        "same",
        "different",
        "different",
        "",
        "",
    ]


def test_of_two_tables_the_other_number_stands_and_nothing_follows():
    all_of_it, problems = settled("1=7", "2=7", "3!7", between=True)
    assert problems == []
    assert all_of_it.numbers == {"1": "7", "2": "7"}
    assert all_of_it.follows("1", "2") == ""
    assert all_of_it.follows("5", "5") == ""


@pytest.mark.parametrize(("said", "at"), [(["1=7", "1=8"], [3]), (["1=7>1"], [2]), (["1=7", "7=1"], [])])
def test_of_two_tables_a_number_is_one_of_the_other(said, at):
    assert settled(*said, between=True)[1] == at


PAIRS = st.tuples(st.integers(1, 7), st.integers(1, 7)).filter(lambda pair: pair[0] != pair[1])


@settings(max_examples=200, deadline=None)
@given(st.lists(PAIRS, max_size=10, unique_by=frozenset))
def test_whatever_is_the_same_is_resolved_to_one_number_that_stays_itself(pairs):
    all_of_it, problems = settled(*(f"{a}={b}" for a, b in pairs))
    assert problems == []
    stands = all_of_it.numbers
    for a, b in pairs:
        assert stands.get(str(a), str(a)) == stands.get(str(b), str(b))
    assert not set(stands) & set(stands.values())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "names no column candidates"),
        (f"{HEAD}\nc,1,1,same,,r,x,2026-11-20\n", "`a` and `b` are one number"),
        (f"{HEAD}\nc,1,2,maybe,,r,x,2026-11-20\n", "unknown decision `maybe`"),
        (f"{HEAD}\nc,1,2,same,,r,x,2026-02-30\n", "`2026-02-30` is no day"),
        (f"{HEAD}\n,1,2,same,,,x,2026-11-20\n", "needs `candidates`"),
        (f'{HEAD}\nc,"1\x00,2,same', "d.csv:2"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(text, says):
    problems = []
    read_decisions(text, "d.csv", problems)
    assert says in "\n".join(map(str, problems))


@given(st.text(alphabet=',\n"c12=#\ufeff', max_size=60))
def test_any_text_is_decisions_or_is_refused_with_its_line(text):
    problems = []
    decisions = read_decisions(f"{HEAD}\n{text}", "d.csv", problems)
    assert all(problem.position.line for problem in problems)
    assert all(line.pair[0] != line.pair[1] for line in decisions)


def test_a_comment_and_an_empty_decision_are_no_decisions():
    problems = []
    text = f"{HEAD},sheet\n# of the registry\n\nc,1,2,,,,,,7\nc,1,3,same,,r,x,2026-11-20,8\n"
    assert [line.pair for line in read_decisions(text, "d.csv", problems)] == [("1", "3")]
    assert problems == []
