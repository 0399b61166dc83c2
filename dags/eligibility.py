"""The DAG that decides who gets what: check, decide, check, publish.

It runs when every registry has been pulled since its last run, or by hand for any day.
Each task calls one step of `komek.pipeline`; between tasks only the run's id passes.
One runs at a time, under the home's writer lock. Every step but `publish` may be tried
again: it starts from what the step before left.
"""

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import Param, dag, task

from komek.base import registries
from komek.base.settings import settings
from komek.wiring import TIME_ZONE, landed, one_writer

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

PARAMS = {
    "as_of": Param(
        None,
        type=["null", "string"],
        format="date",
        title="As of",
        description="The day to decide for; empty: the day of the DAG run.",
    ),
    "known_at": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Known at",
        description="The last day whose records count; empty: the day decided for.",
    ),
    "policies": Param(
        {},
        type="object",
        additionalProperties={"type": "string"},
        title="Policies",
        description="Other readings of the law for this run: policy name to value.",
    ),
    "override": Param(
        None,
        type=["null", "string"],
        pattern=r"\S",
        title="Override",
        description="Why this run may go on past tolerance checks; recorded in it.",
    ),
    "publish": Param(
        False,
        type="boolean",
        title="Publish an earlier day",
        description="Publish it although a later day is published; recorded in it.",
    ),
}


@dag(
    description="Decide by Order No. 118 and publish, by region",
    doc_md=__doc__,
    schedule=[landed(entity.name) for entity in registries.entities()],
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    params=PARAMS,
    default_args={"owner": "komek", "retries": 2},
    tags=["decisions"],
)
def eligibility() -> None:
    """Wire the steps of a run."""
    run = prepare()
    built = write_tables(apply_law(find_facts(check_registries(sort_registries(run)))))
    checked = check_result(built)
    approval = ask_for_approval(checked) if settings().asks_approval else None
    publish(checked, approval) >> clear_away(run).as_teardown(setups=run)


def ask_for_approval(checked: Any) -> Any:  # noqa: ANN401  (Airflow's XComArg)
    """Wait until a person has approved; a run that is rejected is not published."""
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    approve = ApprovalOperator(
        task_id="approve",
        subject="Publish run {{ ti.xcom_pull(task_ids='check_result') }}?",
        body="What was checked is in the run's reports: data_docs and validation.",
        retries=0,
    )
    checked >> approve
    return approve.output


def day_of(dag_run: "DagRunProtocol") -> date:
    """Return the day of a DAG run; one that assets started has no logical date."""
    moment = dag_run.logical_date or dag_run.run_after
    return moment.astimezone(ZoneInfo(TIME_ZONE)).date()


@task
def prepare(
    params: dict[str, Any] | None = None, dag_run: "DagRunProtocol | None" = None
) -> str:
    """Find the newest snapshot of every registry; lay out the run's own file."""
    from komek import pipeline
    from komek.base.policies import policy_overrides
    from komek.runs.run import Request

    with one_writer("prepare") as home:
        asked, known = params["as_of"], params["known_at"]
        as_of = date.fromisoformat(asked) if asked else day_of(dag_run)
        known_at = date.fromisoformat(known) if known else as_of
        policies = policy_overrides(
            f"{name}={value}" for name, value in params["policies"].items()
        )
        request = Request(
            as_of, known_at, policies, params["override"], params["publish"]
        )
        return pipeline.prepare(home, request)


@task
def sort_registries(run: str) -> str:
    """Parse every registry; accept or quarantine each row."""
    from komek import pipeline

    with one_writer("sort_registries") as home:
        pipeline.stage(home, run)
    return run


@task
def check_registries(run: str) -> str:
    """Check every registry before anything is decided from it."""
    from komek import pipeline

    with one_writer("check_registries") as home:
        pipeline.check_door(home, run)
    return run


@task
def find_facts(run: str) -> str:
    """Build what the registers say on the day: people, families, terms in force."""
    from komek import pipeline

    with one_writer("find_facts") as home:
        pipeline.decide(home, run, "facts")
    return run


@task
def apply_law(run: str) -> str:
    """Build the decisions, paragraph by paragraph."""
    from komek import pipeline

    with one_writer("apply_law") as home:
        pipeline.decide(home, run, "law")
    return run


@task
def write_tables(run: str) -> str:
    """Build the tables that are published."""
    from komek import pipeline

    with one_writer("write_tables") as home:
        pipeline.decide(home, run, "marts")
    return run


@task
def check_result(run: str) -> str:
    """Check the result; block the regions whose own checks failed."""
    from komek import pipeline

    with one_writer("check_result") as home:
        pipeline.check_result(home, run)
    return run


# Whether a publication that failed half-way is repeated is for people to say.
@task(retries=0)
def publish(run: str, approval: dict[str, Any] | None = None) -> str:
    """Swap the result in for what was published before."""
    from komek import pipeline

    user = (approval or {}).get("responded_by_user") or {}
    with one_writer("publish") as home:
        pipeline.publish(home, run, approved_by=user.get("name") or user.get("id"))
    return run


@task
def clear_away(run: str) -> None:
    """Delete what is left of a run that did not end; its reports stay."""
    from komek import pipeline

    with one_writer("clear_away") as home:
        pipeline.clear_away(home, run)


eligibility()
