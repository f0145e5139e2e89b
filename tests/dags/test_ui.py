"""`make ui` and the command's way to it: whose port it is, whose server, who may do what, and that all of it ends."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from dags.server import airflow_home, airflow_server, in_airflow, standalone
from migration_reports.findings import RunError, TransientError

ROOT = Path(__file__).parents[2]
CHALLENGE = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "airflow"


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def server(prove, *, healthy=True):
    """A server that proves itself by a function of its port and the challenge, and notes what it is sent."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(b"")

        def do_POST(self):
            self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, body):
            seen.append((self.path, body.decode()))
            if self.path.startswith(airflow_server.PROOF):
                said = {"proof": prove(self.server.server_port, self.path.rpartition("/")[2])}
            elif self.path == "/api/v2/monitor/health":
                said = {"scheduler": {"status": "healthy" if healthy else "unhealthy"}}
            else:
                said = {"access_token": "a token"}
            text = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        try:
            yield made.server_port, seen
        finally:
            made.shutdown()


def honest(port, challenge):
    return airflow_server.proof(airflow_home.secret_keys()["jwt_secret"], port, challenge)


IMPOSTORS = {
    "knows nothing": lambda _, __: "0" * 64,
    "says it again": lambda _, challenge: challenge,
    "answers no text": lambda _, __: {"yes": True},
    "has another home's secret": lambda port, challenge: airflow_server.proof("another", port, challenge),
    "passes it on to our server on another port": lambda port, challenge: honest(port + 1, challenge),
    "repeats an older answer": lambda port, _: honest(port, CHALLENGE),
}


def keep(port, **rest):
    path = airflow_home.folder() / "server.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"port": port, **rest}))


def test_a_busy_port_is_named_with_who_has_it_and_what_to_do(taken):
    with pytest.raises(RunError) as caught:
        airflow_server.check_port(taken)
    message = str(caught.value)
    assert message.startswith(f"port {taken} of 127.0.0.1 cannot be used: ")
    assert f"(process {os.getpid()}, of " in message
    assert int(message.rpartition("make ui PORT=")[2]) > taken


def test_a_holder_that_may_not_be_seen_is_no_trouble(taken, monkeypatch):
    def denied(_):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    with pytest.raises(RunError, match="in use"):
        airflow_server.check_port(taken)


def test_with_a_busy_port_nothing_is_started_and_no_password_is_shown(taken, capsys, home, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert standalone.main(["--port", str(taken)]) == 2
    said = capsys.readouterr()
    assert f"port {taken}" in said.err
    assert said.out == ""
    assert airflow_server.kept_port() is None
    assert not (home / "passwords.json").exists()


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "８１８０"])
def test_what_is_no_port_is_refused(port, capsys):
    with pytest.raises(SystemExit):
        standalone.main(["--port", port])
    assert "a number from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "wanted"), [("PORT=8280", "dags.server.standalone --port 8280"), ("PORT=", "dags.server.standalone")]
)
def test_make_passes_the_port_on(given, wanted):
    # As from a shell: `make test` hands its own flags down.
    shell = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "-n", "ui", given], cwd=ROOT, env=shell, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip().endswith(wanted)


def test_the_port_is_kept_while_the_server_runs(taken, home):
    free = _free()
    with airflow_server.serving(free):
        assert airflow_server.kept_port() == free
        assert airflow_server.is_started()
        assert stat.S_IMODE((home / "server.json").stat().st_mode) == 0o600
        with (
            pytest.raises(RunError, match=f"runs already, on http://127.0.0.1:{free}"),
            airflow_server.serving(_free()),
        ):
            pass
        assert airflow_server.kept_port() == free
    assert airflow_server.kept_port() is None
    assert not airflow_server.is_started()
    with pytest.raises(RunError, match=f"port {taken}"), airflow_server.serving(taken):
        pass


def test_parts_that_were_left_running_are_named():
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "airflow"], start_new_session=True)
    try:
        keep(1, parts=[left.pid])
        with pytest.raises(RunError, match=f"end them first: kill {left.pid}$"), airflow_server.serving(_free()):
            pass
    finally:
        left.kill()
        left.wait()
    with airflow_server.serving(_free()):
        pass


def test_a_server_that_knows_the_homes_secret_is_ours():
    with server(honest) as (port, seen):
        assert airflow_server.is_ours(port)
        assert airflow_server.sign_in(port, "operator") == "a token"
    assert seen[-1][0] == "/auth/token"
    assert json.loads(seen[-1][1]) == {"username": "operator", "password": airflow_home.passwords()["operator"]}


@pytest.mark.parametrize("impostor", IMPOSTORS)
def test_an_impostor_gets_no_password_and_no_run(impostor):
    with server(IMPOSTORS[impostor]) as (port, seen):
        keep(port)
        assert not airflow_server.is_ours(port)
        assert not in_airflow.server_is_up()
        assert in_airflow._server(lambda _: None) is None
        with pytest.raises(RunError, match="no password was sent"):
            airflow_server.sign_in(port, "operator")
    assert {path.startswith(airflow_server.PROOF) for path, _ in seen} == {True}
    assert not [body for _, body in seen if body]


@pytest.mark.parametrize("content", ['{"port": 1}', "", "[]", '{"port": "x"}', '{"port": null}', '{"port": 999999999}'])
def test_a_stale_or_broken_port_file_disturbs_nobody(content, home):
    home.mkdir(parents=True)
    (home / "server.json").write_text(content)
    assert not in_airflow.server_is_up()
    assert in_airflow._server(lambda _: None) is None
    with airflow_server.serving(_free()):
        pass


def test_a_run_goes_to_this_homes_server_on_the_port_it_was_given(monkeypatch):
    with server(honest) as (port, _):
        keep(port)
        monkeypatch.setattr(in_airflow, "_in_process", None)
        monkeypatch.setattr(in_airflow, "_on_server", lambda *given: ("run", given[0]))
        assert in_airflow.run_dag("migrate_x", {}, say=lambda _: None) == ("run", port)


@pytest.mark.parametrize("answers", [True, False])
def test_a_server_that_is_starting_is_waited_for_and_not_run_beside(answers, monkeypatch):
    monkeypatch.setattr(in_airflow, "START_SECONDS", 0.0)
    monkeypatch.setattr(in_airflow, "POLL_SECONDS", 0.01)
    said = []
    with contextlib.ExitStack() as stack:
        if answers:
            port, _ = stack.enter_context(server(honest, healthy=False))
            keep(port)
        else:
            stack.enter_context(airflow_server.serving(_free()))
        with pytest.raises(TransientError, match="does not work; its logs: "):
            in_airflow._server(said.append)
    assert said[0].startswith("waits for this home's Airflow")


def test_there_are_three_users_with_the_rights_they_need_and_passwords_of_their_own(home):
    settings = airflow_home.environment(port=8280)
    assert settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "operator:op,approver:user,reader:viewer"
    assert settings["HIKKOSHI_APPROVERS"] == "approver"
    assert settings["AIRFLOW__API__PORT"] == "8280"
    made = airflow_home.passwords()
    assert list(made) == ["operator", "approver", "reader"]
    assert len(set(made.values())) == 3
    assert stat.S_IMODE((home / "passwords.json").stat().st_mode) == 0o600
    assert airflow_home.passwords() == made
    banner = standalone.banner(8280)
    assert all(f"{user:10} {word}" in banner for user, word in made.items())
    assert "http://127.0.0.1:8280" in banner


def test_a_home_that_was_made_before_keeps_what_it_has(home):
    home.mkdir(parents=True)
    (home / "passwords.json").write_text('{"admin": "old", "reader": "kept"}')
    made = airflow_home.passwords()
    assert list(made) == ["operator", "approver", "reader"]
    assert made["reader"] == "kept"
    assert json.loads((home / "passwords.json").read_text()) == made


IN_AIRFLOW = """
import importlib.util, json, os
from dags.server import airflow_home, airflow_server, standalone
os.environ.update(airflow_home.environment(port=8280))
from airflow.cli.cli_parser import get_parser
from fastapi.testclient import TestClient
spec = importlib.util.spec_from_file_location("server_page", "dags/plugins/hikkoshi_server.py")
page = importlib.util.module_from_spec(spec); spec.loader.exec_module(page)
client, challenge = TestClient(page.app), "0123456789abcdef" * 4
path = airflow_server.PROOF.removeprefix(page.PREFIX)
print("RESULT" + json.dumps({
    "serves": {name: not getattr(get_parser().parse_args(words), "skip_serve_logs", True) for name, words in standalone.PARTS.items()},
    "answer": client.get(f"{path}/{challenge}").json(),
    "refused": [client.get(f"{path}/{wrong}").status_code for wrong in ("", "x", challenge + "0", challenge[:-1] + "%0a")],
    "expected": airflow_server.proof(airflow_home.secret_keys()["jwt_secret"], 8280, challenge),
}))
"""


def test_airflow_starts_no_log_server_and_answers_the_challenge():
    done = subprocess.run([sys.executable, "-c", IN_AIRFLOW], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stderr[-3000:]
    result = json.loads(lines[0].removeprefix("RESULT"))
    assert result["serves"] == dict.fromkeys(standalone.PARTS, False)
    assert result["answer"] == {"proof": result["expected"]}
    assert set(result["refused"]) <= {404, 422}


PART = """
import os, signal, subprocess, sys, time
stubborn = "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'w').close(); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", stubborn, sys.argv[1]], process_group=0)
time.sleep(60)
"""
SUPERVISOR = """
import sys
from dags.server import airflow_home, airflow_server, standalone
airflow_home.folder().mkdir(parents=True)
airflow_home.use = lambda **_: None
real = standalone.supervise
part, ready, port, ends = sys.argv[1:]
commands = {name: (sys.executable, "-c", part, f"{ready}.{name}") for name in ("one", "two")}
if ends == "ends":
    commands["three"] = (sys.executable, "-c", "raise SystemExit(7)")
def supervise(_, keep, is_ready, said):
    return real(commands, keep, is_ready, said, patience=0.5)
standalone.supervise = supervise
sys.exit(standalone.main(["--port", port]))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_part_and_all_that_they_started(how, tmp_path):
    ready = tmp_path / "ready"
    supervisor = _supervisor(ready, "")
    started = [tmp_path / f"ready.{name}" for name in ("one", "two")]
    _wait(lambda: all(path.exists() for path in started))
    family = _parts(supervisor)
    assert len(family) == 4
    supervisor.send_signal(how)
    assert supervisor.wait(timeout=60) == 0
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert airflow_server.kept_port() is None


def test_a_part_that_ends_ends_the_others_and_says_where_to_look(tmp_path, home):
    supervisor = _supervisor(tmp_path / "ready", "ends")
    _, said = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 1
    assert "three has ended (7), so all of it is stopped; see " in said
    assert str(home / "three.log") in said


def _supervisor(ready, ends):
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, PART, str(ready), str(_free()), ends],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _parts(supervisor):
    return psutil.Process(supervisor.pid).children(recursive=True)


def _wait(until, seconds=60.0):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


def _free():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
