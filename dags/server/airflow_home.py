"""A private home for Airflow: its settings in one place, as environment variables, and the secrets it needs.

Airflow reads its settings when it is first imported, so `use` comes before any such import.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from dags.pipeline.run_folder import ROOT, settings
from migration_reports.findings import RunError
from migration_reports.private_files import write_whole

PORT = 8180
USERS = {"operator": "op", "approver": "user", "reader": "viewer"}
"""The users, and their roles in Airflow: one who runs migrations, one who answers for a cut-over, one who only reads."""

APPROVERS = ("approver",)
_LETTERS = "abcdefghkmnpqrstuvwxyz23456789"
"""What a password is made of: nothing that looks like something else."""

_NOWHERE = "1"
"""A port on which nothing listens."""


def folder() -> Path:
    """Airflow's home within ours."""
    return settings().home / "airflow"


def environment(*, port: int = PORT) -> Mapping[str, str]:
    """The settings: these DAGs and no examples, SQLite metadata, loopback only, three users.

    No log server is started (`dags.server.standalone`), because every log lies on this machine. One would listen on every
    interface; and Airflow would ask whoever listens on its port for the log of a running task.
    """
    home = folder()
    keys = secret_keys()
    passwords()
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "dags" / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Tokyo",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": keys["secret_key"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt_secret"],
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet_key"],
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": _NOWHERE,
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": _NOWHERE,
        "HIKKOSHI_APPROVERS": ",".join(APPROVERS),
        "GX_ANALYTICS_ENABLED": "false",
    }


def use(*, port: int = PORT) -> None:
    """Make this process and its children use the private home, and migrate its database once a version of Airflow.

    Raises:
        RunError: the database cannot be migrated.
    """
    os.environ.update(environment(port=port))
    done, version = folder() / ".migrated", importlib.metadata.version("apache-airflow").encode()
    if not done.exists() or done.read_bytes() != version:
        log = folder() / "migrate.log"
        with log.open("w") as output:
            migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
            ended = subprocess.run(migrate, check=False, stdout=output, stderr=output).returncode  # noqa: S603
        if ended:
            raise RunError(f"Airflow could not make its database ready ({ended}); see {log}")
        write_whole(done, version)


def passwords() -> dict[str, str]:
    """The password of each user, made once for this home; a user that is no longer there has none."""
    file = passwords_file()
    before = json.loads(file.read_text("utf-8")) if file.exists() else {}
    now = {user: str(before.get(user) or _password()) for user in USERS}
    if now != before:
        write_whole(file, json.dumps(now).encode())
    return now


def passwords_file() -> Path:
    """Where the passwords are kept, for their owner only."""
    return folder() / "passwords.json"


def secret_keys() -> dict[str, str]:
    """What this home signs with, made once."""
    file = folder() / "secrets.json"
    if not file.exists():
        keys = {
            "jwt_secret": secrets.token_hex(48),
            "secret_key": secrets.token_hex(32),
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        write_whole(file, json.dumps(keys).encode())
    return dict(json.loads(file.read_text("utf-8")))


def _password() -> str:
    """A password that is easily read and typed, of 78 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
