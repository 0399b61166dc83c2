"""The DAG that decides who gets what: check, decide, check, publish.

It runs for a day once every registry has been pulled for it, and once more for what
changed since; by hand for any day, and as a backfill for some. Each task calls one step
of `komek.pipeline`; between tasks only the run's id passes. One runs at a time: it has
the home from `prepare` until `clear_away`. Every step may be tried again: it starts
from what the step before left.
"""

import time
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from komek.base.settings import settings
from komek.wiring import (
    REGISTRIES,
    begin_or_wait,
    day_of,
    failing_in_one_line,
    one_writer,
    owner_of,
    refuse_unknown,
    step_of,
    tried_again,
)
from komek.wiring.alerts import tell, tell_failure
from komek.wiring.days import DaysOfRegistries, EarlierDayFirst

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

# How often a run looks whether the one before it has ended.
LOOKS_AGAIN = 5.0  # seconds

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
    schedule=DaysOfRegistries(assets=REGISTRIES),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    params=PARAMS,
    default_args={
        "owner": "komek",
        "on_failure_callback": tell_failure,
        **tried_again(2),
    },
    tags=["decisions"],
)
def eligibility() -> None:
    """Wire the steps of a run."""
    run = prepare()
    built = write_tables(apply_law(find_facts(check_registries(sort_registries(run)))))
    checked = check_result(built)
    answer = ask_for_approval(checked) if settings().asks_approval else None
    publish(checked, answer) >> clear_away(run).as_teardown(setups=run)


def ask_for_approval(checked: Any) -> Any:  # noqa: ANN401  (Airflow's XComArg)
    """Wait until a person has answered, or nobody has for too long."""
    from komek.wiring.approval import Approval

    approve = Approval(task_id="approve", run=checked, retries=0)
    checked >> approve
    return approve.output


# A backfill has many runs at once. One of them waits for the home, the earliest day's:
# what it publishes is an input of the later ones.
@task(max_active_tis_per_dag=1, weight_rule=EarlierDayFirst())
def prepare(
    params: dict[str, Any] | None = None, dag_run: "DagRunProtocol | None" = None
) -> str:
    """Claim the home; find the newest snapshots; lay out the run's own file."""
    from komek.base.policies import policy_overrides
    from komek.runs.run import Request

    with failing_in_one_line():
        refuse_unknown(params, PARAMS)
        as_of = day_of(dag_run, params["as_of"])
        known = params["known_at"]
        request = Request(
            as_of,
            date.fromisoformat(known) if known else as_of,
            policy_overrides(
                f"{name}={value}" for name, value in params["policies"].items()
            ),
            params["override"],
            params["publish"],
        )
    while True:
        with one_writer("prepare") as home:
            run = begin_or_wait(home, request, dag_run)
        if run:
            return run
        time.sleep(LOOKS_AGAIN)


@task
def sort_registries(run: str, dag_run: "DagRunProtocol | None" = None) -> str:
    """Parse every registry; accept or quarantine each row."""
    from komek import pipeline

    with step_of(run, dag_run, "sort_registries") as home:
        pipeline.stage(home, run)
    return run


@task
def check_registries(run: str, dag_run: "DagRunProtocol | None" = None) -> str:
    """Check every registry before anything is decided from it."""
    from komek import pipeline

    with step_of(run, dag_run, "check_registries") as home:
        pipeline.check_door(home, run)
    return run


@task
def find_facts(run: str, dag_run: "DagRunProtocol | None" = None) -> str:
    """Build what the registers say on the day: people, families, terms in force."""
    from komek import pipeline

    with step_of(run, dag_run, "find_facts") as home:
        pipeline.decide(home, run, "facts")
    return run


@task
def apply_law(run: str, dag_run: "DagRunProtocol | None" = None) -> str:
    """Build the decisions, paragraph by paragraph."""
    from komek import pipeline

    with step_of(run, dag_run, "apply_law") as home:
        pipeline.decide(home, run, "law")
    return run


@task
def write_tables(run: str, dag_run: "DagRunProtocol | None" = None) -> str:
    """Build the tables that are published."""
    from komek import pipeline

    with step_of(run, dag_run, "write_tables") as home:
        pipeline.decide(home, run, "marts")
    return run


@task
def check_result(run: str, dag_run: "DagRunProtocol | None" = None) -> str:
    """Check the result; block the regions whose own checks failed."""
    from komek import pipeline

    with step_of(run, dag_run, "check_result") as home:
        pipeline.check_result(home, run)
    return run


@task
def publish(
    run: str,
    answer: dict[str, Any] | None = None,
    dag_run: "DagRunProtocol | None" = None,
) -> str:
    """Swap the result in for what was published before; or file it, if so answered."""
    from komek import pipeline

    answered = answer or {"approved_by": None, "kept_back": None, "rejected": False}
    kept_back = answered["kept_back"]
    with step_of(run, dag_run, "publish") as home:
        pipeline.publish(
            home, run, approved_by=answered["approved_by"], kept_back=kept_back
        )
    if answered["rejected"]:
        raise AirflowFailException(f"run {run} was {kept_back}: filed, not published")
    if kept_back:
        tell("eligibility", day_of(dag_run), f"run {run} was {kept_back}: it is filed")
        raise AirflowSkipException(f"run {run} was {kept_back}: filed, not published")
    return run


@task
def clear_away(run: str, dag_run: "DagRunProtocol | None" = None) -> None:
    """Delete what is left of a run that did not end; give the home back."""
    from komek import pipeline
    from komek.base import claim

    with one_writer("clear_away") as home:
        pipeline.clear_away(home, run)
        claim.give_back(home, owner_of(dag_run))


eligibility()
