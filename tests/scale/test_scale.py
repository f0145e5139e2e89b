"""What can be tested without servers: towns that are copies are towns, and what is not installed is named."""

from __future__ import annotations

import pytest

from mappings.language.manifest import check_digit
from mappings.language.reader import read_municipality
from migration_reports.findings import UsageError
from tests.scale import servers, towns


def test_copies_are_towns_with_codes_of_their_own(tmp_path):
    names = towns.copies(tmp_path / "municipalities", 4)
    assert len({name[:6] for name in names}) == 4
    for name in names:
        assert name[5] == check_digit(name)
        read = read_municipality(tmp_path / "municipalities" / name)
        assert read.manifest.municipality.code == name[:6]
    moved = towns.with_dumps(tmp_path / "municipalities", tmp_path / "inbox", [(names[0], 50), (names[3], 20)])
    assert [(town.dag, town.size) for town in moved] == [
        (f"migrate_{names[0]}", 52 * 400),
        (f"migrate_{names[3]}", 22 * 400),
    ]


def test_programs_that_are_not_installed_are_named_with_what_brings_them(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "DEBIAN", tmp_path)
    with pytest.raises(UsageError, match=r"initdb, postgres, redis-server.*apt-get install postgresql redis-server"):
        servers.programs()
