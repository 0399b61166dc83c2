"""When `eligibility` runs: once its registries have come, and for any day on request.

Airflow runs a DAG that listens to partitioned assets when they come, and refuses to run
it for days gone by. This one can be: its partitions are days, so a backfill of some
days is a run for each.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.exceptions import InvalidPartitionKeyError
from airflow.task.priority_strategy import PriorityWeightStrategy
from airflow.timetables.base import DagRunInfo, DataInterval
from airflow.timetables.simple import PartitionedAssetTimetable
from airflow.utils.strings import get_random_string
from airflow.utils.types import DagRunType
from pendulum import DateTime
from pendulum import datetime as moment

from komek.wiring import KEY_FORMAT, TIME_ZONE

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance

_BACKFILL_OF = re.compile(r"backfill__([0-9]{4}-[0-9]{2}-[0-9]{2})")
_LATEST = date(2200, 1, 1)


class DaysOfRegistries(PartitionedAssetTimetable):
    """Runs for each day that its assets come for; a backfill names days of its own."""

    description = "Each day, once every registry has been pulled for it"
    periodic = True

    def iter_partition_dagrun_infos(
        self, *, earliest: datetime, latest: datetime
    ) -> Iterable[DagRunInfo]:
        """Yield the run of each day from the first to the last, both counted in."""
        day = self.localize_partition_datetime(earliest)
        last = self.localize_partition_datetime(latest)
        while day <= last:
            yield DagRunInfo(
                run_after=day,
                data_interval=None,
                partition_date=day,
                partition_key=day.strftime(KEY_FORMAT),
            )
            day = day + timedelta(days=1)

    def generate_run_id(
        self,
        *,
        run_type: DagRunType,
        run_after: DateTime,
        data_interval: DataInterval | None,
        **extra: str | None,
    ) -> str:
        """Return the id of a run; a day's backfill may be run again, under another."""
        if run_type != DagRunType.BACKFILL_JOB:
            other = super().generate_run_id(
                run_type=run_type,
                run_after=run_after,
                data_interval=data_interval,
                **extra,
            )
            return str(other)
        suffix = f"{run_after:%Y-%m-%d}__{get_random_string()}"
        return str(run_type.generate_run_id(suffix=suffix))

    def localize_partition_datetime(self, dt: datetime) -> DateTime:
        """Return a midnight, wherever it was meant, as that of Almaty."""
        return _midnight(dt.date())

    def _decode_partition_date(self, partition_key: str) -> datetime | None:
        try:
            day = date.fromisoformat(partition_key)
        except ValueError:
            raise InvalidPartitionKeyError(
                f"{partition_key!r} is not a day (YYYY-MM-DD)"
            ) from None
        return _midnight(day)


def _midnight(day: date) -> DateTime:
    return moment(day.year, day.month, day.day, tz=TIME_ZONE)


class EarlierDayFirst(PriorityWeightStrategy):
    """Of a backfill's runs the earlier day's first; before them all what is due now."""

    def get_weight(self, ti: "TaskInstance") -> int:
        """Return how urgent a task is: how far its day is from a distant one."""
        found = _BACKFILL_OF.match(ti.run_id)
        day = date.fromisoformat(found[1]) if found else date.min
        return (_LATEST - day).days
