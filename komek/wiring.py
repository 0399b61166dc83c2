"""What the DAG files share: a registry's asset, the one writer, how a task fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from komek.base.errors import KomekError, StoppedError, UsageError
from komek.base.places import TIME_ZONE, Home, default_home

__all__ = ["TIME_ZONE", "failing_in_one_line", "landed", "one_writer"]


def landed(entity: str) -> Asset:
    """Return the asset that says an entity has been pulled."""
    return Asset(f"komek/{entity}")


@contextmanager
def failing_in_one_line() -> Iterator[None]:
    """Fail a task with komek's one line and nothing of what caused it.

    The cause may quote a row, and so may DuckDB. What a check or wrong usage stopped is
    not tried again: it would end the same way.
    """
    import duckdb

    from komek.base.messages import harmless

    try:
        yield
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

    home = default_home()
    with failing_in_one_line(), writer_lock(home, f"eligibility {task}"):
        yield home
