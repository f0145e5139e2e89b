"""The server's proof that it is its home's: it answers a challenge that only this home's secret can answer.

Nobody has signed in yet when it is asked, so this is open to whoever reaches the port; an answer tells nothing of the
secret, and is good for this port alone.
"""

from __future__ import annotations

from typing import Annotated

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from fastapi import FastAPI, Path

from dags.server.airflow_server import PROOF, proof

PREFIX, _, _ROUTE = PROOF.rpartition("/")

app = FastAPI(title="Hikkoshi server", docs_url=None, redoc_url=None, openapi_url=None)


@app.get(f"/{_ROUTE}/{{challenge}}")
def answer(challenge: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> dict[str, str]:
    """The answer to a challenge."""
    return {"proof": proof(conf.get_mandatory_value("api_auth", "jwt_secret"), conf.getint("api", "port"), challenge)}


class HikkoshiServer(AirflowPlugin):
    """Registers the proof."""

    name = "hikkoshi_server"
    fastapi_apps = [{"app": app, "url_prefix": PREFIX, "name": "Hikkoshi server"}]  # noqa: RUF012
