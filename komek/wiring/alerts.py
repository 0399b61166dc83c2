"""What people are told when a task fails or a day waits: where, what, what stands.

No personal data: the words are those of komek's own errors, of others their kind.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from airflow.sdk.exceptions import AirflowException

from komek.base import alerts
from komek.base.errors import KomekError, printable
from komek.base.places import default_home


def tell_failure(context: Mapping[str, Any]) -> None:
    """Tell that a task has failed and is not tried again; Airflow calls it."""
    from komek.wiring import day_of

    instance, dag_run = context["ti"], context["dag_run"]
    error = context.get("exception")
    known = isinstance(error, AirflowException | KomekError)
    reason = str(error) if known else type(error).__name__
    try:
        day = day_of(dag_run, (dag_run.conf or {}).get("as_of"))
    except ValueError:
        # What was asked for is no day: that is the failure.
        day = day_of(dag_run)
    tell(f"{instance.dag_id}: {instance.task_id}", day, reason)


def tell(what: str, day: date, reason: str) -> None:
    """Tell, by all ways that are configured, what came of a day.

    Args:
        what: which DAG and task.
        day: the day.
        reason: what happened, without personal data.
    """
    from komek import scheduled

    try:
        stands = scheduled.standing(default_home())
    except KomekError as error:
        stands = str(error)
    alerts.send(
        alerts.Alert(
            subject=printable(f"{what}, {day}", keep=""),
            text=printable(f"{reason}\n{stands}; home {default_home().root}"),
        ),
        print,
    )
