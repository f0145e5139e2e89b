"""One DAG a municipality, built from its folder: extract, map, stage, validate, reconcile, approve, promote, report.

Task bodies are one call each into `dags.steps`; tasks hand over a run id, never rows. Parsing reads manifests only:
everything heavy is imported inside the tasks.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, BaseOperatorLink, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.folders import municipality_folders
from dags.workspace import settings
from mappings.reader import read_municipality
from migration_reports.findings import RunError, SpecError, TransientError

P = ParamSpec("P")
T = TypeVar("T")

RETRIES = {"retries": 3, "retry_delay": timedelta(seconds=20), "retry_exponential_backoff": 2.0}
ALWAYS = "all_done"

DOC = """
### {name} ({code}): 移行 / migration

受領 → 抽出・変換・ステージング → 検証 (Polars と Great Expectations) → 件数・金額照合 → 承認 → 本番反映 → 報告

Receive, extract, map and stage, validate in two engines, reconcile, approve, promote, report.
受領フォルダー / inbox: `{inbox}`

| 移行ファイル dump | ファイル名 file | 文字コード charset |
|---|---|---|
{dumps}
"""


def graded(step: Callable[P, T]) -> Callable[P, T]:
    """Let only an away system be tried again: a wrong spec or a refused run fails at once, saying what to do."""

    @functools.wraps(step)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return step(*args, **kwargs)
        except TransientError:
            raise
        except (SpecError, RunError) as error:
            raise AirflowFailException(str(error)) from None
        except AirflowSkipException:
            raise
        except Exception as error:
            raise AirflowFailException(f"{type(error).__name__}: {error}") from error

    return wrapper


class ReportLink(BaseOperatorLink):
    """The link from the report task to the report page."""

    name = "移行結果報告書 / Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  the name is the base's
        """The page of the run's report."""
        return f"/hikkoshi/{ti_key.dag_id}/{ti_key.run_id}"


def build(folder: str) -> DAG:
    """Build the DAG of a municipality's folder; a folder with problems becomes a DAG that says them."""
    root = settings().municipalities
    try:
        spec = read_municipality(root / folder)
    except SpecError as error:
        return _broken(folder, error)
    town = spec.manifest.municipality
    dumps = "\n".join(
        f"| {name} {d.title} | {', '.join(d.file)} | {d.charset.name} |" for name, d in spec.manifest.dumps.items()
    )
    with DAG(
        dag_id=f"migrate_{folder}",
        dag_display_name=f"{town.name} ({town.code})",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=[town.name, *sorted({d.charset.name for d in spec.manifest.dumps.values()}), *spec.manifest.systems],
        doc_md=DOC.format(name=town.name, code=town.code, inbox=settings().inbox(folder), dumps=dumps),
        params={
            "mode": Param(
                "rehearsal",
                enum=["rehearsal", "cut-over"],
                values_display={"rehearsal": "リハーサル rehearsal", "cut-over": "本番移行 cut-over"},
                title="区分 / Kind of run",
            ),
            "rehearsal": Param(1, type="integer", minimum=1, maximum=99, title="リハーサル回次 / Rehearsal number"),
            "approval": Param(
                "automatic",
                enum=["automatic", "person"],
                values_display={"automatic": "自動 automatic", "person": "担当者 by a person"},
                title="承認 / Approval",
                description="自動: 照合が一致し不採用が上限内なら承認する / automatic: approved where everything agrees",
            ),
            "inbox": Param(None, type=["null", "string"], title="受領フォルダー / Inbox", section="詳細 / Advanced"),
        },
        default_args=RETRIES,
    ) as dag:
        _tasks(folder)
    return dag


def _tasks(folder: str) -> None:
    @task(doc_md="仕様を点検し、移行を台帳に記入する / Check every spec, enter the run in the ledger.")
    @graded
    def begin() -> str:
        from dags import steps  # noqa: PLC0415

        context = get_current_context()
        params, dag_run_id = context["params"], context["dag_run"].run_id
        return steps.begin(
            folder,
            mode=params["mode"],
            rehearsal=params["rehearsal"],
            folder_of_dumps=params["inbox"],
            owner=os.environ.get("HIKKOSHI_OWNER") or f"airflow:{dag_run_id}",
            started_by=context["dag_run"].triggering_user_name or "",
            dag_run=(context["dag_run"].dag_id, dag_run_id),
        )

    @task(doc_md="移行ファイルを構成表と突き合わせる / Compare the inbox with the manifest.")
    @graded
    def receive(run: str) -> list[dict[str, Any]]:
        from dags import steps  # noqa: PLC0415

        return steps.receive(run)

    @task(
        map_index_template="{{ slice }}",
        doc_md="読み、変換し、ステージングする / Read, map and stage one slice of a dump.",
    )
    @graded
    def extract_map_stage(run: str, dump: str, number: int) -> None:
        from dags import steps  # noqa: PLC0415

        get_current_context()["slice"] = steps.name_of_slice(run, dump, number)
        steps.extract_map_stage(run, dump, number)

    @task(trigger_rule="none_failed", doc_md="分割ごとの計数を合わせる / Join what was counted of the slices.")
    @graded
    def join_slices(run: str) -> None:
        from dags import steps  # noqa: PLC0415

        steps.join_slices(run)

    @task(doc_md="全規則を二つのエンジンで検証する / Every rule, in two engines.")
    @graded
    def validate(run: str) -> dict[str, Any]:
        from dags import steps  # noqa: PLC0415

        return steps.validate(run)

    @task(doc_md="件数と金額を最後の一件まで照合する / Reconcile counts and amounts to the last record.")
    @graded
    def reconcile(run: str) -> dict[str, Any]:
        from dags import steps  # noqa: PLC0415

        return steps.reconcile(run)

    @task.branch(doc_md="承認の方法を選ぶ / Choose how the promotion is approved.")
    def choose_approval(decided: dict[str, Any]) -> str:
        if not decided["promotable"]:
            return "not_promotable"
        return (
            "approve_by_person" if get_current_context()["params"]["approval"] == "person" else "approve_automatically"
        )

    @task(doc_md="照合がすべて一致したので承認する / Approve, because everything agrees.")
    @graded
    def approve_automatically(run: str) -> None:
        from dags import steps  # noqa: PLC0415

        steps.approve(run, "automatic")

    approve_by_person = ApprovalOperator(
        task_id="approve_by_person",
        subject="本番反映の承認 / Approve the promotion",
        body="{{ ti.xcom_pull(task_ids='reconcile')['question'] }}",
        retries=0,
        doc_md="担当者が照合結果を見て承認する / A person approves, seeing the reconciliation.",
    )
    not_promotable = EmptyOperator(task_id="not_promotable", doc_md="本番反映できない / It may not be promoted.")

    @task(trigger_rule="none_failed_min_one_success", doc_md="区画を一度に入れ替える / Swap the partitions at once.")
    @graded
    def promote(run: str) -> dict[str, int]:
        from dags import steps  # noqa: PLC0415

        answer = get_current_context()["ti"].xcom_pull(task_ids="approve_by_person")
        if answer:
            user = answer.get("responded_by_user") or {}
            steps.approve(run, str(user.get("name") or user.get("id") or "a person"))
        return steps.promote(run)

    report_link = ReportLink()

    @task(trigger_rule=ALWAYS, doc_md="報告書を作る / Write the reports, however the run went.")
    @graded
    def report() -> list[str]:
        from dags import steps  # noqa: PLC0415

        pull = get_current_context()["ti"].xcom_pull
        run_id, answer = pull(task_ids="begin"), pull(task_ids="approve_by_person")
        if not run_id:
            raise AirflowSkipException("the run was not begun, so there is nothing to report")
        refused = bool(answer) and answer["chosen_options"] != [ApprovalOperator.APPROVE]
        return steps.conclude(run_id, refused=refused)

    @task(
        trigger_rule=ALWAYS, retries=0, doc_md="移行の結果を実行の状態にする / The run is green only if it ended well."
    )
    def outcome() -> str:
        from dags import steps  # noqa: PLC0415

        run_id = get_current_context()["ti"].xcom_pull(task_ids="begin")
        if not run_id:
            raise AirflowFailException("the run was not begun; see the task begin")
        record = steps.record(run_id)
        if record.state not in ("promoted", "rejected"):
            raise AirflowFailException(f"{record.state}: {record.state_reason_ja} / {record.state_reason_en}")
        return record.state

    run_id = begin()
    parts = receive(run_id)
    staged = extract_map_stage.partial(run=run_id).expand_kwargs(parts)
    joined = join_slices(run_id)
    validated = validate(run_id)
    decided = reconcile(run_id)
    choice = choose_approval(decided)
    automatic = approve_automatically(run_id)
    promoted = promote(run_id)
    reported = report()
    reported.operator.operator_extra_links = (report_link,)
    staged >> joined >> validated >> decided
    choice >> [automatic, approve_by_person, not_promotable]
    [automatic, approve_by_person] >> promoted
    [promoted, not_promotable] >> reported >> outcome()


def _broken(folder: str, error: SpecError) -> DAG:
    """A DAG that cannot run and says why: a municipality is never silently missing."""
    text = str(error)
    with DAG(
        dag_id=f"migrate_{folder}",
        schedule=None,
        catchup=False,
        tags=["仕様に誤り / spec problems"],
        doc_md=f"### 仕様に誤りがあります / This municipality's specs have problems\n\n```\n{text}\n```",
    ) as dag:

        @task(retries=0)
        def check() -> None:
            raise AirflowFailException(text)

        check()
    return dag


for _folder in municipality_folders(None):
    globals()[f"migrate_{_folder.name}"] = build(_folder.name)
