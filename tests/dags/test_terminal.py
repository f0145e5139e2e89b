"""What the commands print stands as it is, and no value, name or message drives the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dags import cli
from dags.commands import _terminal
from dags.commands._terminal import Terminal, visible
from migration_reports.findings import Position, Problem, RunError, SpecError, TransientError

ROOT = Path(__file__).parents[2]
HOSTILE = "a\x1b[31m:100:[red]\x9b2J\x07\r\u202eb"
SHOWN = r"a\x1b[31m:100:[red]\x9b2J\x07\x0d\u202eb"


def hikkoshi(*words):
    command = [sys.executable, "-m", "dags.cli", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, SHOWN),
        ("\ue000 漢\u3000\u8fbb\U000e0101 :id:", "\ue000 漢\u3000\u8fbb\U000e0101 :id:"),
        ("\udcff", r"\udcff"),
        ("one\ntwo\t\x7f", "one\ntwo\\x09\\x7f"),
    ],
)
def test_a_text_is_spelled_where_it_is_not_seen(text, shown):
    assert visible(text) == shown
    assert visible("a\nb", lines=False) == r"a\x0ab"


@pytest.mark.parametrize(("error", "code"), [(RunError, 1), (TransientError, 3)])
def test_a_message_stands_as_it_is(error, code, monkeypatch, capsys):
    monkeypatch.setattr(_terminal, "err", Terminal(stderr=True))

    def fails():
        raise error(HOSTILE)

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == code
    assert SHOWN in capsys.readouterr().err


def test_problems_stand_as_they_are(monkeypatch, capsys):
    monkeypatch.setattr(_terminal, "err", Terminal(stderr=True))

    def fails():
        raise SpecError([Problem("L904", Position(f"{HOSTILE}.cpy", 100, 12), ":id: [bold]", (":ok:",), HOSTILE)])

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err
    assert f"{SHOWN}.cpy:100:12: L904 :id: [bold]\n    allowed here: `:ok:`\n    {SHOWN}\n" in said


def test_values_and_names_of_a_dump_stand_as_they_are(tmp_path):
    dump, layout = tmp_path / "d\x1b[31m:ok:.dat", tmp_path / "r.cpy"
    dump.write_bytes(b"A\x1b[31m:100:\n[red]")
    layout.write_text("       01  R.\n           05  A PIC X(17).\n", encoding="utf-8")
    how = (dump, "--layout", layout, "--charset", "shift_jis")
    peeked = hikkoshi("peek", *how, "--reveal")
    assert r"A\x1b[31m:100:\x0a[red]" in peeked.stdout
    told = hikkoshi("diagnose", dump)
    assert r"d\x1b[31m:ok:.dat" in told.stdout
    profiled = hikkoshi("profile", *how)
    assert r"d\x1b[31m:ok:" in profiled.stdout
    for done in (peeked, told, profiled):
        assert done.returncode in (0, 1), done.stderr
        assert "\x1b" not in done.stdout + done.stderr
    row = hikkoshi("decode", *how).stdout
    assert json.loads(row)["A"] == "A\x1b[31m:100:\n[red]"


def test_a_place_in_a_copybook_is_what_an_editor_opens(tmp_path):
    (tmp_path / "d.dat").write_bytes(b"A")
    layout = tmp_path / "r.cpy"
    layout.write_text("       01  R.\n" + "\n" * 98 + "           05  :ID:-NO PIC X(2).\n", encoding="utf-8")
    done = hikkoshi("decode", tmp_path / "d.dat", "--layout", layout, "--charset", "ibm")
    assert done.returncode == 2
    assert "r.cpy:100:" in done.stderr
    assert ":ID:-NO" in done.stderr
