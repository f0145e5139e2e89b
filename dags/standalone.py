"""`make ui`: Airflow with these DAGs on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys

from dags import airflow_home
from dags.workspace import settings


def main() -> int:
    """Start Airflow and wait for it; stop its whole process group with it."""
    parser = argparse.ArgumentParser(description="Airflow with Hikkoshi's DAGs on 127.0.0.1")
    parser.add_argument("--port", type=int, default=airflow_home.PORT)
    port = parser.parse_args().port
    airflow_home.use(port=port)
    sys.stdout.write(
        f"""
Airflow starts on   http://127.0.0.1:{port}   (about 20 seconds)
  user              {airflow_home.USER}
  password          {airflow_home.password(port=port)}   (kept in {airflow_home.folder() / "passwords.json"})
Put dumps into {settings().home / "inbox"}/<municipality>, or let `hikkoshi synthesize` make them.
Airflow's log servers listen on ports 8793 and 8794 of every interface: close them in a firewall on a shared network.
Stop with Ctrl-C.
"""
    )
    sys.stdout.flush()
    log = airflow_home.folder() / "standalone.log"
    with log.open("a") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"], stdout=output, stderr=output, start_new_session=True
        )
        try:
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            # Only the parent would end otherwise: its scheduler and workers would live on.
            for stop in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(server.pid, stop)
                    server.wait(timeout=15)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    sys.exit(main())
