"""The Report tab of a run, and the page behind it: a run's report files, for whoever may read the DAG.

Airflow does not guard the pages of plugins, so every route here asks for the right to read the DAG. Files are served by
name from the registry of reports, never by path, and only of a run that the DAG of the address has begun.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from dags.pipeline.run_folder import Run, run_of_dag_run
from migration_reports.findings import RunError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Airflow's own tab shows the page in a frame; nobody else may."""

NOT_BEGUN = (
    "この実行はまだ移行を始めていないか、存在しません。最初のタスク begin が台帳に記入すると、ここに表示されます。",
    "This run has not begun a migration yet, or there is no such run. It appears here once its first task, begin, is done.",
)
NOT_REPORTED = (
    "移行の実行中で、報告書はまだありません。照合が終わると、承認の前に仮の報告書がここに表示されます。",
    "The migration is under way and has no report yet. After the reconciliation, and before the approval, a provisional one appears here.",
)
NO_FILE = ("この実行にその名前の報告書はありません。", "This run has no report of that name.")
NO_PAGE = ("このページはありません。", "There is no such page.")

MayRead = Depends(requires_access_dag("GET"))

app = FastAPI(title="Hikkoshi reports", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/{dag_id}/{dag_run_id}", dependencies=[MayRead])
def index(dag_id: str, dag_run_id: str) -> Response:
    """The run's files, or why there are none yet."""
    run = _run(dag_id, dag_run_id)
    # A run's id may hold a colon, which would make its first part a scheme.
    return _contents(run, dag_run_id, f"./{quote(dag_run_id, safe='')}/", None)


@app.get("/{dag_id}/{dag_run_id}/{name}", dependencies=[MayRead])
def file(dag_id: str, dag_run_id: str, name: str) -> Response:
    """One of the run's files."""
    from migration_reports.reports import FILES  # noqa: PLC0415

    run = _run(dag_id, dag_run_id)
    if run is None or name not in FILES or not (_folder(run) / name).is_file():
        return _contents(run, dag_run_id, "./", NO_FILE)
    return FileResponse(_folder(run) / name, media_type=FILES[name], headers=HEADERS)


@app.exception_handler(404)
@app.exception_handler(405)
def no_page(_: Request, __: Exception) -> Response:
    """An address of no route: the tab shows a page there as well."""
    return _page({}, {}, base="", notice=NO_PAGE, again=False, status=404)


def _run(dag_id: str, dag_run_id: str) -> Run | None:
    try:
        return run_of_dag_run(dag_id, dag_run_id)
    except RunError:
        return None


def _folder(run: Run) -> Path:
    return run.path / "reports"


def _contents(run: Run | None, dag_run_id: str, base: str, missing: tuple[str, str] | None) -> Response:
    """What there is of a run; `missing` says what was asked for and is not there."""
    from migration_reports.reports import FILES  # noqa: PLC0415

    about = {"DAG の実行 / DAG run": dag_run_id}
    if run is None:
        return _page(about, {}, base=base, notice=NOT_BEGUN, again=True, status=404)
    kind = (
        "本番移行 / cut-over" if run.mode == "cut-over" else f"リハーサル {run.rehearsal} / rehearsal {run.rehearsal}"
    )
    about = {"移行実行 / Run": run.run_id, "区分 / Kind": kind, **about}
    sizes = {name: (_folder(run) / name).stat().st_size for name in FILES if (_folder(run) / name).is_file()}
    if not sizes:
        return _page(about, {}, base=base, notice=NOT_REPORTED, again=True, status=404)
    return _page(about, sizes, base=base, notice=missing, again=False, status=404 if missing else 200)


def _page(
    about: dict[str, str], sizes: dict[str, int], *, base: str, notice: tuple[str, str] | None, again: bool, status: int
) -> Response:
    from migration_reports.pages.render import render_contents  # noqa: PLC0415

    page = render_contents(about, sizes, base=base, notice=notice, again=again)
    return HTMLResponse(page, status_code=status, headers=HEADERS)


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
