"""The DAG that looks, at the deadline, whether every registry has been pulled.

It names the registries that the day still waits for. Where the installation says so
(KOMEK_PAST_DEADLINE=go_on) and their tolerances allow, the day is decided on their last
snapshots; the run's receipt says that it was.
"""

from typing import TYPE_CHECKING, Any

from airflow.sdk import CronPartitionTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from komek.base.settings import scheduling
from komek.wiring import (
    KEY_FORMAT,
    REGISTRIES,
    TIME_ZONE,
    day_of,
    failing_in_one_line,
    owner_of,
)
from komek.wiring.alerts import tell, tell_failure

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol


@dag(
    description="Name the registries that a day still waits for at its deadline",
    doc_md=__doc__,
    schedule=CronPartitionTimetable(
        f"{scheduling().deadline:%M %H} * * *",
        timezone=TIME_ZONE,
        key_format=KEY_FORMAT,
    ),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "komek",
        "retries": 0,
        "on_failure_callback": tell_failure,
    },
    tags=["decisions"],
)
def deadline() -> None:
    """Wire the look at the day."""

    @task(outlets=[REGISTRIES])
    def look(
        dag_run: "DagRunProtocol | None" = None,
        outlet_events: Any = None,  # noqa: ANN401  (Airflow's accessor)
    ) -> None:
        """Fail, naming what is waited for; or ask for a run without it."""
        from komek import scheduled
        from komek.base.places import default_home

        with failing_in_one_line():
            day = day_of(dag_run)
            goes_on = scheduled.past_deadline(
                default_home(),
                day,
                scheduling().goes_on,
                owner_of(dag_run),
                lambda line: tell("eligibility", day, line),
            )
        if not goes_on:
            raise AirflowSkipException("nothing is waited for")
        outlet_events[REGISTRIES].add_partitions(f"{day}")

    look()


deadline()
