"""A DAG per registry, built from the registry table: land what its source has.

A run is of a day: the partition of the registry's asset. The last registry of a day to
end its pull, or one that lands something after that, asks `eligibility` for a run.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, CronPartitionTimetable, Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from komek.base import registries
from komek.base.registries import Entity
from komek.base.settings import scheduling
from komek.wiring import (
    KEY_FORMAT,
    REGISTRIES,
    TIME_ZONE,
    connection_url,
    day_of,
    failing_in_one_line,
    is_to_come,
    landed,
    one_owner,
    owner_of,
    refuse_unknown,
    tried_again,
)
from komek.wiring.alerts import tell, tell_failure

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

PARAMS = {
    "date": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Date",
        description="The day to pull for; empty: the day of the DAG run.",
    ),
}


def pull_dag(entity: Entity) -> DAG:
    """Build the DAG that lands one registry's snapshots and updates its asset."""

    @dag(
        dag_id=f"pull_{entity.name}",
        description=f"Land new snapshots of {entity.name} ({entity.system})",
        doc_md=documentation(entity),
        schedule=CronPartitionTimetable(
            entity.schedule,
            timezone=TIME_ZONE,
            key_format=KEY_FORMAT,
            # A demo begins at once, not in the night.
            run_immediately=scheduling().day is not None,
        ),
        catchup=False,
        max_active_runs=1,
        params=PARAMS,
        default_args={
            "owner": one_owner(entity.owner),
            "on_failure_callback": tell_failure,
        },
        tags=["registry"],
    )
    def pull() -> None:
        # Safe to try again: what has landed once is not landed again.
        @task(
            outlets=[landed(entity.name)],
            # One that hangs holds up the days after.
            execution_timeout=timedelta(hours=6),
            **tried_again(3),
        )
        def land(
            params: dict[str, Any] | None = None,
            dag_run: "DagRunProtocol | None" = None,
            outlet_events: Any = None,  # noqa: ANN401  (Airflow's accessor)
        ) -> int:
            """Land the snapshots that the source has and the landing lacks."""
            from komek import scheduled
            from komek.base.places import default_home

            with failing_in_one_line():
                refuse_unknown(params, PARAMS)
                day = day_of(dag_run, params["date"])
                new = scheduled.pull_for_day(
                    default_home(),
                    entity.name,
                    day,
                    lambda line: tell(f"pull_{entity.name}: land", day, line),
                    connection_url,
                    due=dag_run.run_after,
                )
            outlet_events[landed(entity.name)].add_partitions(f"{day}")
            return new

        @task(outlets=[REGISTRIES], **tried_again(3))
        def ask_for_a_run(
            new: int,
            params: dict[str, Any] | None = None,
            dag_run: "DagRunProtocol | None" = None,
            outlet_events: Any = None,  # noqa: ANN401  (Airflow's accessor)
        ) -> None:
            """Ask for a run where all registries have come, or this one has changed."""
            from komek import scheduled
            from komek.base.places import default_home

            with failing_in_one_line():
                days = scheduled.pull_ended(
                    default_home(),
                    entity.name,
                    day_of(dag_run, params["date"]),
                    owner_of(dag_run),
                    new,
                    lambda: is_to_come("eligibility"),
                )
            if not days:
                raise AirflowSkipException("no run is to be asked for")
            outlet_events[REGISTRIES].add_partitions([f"{day}" for day in days])

        ask_for_a_run(land())

    return pull()


def documentation(entity: Entity) -> str:
    """Say what the registry is and how far a snapshot may be from the usual."""
    tolerance = entity.tolerance
    return f"""{entity.description}

Owner: {entity.owner}, system: {entity.system}.

A run stops at a snapshot of which more than {tolerance.max_quarantined_share:.0%} of
the rows are quarantined, whose number of rows changed by more than
{tolerance.max_volume_change:.0%}, or which is older than {tolerance.max_age_days} days.
"""


for registry in registries.entities():
    pull_dag(registry)
