"""One DAG a municipality, built from its folder: extract, map, stage, validate, reconcile, approve, promote, report.

Task bodies are one call each into `dags.steps` and `dags.runs`; tasks hand over a run id, never rows. Parsing reads manifests only:
everything heavy is imported inside the tasks.
"""

from __future__ import annotations

import functools
import getpass
import os
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, BaseOperatorLink, Param, TaskGroup, get_current_context, get_parsing_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.pipeline.folders import municipality_folders
from dags.pipeline.run_folder import ROOT, settings
from mappings.language.folder import MunicipalityFolder
from mappings.language.reader import read_municipality
from migration_reports.findings import RunError, SpecError, TransientError
from target_schemas.systems import SYSTEMS

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
        except (AirflowFailException, AirflowSkipException):
            raise
        except Exception as error:
            # What a library says of a failure may quote a value; where it failed says enough.
            raise AirflowFailException(_failed(error)) from None

    return wrapper


def _failed(error: Exception) -> str:
    """A failure that nobody foresaw: its type and the lines of ours that it came through, and none of its words."""
    ours = [
        f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__) if _is_ours(f.filename)
    ]
    return f"{type(error).__name__} at {' < '.join(reversed(ours[1:])) or 'a library'}. This is a fault of the program: report it."


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(ROOT) and "site-packages" not in file


class ApproveByPerson(HITLOperator):
    """Ask a person whether the run may be promoted; gives the answer, whichever it is, with name, reason and time.

    A cut-over is answered by another person than the one who started it, wherever `HIKKOSHI_APPROVERS` says who approves
    (names of Airflow users, divided by commas).
    """

    APPROVE, REJECT = "Approve", "Reject"

    def execute(self, context: Any) -> None:
        """Ask those who may answer."""
        self.assigned_users = [{"id": name, "name": name} for name in approvers(context)] or None
        super().execute(context)


def approvers(context: Any) -> list[str]:
    """The Airflow users who may approve a cut-over; none, where everybody may who may answer at all, as of a rehearsal.

    Raises:
        AirflowFailException: it is a cut-over, and nobody may but the one who started it.
    """
    if context["params"]["mode"] != "cut-over":
        return []
    named = [name for name in map(str.strip, os.environ.get("HIKKOSHI_APPROVERS", "").split(",")) if name]
    starter = context["dag_run"].triggering_user_name
    others = [name for name in named if name != starter]
    if named and not others:
        raise AirflowFailException(
            f"{starter} started this cut-over, and nobody else may approve it (HIKKOSHI_APPROVERS: {', '.join(named)}). "
            "Let another person start it, or name another who approves. Nothing was promoted."
        )
    return others


class ReportLink(BaseOperatorLink):
    """The link from the report task to the report page."""

    name = "移行結果報告書 / Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  the name is the base's
        """The page of the run's report."""
        return page_of(ti_key.dag_id, ti_key.run_id)


def page_of(dag_id: str, dag_run_id: str) -> str:
    """The address of the page of a run's reports, on whichever server shows it."""
    return f"/hikkoshi/{quote(dag_id, safe='')}/{quote(dag_run_id, safe='')}"


def build(folder: str) -> DAG:
    """Build the DAG of a municipality's folder; a folder with problems becomes a DAG that says them."""
    root = settings().municipalities
    try:
        spec = read_municipality(root / folder)
    except SpecError as error:
        return _broken(folder, error)
    town, titles = spec.manifest.municipality, {system.name: system.title_ja for system in SYSTEMS}
    dumps = "\n".join(
        f"| {name} {d.title} | {', '.join(d.file)} | {d.charset.name} |" for name, d in spec.dumps.items()
    )
    with DAG(
        dag_id=f"migrate_{folder}",
        dag_display_name=f"{town.name} ({town.code})",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=[town.name, *sorted({d.charset.name for d in spec.dumps.values()}), *spec.systems],
        doc_md=DOC.format(name=town.name, code=town.code, inbox=settings().inbox(folder), dumps=dumps),
        params={
            "systems": Param(
                list(spec.systems),
                type="array",
                items={"type": "string", "enum": list(spec.systems)},
                examples=list(spec.systems),
                values_display={name: f"{titles[name]} {name}" for name in spec.systems},
                minItems=1,
                title="業務 / Systems",
                description="この移行で移す業務。既定はすべて / what this run moves; all of them, where nothing is taken out",
            ),
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
                description="自動: 照合が一致し不採用が上限内なら承認する。本番移行は常に担当者が承認する / "
                "automatic: approved where everything agrees; a cut-over is always approved by a person",
            ),
            "inbox": Param(
                None,
                type=["null", "string"],
                title="受領フォルダー / Inbox",
                description=f"{settings().home / 'inbox'} の中のフォルダー / a folder inside it",
                section="詳細 / Advanced",
            ),
        },
        # Who has come furthest goes first: of many towns some are done early, where all would be in the end.
        default_args={**RETRIES, "weight_rule": "upstream"},
    ) as dag:
        _tasks(spec, titles)
    return dag


def _tasks(spec: MunicipalityFolder, titles: Mapping[str, str]) -> None:
    @task(doc_md="仕様を点検し、移行を台帳に記入する / Check every spec, enter the run in the ledger.")
    @graded
    def begin() -> str:
        from dags import steps  # noqa: PLC0415

        context = get_current_context()
        params, dag_run = context["params"], context["dag_run"]
        # Known now rather than when everything has been read.
        approvers(context)
        # A run in the process of a command belongs to the person at the terminal, who may read what they may read.
        process, inbox = os.environ.get("HIKKOSHI_OWNER"), params["inbox"]
        if inbox and not process:
            inbox = str(settings().inside_inboxes(inbox))
        return steps.begin(
            spec.folder,
            systems=params["systems"],
            mode=params["mode"],
            rehearsal=params["rehearsal"],
            folder_of_dumps=inbox,
            owner=process or f"airflow:{dag_run.run_id}",
            started_by=getpass.getuser() if process else dag_run.triggering_user_name or "",
            dag_run=(dag_run.dag_id, dag_run.run_id),
        )

    @task(doc_md="移行ファイルを構成表と突き合わせる / Compare the inbox with the manifest.")
    @graded
    def receive(run: str) -> list[dict[str, Any]]:
        from dags import steps  # noqa: PLC0415

        return [dict(part) for part in steps.receive(run)]

    @task(task_id="slices", doc_md="この業務の分割 / The slices of this system.")
    def slices_of(received: list[dict[str, Any]], dumps: list[str]) -> list[dict[str, Any]]:
        parts = [part for part in received if part["dump"] in dumps]
        if not parts:
            raise AirflowSkipException("this system is not moved by this run")
        return parts

    @task(map_index_template="{{ slice }}", doc_md="読み、変換し、送る / Read, map and stage a slice of a dump.")
    @graded
    def extract_map_stage(run: str, dump: str, number: int) -> None:
        from dags import runs, steps  # noqa: PLC0415

        get_current_context()["slice"] = runs.name_of_slice(run, dump, number)
        steps.extract_map_stage(run, dump, number)

    @task(trigger_rule="none_failed", doc_md="分割ごとの計数を合わせる / Join what was counted of the slices.")
    @graded
    def join_slices(run: str) -> None:
        from dags import steps  # noqa: PLC0415

        steps.join_slices(run)

    @task(doc_md="全規則を二つのエンジンで検証する / Every rule, in two engines.")
    @graded
    def validate(run: str) -> int:
        from validators.gate import opened  # noqa: PLC0415

        with opened() as gate:
            from dags import steps  # noqa: PLC0415  the gate's process imports meanwhile

            return steps.validate(run, gate).rejected

    @task(doc_md="件数と金額を最後の一件まで照合する / Reconcile counts and amounts to the last record.")
    @graded
    def reconcile(run: str) -> bool:
        from dags import steps  # noqa: PLC0415

        return steps.reconcile(run).promotable

    @task.branch(doc_md="承認の方法を選ぶ / Choose how the promotion is approved.")
    def choose_approval(promotable: bool) -> str:
        if not promotable:
            return "not_promotable"
        params = get_current_context()["params"]
        by_person = params["mode"] == "cut-over" or params["approval"] == "person"
        return "ask" if by_person else "approve_automatically"

    @task(doc_md="照合がすべて一致したので承認する / Approve, because everything agrees.")
    @graded
    def approve_automatically(run: str) -> None:
        from dags import steps  # noqa: PLC0415

        steps.approve(run, "automatic", automatic=True)

    @task(doc_md="暫定報告書を作り、承認の問いを用意する / Write the provisional report, and the question.")
    @graded
    def ask(run: str) -> str:
        from dags import runs  # noqa: PLC0415

        dag_run = get_current_context()["dag_run"]
        return runs.ask(run, page=page_of(dag_run.dag_id, dag_run.run_id))

    approve_by_person = ApproveByPerson(
        task_id="approve_by_person",
        subject="移行の承認 / Approve the migration",
        options=[ApproveByPerson.APPROVE, ApproveByPerson.REJECT],
        body="{{ ti.xcom_pull(task_ids='ask') }}",
        params={"reason": Param("", type="string", title="理由 / Reason", maxLength=1000)},
        retries=0,
        doc_md="担当者が照合結果と暫定報告書を見て答える / A person answers, seeing the provisional report.",
    )
    not_promotable = EmptyOperator(task_id="not_promotable", doc_md="本番反映できない / It may not be promoted.")

    @task.branch(doc_md="担当者の答えを記録する / Note who answered what, when and why.")
    @graded
    def note_decision(run: str, answer: dict[str, Any]) -> str:
        from dags import steps  # noqa: PLC0415

        user = answer["responded_by_user"] or {}
        by, at = str(user.get("name") or user.get("id") or "a person"), _moment(answer["responded_at"])
        reason = str((answer["params_input"] or {}).get("reason") or "")
        if answer["chosen_options"] == [ApproveByPerson.APPROVE]:
            steps.approve(run, by, reason=reason, at=at)
            return "promote"
        steps.reject(run, by, reason=reason, at=at)
        return "refused"

    refused = EmptyOperator(task_id="refused", doc_md="担当者が認めなかった / A person refused.")

    @task(trigger_rule="none_failed_min_one_success", doc_md="区画を一度に入れ替える / Swap the partitions at once.")
    @graded
    def promote() -> dict[str, int]:
        from dags import steps  # noqa: PLC0415

        # Pulled, not handed over: as an upstream task `begin` would be the one success that lets this run.
        return dict(steps.promote(get_current_context()["ti"].xcom_pull(task_ids="begin")).rows)

    report_link = ReportLink()

    @task(trigger_rule=ALWAYS, doc_md="報告書を作る / Write the reports, however the run went.")
    @graded
    def report() -> list[str]:
        from dags import runs  # noqa: PLC0415

        run_id = get_current_context()["ti"].xcom_pull(task_ids="begin")
        if not run_id:
            raise AirflowSkipException("the run was not begun, so there is nothing to report")
        return runs.conclude(run_id)

    # Retried as every task is, for its worker may die; how a run ended is no reason to be tried again.
    @task(trigger_rule=ALWAYS, doc_md="移行の結果を実行の状態にする / The run is green only if it ended well.")
    @graded
    def outcome() -> str:
        from dags import runs  # noqa: PLC0415

        run_id = get_current_context()["ti"].xcom_pull(task_ids="begin")
        if not run_id:
            raise AirflowFailException("the run was not begun; see the task begin")
        record = runs.record(run_id)
        if record.state not in ("promoted", "rejected"):
            raise AirflowFailException(f"{record.state}: {record.state_reason_ja} / {record.state_reason_en}")
        return record.state

    run_id = begin()
    received = receive(run_id)
    staged = []
    for name, system in spec.systems.items():
        with TaskGroup(name, tooltip=titles[name]):
            parts = slices_of(received, sorted(system.manifest.dumps))
            staged.append(extract_map_stage.partial(run=run_id).expand_kwargs(parts))
    joined = join_slices(run_id)
    validated = validate(run_id)
    promotable = reconcile(run_id)
    choice = choose_approval(promotable)
    automatic, question = approve_automatically(run_id), ask(run_id)
    answered = note_decision(run_id, approve_by_person.output)
    promoted = promote()
    reported = report()
    reported.operator.operator_extra_links = (report_link,)
    staged >> joined >> validated >> promotable
    choice >> [automatic, question, not_promotable]
    question >> approve_by_person
    answered >> [promoted, refused]
    automatic >> promoted
    [promoted, refused, not_promotable] >> reported >> outcome()


def _moment(value: Any) -> str:
    """A moment as Airflow hands it on, in ISO 8601."""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


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


# A task's process needs its own DAG alone; without a name all are asked for.
_asked = get_parsing_context().dag_id
for _folder in municipality_folders(None):
    if _asked in (None, f"migrate_{_folder.name}"):
        globals()[f"migrate_{_folder.name}"] = build(_folder.name)
