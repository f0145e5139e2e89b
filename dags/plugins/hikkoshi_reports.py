"""The Report tab of a run, and the page behind it: a run's report files, for whoever may read the DAG.

Airflow does not guard the pages of plugins, so every route here asks for the right to read the DAG. Files are served by
name from a fixed list, never by path.
"""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from dags.workspace import run_of_dag_run
from migration_reports.findings import RunError

FILES = {
    "result.ja.html": "text/html; charset=utf-8",
    "result.en.html": "text/html; charset=utf-8",
    "workbook.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "run.json": "application/json",
    "SHA256SUMS": "text/plain; charset=utf-8",
}
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}

MayRead = Depends(requires_access_dag("GET"))

app = FastAPI(title="Hikkoshi reports", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/{dag_id}/{dag_run_id}", dependencies=[MayRead])
def index(dag_id: str, dag_run_id: str) -> Response:
    """The run's files, or that there is no report yet."""
    folder = _folder(dag_id, dag_run_id)
    if folder is None:
        return HTMLResponse("<p>報告書はまだありません / There is no report yet.</p>", headers=HEADERS)
    links = "".join(f'<li><a href="{dag_run_id}/{name}">{name}</a></li>' for name in FILES if (folder / name).is_file())
    return HTMLResponse(
        f'<meta charset="utf-8"><body style="font-family:sans-serif"><h2>移行結果報告書 / Report</h2><ul>{links}</ul>',
        headers=HEADERS,
    )


@app.get("/{dag_id}/{dag_run_id}/{name}", dependencies=[MayRead])
def file(dag_id: str, dag_run_id: str, name: str) -> Response:
    """One of the run's files."""
    folder = _folder(dag_id, dag_run_id)
    if name not in FILES or folder is None or not (folder / name).is_file():
        raise HTTPException(404, "no such report")
    return FileResponse(folder / name, media_type=FILES[name], headers=HEADERS)


def _folder(dag_id: str, dag_run_id: str) -> Any:
    try:
        run = run_of_dag_run(dag_id, dag_run_id)
    except RunError:
        return None
    folder = run.path / "reports" if run is not None else None
    return folder if folder is not None and folder.is_dir() else None


class HikkoshiReports(AirflowPlugin):
    """Registers the page and the tab."""

    name = "hikkoshi_reports"
    fastapi_apps = [{"app": app, "url_prefix": "/hikkoshi", "name": "Hikkoshi reports"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "移行結果報告書",
            "href": "/hikkoshi/{DAG_ID}/{RUN_ID}/result.ja.html",
            "destination": "dag_run",
            "url_route": "hikkoshi_report",
        },
        {
            "name": "Report",
            "href": "/hikkoshi/{DAG_ID}/{RUN_ID}/result.en.html",
            "destination": "dag_run",
            "url_route": "hikkoshi_report_en",
        },
    ]
