"""PostgreSQL and Redis from the system's packages: servers of our own, on free ports, with passwords, for a block."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import getpass
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import psycopg

from migration_reports.findings import TransientError, UsageError

HOST = "127.0.0.1"
PACKAGES: Mapping[str, str] = {"initdb": "postgresql", "postgres": "postgresql", "redis-server": "redis-server"}
"""The programs that are needed, and Debian's package of each."""

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian's packages put PostgreSQL, a folder a version, and outside the PATH."""

PATIENCE = 20.0
"""Seconds in which a server may start, or end by itself."""

SETTINGS: Mapping[str, object] = {"max_connections": 300, "shared_buffers": "256MB", "max_wal_size": "4GB"}


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    process: psutil.Process

    def cpu_seconds(self) -> float:
        """The processor time that it has taken, with that of its processes that have ended."""
        return cpu_of([self.process, *self.process.children(recursive=True)])


def programs() -> Mapping[str, Path]:
    """Where the programs lie.

    Raises:
        UsageError: some are not installed; it says what to install.
    """
    newest = sorted(DEBIAN.glob("*/bin"), key=lambda folder: int(folder.parent.name))
    where = os.pathsep.join([*map(str, reversed(newest)), os.environ.get("PATH", os.defpath)])
    found = {name: shutil.which(name, path=where) for name in PACKAGES}
    missing = sorted({PACKAGES[name] for name, path in found.items() if path is None})
    if missing:
        absent = ", ".join(name for name, path in found.items() if path is None)
        raise UsageError(
            f"not installed: {absent}. Install them (Debian: apt-get install {' '.join(missing)}), then again."
        )
    return {name: Path(path) for name, path in found.items() if path is not None}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server((HOST, 0)) as listening:
        return int(listening.getsockname()[1])


def cpu_of(processes: Sequence[psutil.Process]) -> float:
    """The processor seconds of processes, with those of their children that have ended."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


@contextlib.contextmanager
def postgresql(folder: Path, database: str, rights: str = "") -> Iterator[tuple[Server, str]]:
    """Run a PostgreSQL server with a database of its own role.

    Args:
        folder: where its data lie; everybody must be able to reach it, because root may not run a server.
        database: the name of the database, and of the role that owns it.
        rights: what else that role may.

    Yields:
        The server, and the database's URL without its scheme.
    """
    port, user = free_port(), _server_user()
    password = _cluster(folder, user)
    settings = {**SETTINGS, "port": port, "listen_addresses": HOST, "unix_socket_directories": ""}
    command = [
        programs()["postgres"],
        "-D",
        folder / "data",
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    connect = functools.partial(
        psycopg.connect, host=HOST, port=port, user="postgres", password=password, autocommit=True, connect_timeout=5
    )

    def answers() -> bool:
        # It listens before it lets anybody in.
        with contextlib.suppress(psycopg.OperationalError), contextlib.closing(connect()):
            return True
        return False

    with _running(command, folder / "server.log", answers, user=user) as process:
        with contextlib.closing(connect()) as connection:
            connection.execute(f"CREATE ROLE {database} LOGIN {rights} PASSWORD '{password}'".encode())
            connection.execute(f"CREATE DATABASE {database} OWNER {database}".encode())
        yield Server(process), f"{database}:{password}@{HOST}:{port}/{database}"


def _cluster(folder: Path, user: str) -> str:
    """Make a folder with a PostgreSQL cluster in it that is a user's; gives the superuser's password."""
    password, key = secrets.token_hex(16), folder / "password"
    folder.mkdir(mode=0o700)
    key.touch(mode=0o600)
    key.write_text(password, "ascii")
    for path in (folder, key):
        shutil.chown(path, user)
    words = ("--username=postgres", "--auth=scram-sha-256", f"--pwfile={key}", "--encoding=UTF8", "--locale=C")
    with (folder / "initdb.log").open("w") as log:
        initdb = (programs()["initdb"], "-D", folder / "data", *words)
        subprocess.run(initdb, stdout=log, stderr=log, user=user, check=True)
    key.unlink()
    return password


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis server that keeps nothing on disk; yields its URL."""
    port, password = free_port(), secrets.token_hex(16)
    folder.mkdir(mode=0o700)
    # From a file of ours: a password on a command line is everybody's.
    settings = folder / "redis.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f'bind {HOST}\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n', "ascii"
    )
    with _running((programs()["redis-server"], settings), folder / "server.log", functools.partial(_listens, port)):
        yield f"redis://:{password}@{HOST}:{port}/0"


def _server_user() -> str:
    """The user that runs PostgreSQL: this one, or as root the one that Debian's package made.

    Raises:
        UsageError: there is none.
    """
    if os.geteuid():
        return getpass.getuser()
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise UsageError(
            "root may not run PostgreSQL, and there is no user postgres: install Debian's postgresql"
        ) from None


@contextlib.contextmanager
def _running(
    command: Sequence[object], log: Path, answers: Callable[[], bool], *, user: str | None = None
) -> Iterator[psutil.Process]:
    """Run a server until the block ends."""
    with log.open("a") as output:
        started = subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=output, user=user, start_new_session=True
        )
    try:
        until = time.monotonic() + PATIENCE
        while not answers():
            if started.poll() is not None or time.monotonic() > until:
                raise TransientError(f"{Path(str(command[0])).name} does not start; its log is {log}")
            time.sleep(0.1)
        yield psutil.Process(started.pid)
    finally:
        # PostgreSQL's fast shut-down: it waits for nobody who is still connected.
        started.send_signal(signal.SIGINT)
        try:
            started.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
