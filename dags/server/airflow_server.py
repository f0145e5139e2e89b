"""This home's Airflow server: where it listens, that it is this home's and no other's, and calls to it.

A port says nothing of who listens on it. A server is ours if it answers a challenge that only this home's secret can
answer; nothing secret is sent to one that has not. The answer is good for one port, so that nobody on another can pass
the challenge on to our server and give its answer for his own.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import http.client
import json
import os
import secrets
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from dags.server import airflow_home
from migration_reports.findings import RunError, TransientError
from migration_reports.private_files import private_folder, write_whole

HOST = "127.0.0.1"
PROOF = "/hikkoshi-server/proof"
"""Where the server answers a challenge (`dags/plugins/hikkoshi_server.py`)."""

_STEP = 100
"""From a busy port to the one that is proposed instead."""


def proof(secret: str, port: int, challenge: str) -> str:
    """What a server of this secret and port answers to a challenge."""
    return hmac.digest(secret.encode(), f"hikkoshi server\n{port}\n{challenge}".encode(), "sha256").hex()


def address(port: int) -> str:
    """Where people and commands find the server of a port."""
    return f"http://{HOST}:{port}"


def is_ours(port: int) -> bool:
    """Whether who listens on a port proves to be the server of this home."""
    challenge = secrets.token_hex(32)
    try:
        status, answer = _ask(port, "GET", f"{PROOF}/{challenge}", timeout=5)
    except (OSError, http.client.HTTPException):
        return False
    given = answer.get("proof") if status == 200 and isinstance(answer, dict) else None
    wanted = proof(airflow_home.secret_keys()["jwt_secret"], port, challenge)
    return isinstance(given, str) and hmac.compare_digest(given.encode(), wanted.encode())


def is_healthy(port: int) -> bool:
    """Whether the server's scheduler works."""
    try:
        _, health = _ask(port, "GET", "/api/v2/monitor/health", timeout=5)
        return bool(health["scheduler"]["status"] == "healthy")
    except (OSError, http.client.HTTPException, KeyError, TypeError):
        return False


def kept_port() -> int | None:
    """The port that this home's server was last started on; None where it was stopped."""
    try:
        return int(json.loads(_kept().read_text("utf-8"))["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _kept_parts() -> frozenset[int]:
    try:
        return frozenset(map(int, json.loads(_kept().read_text("utf-8"))["parts"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _is_airflow(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "airflow" in " ".join(process.cmdline())
    return False


def is_started() -> bool:
    """Whether somebody runs this home's server now, though it may not answer yet."""
    try:
        with _lock().open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def of_sessions(leaders: Collection[int]) -> list[psutil.Process]:
    """The processes of the sessions that processes lead: tasks have groups of their own, and may outlive who started them.

    The embedded PostgreSQL has left them: it is stopped by `hikkoshi stop`.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) in leaders and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@contextlib.contextmanager
def serving(port: int) -> Iterator[Callable[[Collection[int]], None]]:
    """Be the one who runs this home's server: its port is kept in the home meanwhile.

    Gives what keeps the process ids of its parts there as well, each the leader of a session.

    Raises:
        RunError: this home's server runs already, parts of it were left running, or the port is somebody's.
    """
    private_folder(airflow_home.folder())
    with _lock().open("ab") as lock:
        before = kept_port()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = address(before) if before else "a port of its own"
            raise RunError(f"Airflow of this home runs already, on {where}; stop it first, with Ctrl-C") from None
        if left := [process for process in of_sessions(_kept_parts()) if _is_airflow(process)]:
            pids = " ".join(str(process.pid) for process in left)
            raise RunError(f"parts of this home's Airflow were left running; end them first: kill {pids}")
        check_port(port)

        def keep(parts: Collection[int]) -> None:
            write_whole(_kept(), json.dumps({"port": port, "parts": list(parts)}).encode())

        keep(())
        try:
            yield keep
        finally:
            _kept().unlink(missing_ok=True)


def check_port(port: int) -> None:
    """See that a port is free.

    Raises:
        RunError: it is not; says who has it, and what to do.
    """
    trouble = _trouble(port)
    if trouble is None:
        return
    free = next((p for p in range(port + _STEP, 65536, _STEP) if _trouble(p) is None), None)
    hint = f"; choose another: make ui PORT={free}" if free else ""
    raise RunError(f"port {port} of {HOST} cannot be used: {trouble}{hint}")


def sign_in(port: int, user: str) -> str:
    """A token of one of this home's users.

    Raises:
        RunError: the server is not this home's, or refuses.
        TransientError: the server is away.
    """
    if not is_ours(port):
        raise RunError(f"who listens on {address(port)} has not proved to be this home's Airflow; no password was sent")
    credentials = {"username": user, "password": airflow_home.passwords()[user]}
    return str(call(port, "POST", "/auth/token", credentials)["access_token"])


def call(port: int, method: str, path: str, body: Mapping[str, Any] | None = None, token: str | None = None) -> Any:
    """Call Airflow's REST API and give its answer.

    Raises:
        RunError: the server refuses.
        TransientError: the server is away.
    """
    try:
        status, answer = _ask(port, method, path, body, token, timeout=30)
    except (OSError, http.client.HTTPException) as error:
        raise TransientError(f"the Airflow server {address(port)} is away: {error}") from None
    if status >= 400:
        detail = answer.get("detail") if isinstance(answer, dict) else None
        said = f": {detail[:200]}" if isinstance(detail, str) else ""
        raise RunError(f"the Airflow server {address(port)} refused {method} {path} ({status}){said}")
    return answer


def _ask(
    port: int,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    token: str | None = None,
    *,
    timeout: float,
) -> tuple[int, Any]:
    """One request, straight to the port: no proxy is asked and no redirection is followed; None where it is no JSON."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        text = answer.read(16 * 1024 * 1024)
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, None


def _trouble(port: int) -> str | None:
    """Why a port cannot be listened on; None where it can."""
    try:
        with socket.create_server((HOST, port)):
            return None
    except (OSError, OverflowError) as error:
        holder = _holder(port)
        return f"{holder} has it" if holder else str(error)


def _holder(port: int) -> str:
    """Who listens on a port, where that may be seen."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                if connection.pid is None:
                    return "a process of another user"
                process = psutil.Process(connection.pid)
                return f"{process.name()} (process {process.pid}, of {process.username()})"
    return ""


def _kept() -> Path:
    return airflow_home.folder() / "server.json"


def _lock() -> Path:
    return airflow_home.folder() / "server.lock"
