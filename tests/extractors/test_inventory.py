"""A charset lists every code that is not written back as itself."""

from __future__ import annotations

import pytest

from extractors.charsets import CHARSETS, load
from extractors.charsets._inventory import spans, take_inventory


def test_runs_of_codes_are_written_together():
    pairs = {"A1A2": "42", "A1A1": "41", "A1A3": "40", "A1A5": "43", "A1A6": "44"}
    assert spans(pairs) == ["A1A1 to A1A2 as 41 to 42", "A1A3 as 40", "A1A5 to A1A6 as 43 to 44"]
    assert spans({}) == []


@pytest.mark.parametrize(("name", "title"), [(family.name, title) for family in CHARSETS for title in family.profiles])
def test_a_pair_that_is_written_as_a_single_byte_has_its_character(name, title, tmp_path):
    family = next(family for family in CHARSETS if family.name == name)
    charset = load(name, family.profiles[title], tmp_path)
    for pair, byte in take_inventory(charset).narrow.items():
        assert charset.text(int(pair, 16)) == charset.text(int(byte, 16), single=True), (pair, byte)


def test_jips_lists_its_rows_of_latin_letters_and_kana(tmp_path):
    narrow = take_inventory(load("nec", {"form": "jips_j"}, tmp_path)).narrow
    assert len(narrow) == 157
    assert (narrow["2941"], narrow["2942"]) == ("41", "42")
