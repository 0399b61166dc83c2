"""What the DAG files share: assets, days, the one writer, how a task fails."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import Asset
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
)

from komek.base.errors import KomekError, RefusedError, StoppedError, UsageError
from komek.base.places import TIME_ZONE, Home, default_home
from komek.base.settings import scheduling

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

    from komek.scheduled import Request

__all__ = [
    "KEY_FORMAT",
    "REGISTRIES",
    "TIME_ZONE",
    "begin_or_wait",
    "connection_url",
    "day_of",
    "failing_in_one_line",
    "has_ended",
    "is_to_come",
    "landed",
    "one_owner",
    "one_writer",
    "owner_of",
    "refuse_unknown",
    "step_of",
    "tried_again",
]

# A partition is a day.
KEY_FORMAT = "%Y-%m-%d"
# Every registry has been pulled for a day, or one of them has changed since.
REGISTRIES = Asset("komek/registries")
# What another process may hold the writer lock for: a pull by hand.
_PATIENCE = 600.0  # seconds
# They tell of their own doings by the hundred; a task's log is of what it does.
_TALKATIVE = ("great_expectations", "openlineage")


def landed(entity: str) -> Asset:
    """Return the asset that says an entity has been pulled."""
    return Asset(f"komek/{entity}")


def one_owner(name: str) -> str:
    """Return an owner as Airflow shows it: to Airflow, a comma parts two owners."""
    return name.replace(",", ";")


def tried_again(times: int) -> dict[str, Any]:
    """Return how often a failed task is tried again, and after how long."""
    return {
        "retries": times,
        "retry_delay": timedelta(seconds=scheduling().retry_seconds),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(hours=1),
    }


def day_of(dag_run: "DagRunProtocol", asked: str | None = None) -> date:
    """Return the day that a DAG run is of, in Almaty.

    That is the day asked for; its partition; its logical date; today. Where the demo
    has a day of its own, that is today, also where the clock has named the partition.
    """
    if asked:
        return date.fromisoformat(asked)
    demo = scheduling().day
    by_the_clock = dag_run.run_type == "scheduled"
    if dag_run.partition_key and not (demo and by_the_clock):
        return date.fromisoformat(dag_run.partition_key[:10])
    if demo:
        return demo
    moment = dag_run.logical_date or dag_run.run_after
    here: datetime = moment.astimezone(ZoneInfo(TIME_ZONE))
    return here.date()


def refuse_unknown(given: Iterable[str] | None, known: Iterable[str]) -> None:
    """Refuse parameters that a DAG does not have: one is mistyped.

    Raises:
        UsageError: names them.
    """
    names = sorted(known)
    unknown = sorted(set(given or ()).difference(names))
    if unknown:
        raise UsageError(
            f"unknown parameter {', '.join(map(repr, unknown))}: one of"
            f" {', '.join(names)}"
        )


@contextmanager
def failing_in_one_line() -> Iterator[None]:
    """Fail a task with komek's one line and nothing of what caused it.

    The cause may quote a row, and so may DuckDB. What a check or wrong usage stopped is
    not tried again: it would end the same way. What was refused is: it may still be
    arriving.
    """
    import duckdb

    from komek.base.messages import harmless

    try:
        yield
    except RefusedError as error:
        raise AirflowException(str(error)) from None
    except (StoppedError, UsageError) as error:
        raise AirflowFailException(str(error)) from None
    except KomekError as error:
        raise AirflowException(str(error)) from None
    except duckdb.Error as error:
        raise AirflowException(harmless(error)) from None


@contextmanager
def one_writer(task: str) -> Iterator[Home]:
    """Hold the home's writer lock in a task's name; yield the home."""
    from komek.base.lock import writer_lock

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    home = default_home()
    with (
        failing_in_one_line(),
        writer_lock(home, f"eligibility {task}", patience=_PATIENCE),
    ):
        yield home


@contextmanager
def step_of(
    run: str,
    dag_run: "DagRunProtocol",
    task: str,
    lease: timedelta | None = None,
    waits_for: str | None = None,
) -> Iterator[Home]:
    """Hold the home for a step of a run that has claimed it; yield the home.

    Args:
        run: the run's id.
        dag_run: what claimed the home for it.
        task: the step.
        lease: until when the next step has begun; None: soon.
        waits_for: what the run waits for until then, if it waits.
    """
    from komek.base import claim

    with one_writer(task) as home:
        owner = owner_of(dag_run)
        claim.move_on(home, owner, run, lease or claim.LEASE, waits_for)
        yield home


def begin_or_wait(
    home: Home, request: "Request", dag_run: "DagRunProtocol"
) -> str | None:
    """Begin a run in a home; return None where another one has it."""
    from komek import scheduled
    from komek.base.claim import ClaimedError

    try:
        return scheduled.begin(
            home,
            request,
            owner_of(dag_run),
            has_ended,
            asked_for=dag_run.run_type == "asset_triggered",
        )
    except ClaimedError as error:
        print(error)
        return None


def connection_url(connection_id: str) -> str | None:
    """Return the URL of a connection of Airflow's; None where it has none."""
    from airflow.sdk import Connection

    try:
        url: str = Connection.get(connection_id).get_uri()
    except AirflowNotFoundException:
        return None
    return url


def owner_of(dag_run: "DagRunProtocol") -> str:
    """Return a DAG run as the owner of a claim."""
    return f"{dag_run.dag_id} {dag_run.run_id}"


def has_ended(owner: str) -> bool:
    """Say whether the DAG run that owns a claim has ended, or is not there any more."""
    from airflow.sdk.exceptions import AirflowRuntimeError
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    dag_id, _, run_id = owner.partition(" ")
    try:
        state = RuntimeTaskInstance.get_dagrun_state(dag_id, run_id)
    except AirflowRuntimeError:
        # The scheduler knows of none.
        return True
    return state in ("success", "failed")


def is_to_come(dag_id: str) -> bool:
    """Say whether a DAG has a run that has not ended."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    count = RuntimeTaskInstance.get_dr_count(dag_id, states=["queued", "running"])
    return bool(count)
