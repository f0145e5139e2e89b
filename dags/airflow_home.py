"""A private home for Airflow: its settings in one place, as environment variables, and the secrets it needs.

Airflow reads its settings when it is first imported, so `use` comes before any such import.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from dags.workspace import ROOT, private_folder, settings, write_whole

PORT = 8180
USER = "admin"


def folder() -> Path:
    """Airflow's home within ours."""
    return settings().home / "airflow"


def environment(*, port: int = PORT) -> Mapping[str, str]:
    """The settings: these DAGs and no examples, SQLite metadata, loopback only, one password."""
    home = folder()
    keys = _secrets(home)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "dags" / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Tokyo",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
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
        "GX_ANALYTICS_ENABLED": "false",
    }


def use(*, port: int = PORT) -> None:
    """Make this process and its children use the private home, and migrate its database once."""
    os.environ.update(environment(port=port))
    # `airflow standalone` starts its parts by name.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = folder() / ".migrated"
    if not done.exists():
        log = folder() / "migrate.log"
        with log.open("w") as output:
            subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, stdout=output, stderr=output)
        write_whole(done, b"")


def password(*, port: int = PORT) -> str:
    """The password of the one user, made once for this home."""
    environment(port=port)
    return str(json.loads((folder() / "passwords.json").read_text("utf-8"))[USER])


def _secrets(home: Path) -> dict[str, str]:
    private_folder(home)
    file = home / "secrets.json"
    if not file.exists():
        import base64  # noqa: PLC0415

        keys = {
            "jwt_secret": secrets.token_hex(48),
            "secret_key": secrets.token_hex(32),
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        write_whole(file, json.dumps(keys).encode())
    if not (home / "passwords.json").exists():
        write_whole(home / "passwords.json", json.dumps({USER: secrets.token_urlsafe(12)}).encode())
    return dict(json.loads(file.read_text("utf-8")))
