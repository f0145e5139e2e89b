"""The command: exit codes that scripts can use, messages that say what to do, and the way through Airflow."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dags.cli import app
from dags.commands import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hikkoshi(tmp_path, database_url):
    towns = Path(shutil.copytree(ROOT / "mappings" / "municipalities", tmp_path / "towns"))
    environment = {
        **os.environ,
        "HIKKOSHI_HOME": str(tmp_path / "home"),
        "HIKKOSHI_MUNICIPALITIES": str(towns),
        "HIKKOSHI_DATABASE_URL": database_url,
    }

    def call(*words, stdin=subprocess.DEVNULL, **more):
        return subprocess.run(
            [sys.executable, "-m", "dags.cli", *words],
            cwd=ROOT,
            env={**environment, **more},
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    call.towns = towns
    call.home = tmp_path / "home"
    return call


def test_check_says_that_all_is_well_or_every_problem(hikkoshi):
    good = hikkoshi("check")
    assert good.returncode == 0, good.stderr
    assert "990027_mihon: ok" in good.stdout
    manifest = hikkoshi.towns / "990035_reiji" / "resident_records/manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("charset: {", "charset: {name: imb, "), encoding="utf-8")
    bad = hikkoshi("check")
    assert bad.returncode == 2
    assert "990035_reiji/resident_records/manifest.yaml:8:21: L903 unknown charset `imb`" in bad.stdout
    assert "`ibm`, `nec`, `unisys`" in bad.stdout
    assert "did you mean `ibm`?" in bad.stdout
    assert "990027_mihon: ok" in bad.stdout


def test_a_run_through_airflow_from_dump_to_report_and_back(hikkoshi):
    assert hikkoshi("synthesize", "mihon", "--residents", "300", "--faults", "0").returncode == 0
    for number in (1, 2):
        done = hikkoshi("run", "mihon", "--rehearsal", str(number))
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert "resident_records.residents: 300 rows" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
    runs = [json.loads(line) for line in hikkoshi("runs", "--json").stdout.splitlines()]
    assert [(r["rehearsal"], r["state"], r["in_force"], r["area"], r["town"]) for r in runs] == [
        (2, "promoted", ["resident_records"], "rehearsal", "990027_mihon"),
        (1, "superseded", [], "rehearsal", "990027_mihon"),
    ]
    again = hikkoshi("report", runs[0]["run_id"])
    assert (hikkoshi.home / "runs" / runs[0]["run_id"] / "reports" / "result.ja.html").exists()
    assert "result.en.html" in again.stdout
    meant = ("--yes", "--reason", "the first was right")
    refused = hikkoshi("rollback", "mihon", *meant)
    assert refused.returncode == 1
    assert "nothing of municipality 990027 is in force in production" in refused.stderr
    assert hikkoshi("rollback", "mihon", "--rehearsals").returncode == 2, "nobody confirms it"
    back = hikkoshi("rollback", "mihon", "--rehearsals", *meant)
    assert back.returncode == 0
    assert "resident_records.residents: 300 rows" in back.stdout
    gone = hikkoshi("withdraw", runs[1]["run_id"], *meant, "--by", "tester")
    assert gone.returncode == 0
    assert "in force in rehearsal of 990027: of resident_records nothing" in gone.stdout
    listed = hikkoshi("runs").stdout
    assert "rolled back" in listed
    assert "withdrawn" in listed
    assert "990027_mihon" in listed


def test_what_cannot_be_taken_back_is_asked_for_at_a_terminal(hikkoshi):
    asked, answered = pty.openpty()
    os.write(asked, b"n\n")
    refused = hikkoshi("rollback", "mihon", stdin=answered)
    assert refused.returncode == 1
    assert "Put back what 990027_mihon had in force before, in PRODUCTION?" in refused.stdout
    assert "Aborted" in refused.stderr
    os.write(asked, b"y\nwrong run\n")
    meant = hikkoshi("withdraw", "990027-c-x", stdin=answered)
    assert meant.returncode == 1
    assert "Reason:" in meant.stdout
    assert "the ledger knows no run 990027-c-x" in meant.stderr
    assert hikkoshi("withdraw", "990027-c-x", "--yes").returncode == 2, "the reason is missing"


def test_airflow_maps_a_task_over_the_slices_of_a_dump(hikkoshi):
    assert hikkoshi("synthesize", "mihon", "--residents", "300", "--faults", "0").returncode == 0
    done = hikkoshi("run", "mihon", HIKKOSHI_SLICE_BYTES="70000")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "resident_records.residents: 300 rows" in done.stdout
    with contextlib.closing(sqlite3.connect(hikkoshi.home / "airflow" / "airflow.db")) as metadata:
        mapped = metadata.execute(
            "SELECT map_index, rendered_map_index, state FROM task_instance WHERE task_id = 'resident_records.extract_map_stage' ORDER BY 1"
        ).fetchall()
        handed = metadata.execute(
            "SELECT value FROM xcom WHERE task_id = 'receive' AND key = 'return_value'"
        ).fetchall()
        results = metadata.execute(
            "SELECT count(*) FROM xcom WHERE task_id = 'resident_records.extract_map_stage'"
        ).fetchone()
    assert mapped == [(0, "juki_master 1 of 2", "success"), (1, "juki_master 2 of 2", "success")]
    assert [json.loads(value) for (value,) in handed] == [
        [{"dump": "juki_master", "number": 1}, {"dump": "juki_master", "number": 2}]
    ]
    assert results == (0,)


def test_a_run_that_may_not_be_promoted_is_told_apart(hikkoshi):
    held = hikkoshi("run", "mihon", "--direct")
    assert held.returncode == 1
    assert f"there is no inbox {hikkoshi.home / 'inbox' / '990027_mihon'}" in held.stdout
    assert "rehearsal 1: Rehearsal not passed (held)" in held.stdout
    assert "controls proved nothing to judge; rules with both engines agreeing nothing to judge" in held.stdout


def test_a_cut_over_is_never_approved_automatically(hikkoshi):
    refused = hikkoshi("run", "mihon", "--cut-over", "--approval", "automatic", "--direct")
    assert refused.returncode == 2
    assert "a cut-over is approved by a person" in refused.stderr


def test_an_away_database_is_told_apart_without_its_password(hikkoshi, tmp_path):
    url = f"postgresql+psycopg://someone:secret@localhost/x?host={tmp_path}"
    away = hikkoshi("runs", HIKKOSHI_DATABASE_URL=url)
    assert away.returncode == 3
    assert "is away" in away.stderr
    assert "secret" not in away.stdout + away.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "nowhere", "--direct"), 2, "no municipality `nowhere`"),
        (("run", "mihin", "--direct"), 2, "did you mean `mihon`?"),
        (("run", "tests/shared_towns/990019_a_city", "--direct"), 2, "set HIKKOSHI_MUNICIPALITIES="),
        (("check", "nosuch"), 2, "no municipality `nosuch`"),
        (("check", "no/such"), 2, "there is no folder no/such"),
        (("explain", "mihon", "residents.bith"), 2, "did you mean `residents.birth`? there are residents."),
        (("report", "../../etc"), 2, "that is no run id"),
        (("report", "123"), 2, "there is no run 123"),
        (("peek", "README.md", "--layout", "README.md", "--charset", "imb"), 2, "did you mean `ibm`?"),
        (("synthesize", "mihon", "--residents", "0"), 2, "--residents"),
        (("decode", "nothing.dat", "--layout", "x", "--charset", "ibm"), 2, "does not exist"),
        (("run", "mihon", "--approval", "nobody"), 2, "automatic, person"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(hikkoshi, words, code, says):
    done = hikkoshi(*words)
    assert done.returncode == code
    assert says in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_path_names_a_municipality_that_runs_know(hikkoshi):
    done = hikkoshi("synthesize", str(hikkoshi.towns / "990027_mihon"), "--residents", "10")
    assert done.returncode == 0, done.stderr
    assert (hikkoshi.home / "inbox" / "990027_mihon" / "juki_master.dat").is_file()


def test_what_the_operating_system_refuses_is_said_in_words(hikkoshi, tmp_path):
    (tmp_path / "file").write_text("")
    refused = hikkoshi("synthesize", "mihon", "--residents", "10", "--out", str(tmp_path / "file" / "x"))
    assert refused.returncode == 2
    assert refused.stderr.strip() == (
        f"{tmp_path / 'file'}: file exists. Name another place; a file stands where a folder should."
    )


def test_a_terminal_that_lacks_characters_stops_nothing(hikkoshi):
    done = hikkoshi("explain", "mihon", "residents.birth", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u" in done.stdout


def test_the_version_names_the_revision(hikkoshi):
    done = hikkoshi("--version")
    version = importlib.metadata.version("hikkoshi")
    assert re.fullmatch(rf"hikkoshi {re.escape(version)}( \([0-9a-f]{{12}}(-dirty)?\))?\n", done.stdout)
    git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert git.returncode or git.stdout[:12] in done.stdout


def test_the_end_of_a_command_calls_exit_functions_sends_what_was_printed_and_takes_nothing_apart():
    call = """
import atexit, sys
from dags import cli
class Loaded:
    def __del__(self): print("taken apart")
loaded = Loaded()
atexit.register(print, "exit function")
sys.argv = ["hikkoshi", *sys.argv[1:]]
cli.process()
"""

    def ended(*words):
        return subprocess.run(
            [sys.executable, "-c", call, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )

    done, wrong = ended("--version"), ended("check", "nobody")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("hikkoshi ")
    assert done.stdout.endswith("\nexit function\n")
    assert (wrong.returncode, wrong.stdout) == (2, "exit function\n")
    assert "no municipality `nobody`" in wrong.stderr


def test_every_command_has_a_group_in_the_help_and_completion_is_offered():
    help_ = CliRunner().invoke(app, ["--help"]).output
    for command in COMMANDS:
        assert f"{command.about}:" in help_
        assert re.search(rf"^  {command.name} ", help_, re.M)
    assert [command.name for command in COMMANDS] == list(typer.main.get_command(app).commands)
    assert "--install-completion" in help_


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("hikkoshi ro", ["roundtrip", "rollback"]),
        ("hikkoshi charset ", ["list", "show", "check", "convert"]),
        ("hikkoshi peek --re", ["--replace", "--records", "--reveal"]),
    ],
)
def test_a_shell_completes_commands_and_options(words, offered):
    asked = {"_HIKKOSHI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert CliRunner().invoke(app, [], env=asked, prog_name="hikkoshi").output.split() == offered


def test_a_mistyped_command_is_told_its_nearest():
    done = CliRunner().invoke(app, ["chek"])
    assert done.exit_code == 2
    assert "No such command 'chek'. Did you mean 'check'" in done.output
