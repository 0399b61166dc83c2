"""A DAG per registry, built from the registry table: land what its source has."""

from airflow.sdk import DAG, CronTriggerTimetable, dag, task

from komek.base import registries
from komek.base.registries import Entity
from komek.wiring import TIME_ZONE, failing_in_one_line, landed


def pull_dag(entity: Entity) -> DAG:
    """Build the DAG that lands one registry's snapshots and updates its asset."""

    @dag(
        dag_id=f"pull_{entity.name}",
        description=f"Land new snapshots of {entity.name} ({entity.system})",
        doc_md=documentation(entity),
        schedule=CronTriggerTimetable(entity.schedule, timezone=TIME_ZONE),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": entity.owner},
        tags=["registry"],
    )
    def pull() -> None:
        # Safe to try again: what has landed once is not landed again.
        @task(retries=2, outlets=[landed(entity.name)])
        def land() -> None:
            """Land the snapshots that the source has and the landing lacks."""
            from komek import pipeline
            from komek.base.places import default_home

            with failing_in_one_line():
                pipeline.pull(default_home(), drop=None, entities=[entity.name])

        land()

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
