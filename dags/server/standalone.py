"""`make ui`: Airflow with these DAGs on this machine, until Ctrl-C.

Its parts are started one by one and not by `airflow standalone`, which would start log servers that listen on every
interface, and which waits for ever when a part has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence

import psutil

from dags.pipeline.run_folder import settings
from dags.server import airflow_home, airflow_server
from migration_reports.findings import RunError

PARTS: Mapping[str, Sequence[str]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
FORKING = "scheduler"
"""The part from which tasks are forked; it imports before what they work with."""

PATIENCE = 15.0
"""Seconds in which a part may end by itself."""

_WHAT = {
    "operator": "実行 runs and repeats migrations",
    "approver": "承認 answers for a cut-over",
    "reader": "閲覧 only reads",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Start Airflow and wait for it; stop all of it with this process."""
    parser = argparse.ArgumentParser(prog="make ui", description="Airflow with Hikkoshi's DAGs on 127.0.0.1")
    parser.add_argument("--port", type=_port, default=airflow_home.PORT)
    port = parser.parse_args(arguments).port
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _interrupt)
    try:
        with airflow_server.serving(port) as keep:
            airflow_home.use(port=port)
            _say(banner(port))
            commands = {name: (sys.executable, "-m", _module(name), *words) for name, words in PARTS.items()}
            ready = f"Airflow is ready: {airflow_server.address(port)}"
            return supervise(commands, keep, lambda: _is_ready(port), ready)
    except RunError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 0


def banner(port: int) -> str:
    """Where Airflow will be, and how to sign in."""
    users = "\n".join(f"  {user:10} {word}   {_WHAT[user]}" for user, word in airflow_home.passwords().items())
    return f"""
Airflow starts on {airflow_server.address(port)} (about 20 seconds). Sign in as one of

{users}

(kept in {airflow_home.passwords_file()}).
Put dumps into {settings().home / "inbox"}/<municipality>, or let `hikkoshi synthesize` make them.
Stop with Ctrl-C.
"""


def supervise(
    commands: Mapping[str, Sequence[str]],
    keep: Callable[[Collection[int]], None],
    is_ready: Callable[[], bool],
    ready: str,
    *,
    patience: float = PATIENCE,
) -> int:
    """Run commands side by side until one ends, or this process is told to; then stop them all.

    Args:
        commands: the parts, by name; each writes a log of its own into Airflow's home.
        keep: keeps their process ids, for whoever finds them left running.
        is_ready: whether all work together.
        ready: what is said once they do.
        patience: seconds in which a part may end by itself.

    Returns:
        1: a part ended that should not.
    """
    parts: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            with (airflow_home.folder() / f"{name}.log").open("ab") as log:
                # A session of its own, so that Ctrl-C comes to this process alone and the parts end in order.
                parts[name] = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
                keep([part.pid for part in parts.values()])
        said = False
        while True:
            for name, part in parts.items():
                if part.poll() is not None:
                    log_file = airflow_home.folder() / f"{name}.log"
                    sys.stderr.write(f"{name} has ended ({part.returncode}), so all of it is stopped; see {log_file}\n")
                    return 1
            if not said and is_ready():
                said = True
                _say(ready)
            time.sleep(0.5)
    finally:
        stop(list(parts.values()), patience)


def stop(parts: Sequence[subprocess.Popen[bytes]], patience: float) -> None:
    """End processes and all that they have started, to the last."""
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)
    sessions = {part.pid for part in parts}
    for stop in (signal.SIGTERM, signal.SIGKILL):
        for process in airflow_server.of_sessions(sessions):
            with contextlib.suppress(psutil.Error):
                process.send_signal(stop)
        until = time.monotonic() + patience
        while airflow_server.of_sessions(sessions) and time.monotonic() < until:
            time.sleep(0.1)
    for part in parts:
        part.wait()


def _module(part: str) -> str:
    return "dags.server.airflow_preloaded" if part == FORKING else "airflow"


def _is_ready(port: int) -> bool:
    return airflow_server.is_ours(port) and airflow_server.is_healthy(port)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"`{text[:20]}` is no port: a number from 1 to 65535")
    return int(text)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
