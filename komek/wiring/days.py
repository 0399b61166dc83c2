"""When `eligibility` runs: once its registries have come, and for any day on request.

Airflow runs a DAG that listens to partitioned assets when they come, and refuses to run
it for days gone by. This one can be: its partitions are days, so a backfill of some
days is a run for each.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from airflow.exceptions import InvalidPartitionKeyError
from airflow.timetables.base import DagRunInfo
from airflow.timetables.simple import PartitionedAssetTimetable
from pendulum import DateTime, instance, timezone

from komek.wiring import KEY_FORMAT, TIME_ZONE

_ALMATY = timezone(TIME_ZONE)


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

    def localize_partition_datetime(self, dt: datetime) -> DateTime:
        """Return a midnight, wherever it was meant, as that of Almaty."""
        return _ALMATY.datetime(dt.year, dt.month, dt.day)

    def _decode_partition_date(self, partition_key: str) -> datetime | None:
        try:
            day = datetime.strptime(partition_key, KEY_FORMAT)  # noqa: DTZ007
        except ValueError:
            raise InvalidPartitionKeyError(
                f"{partition_key!r} is not a day (YYYY-MM-DD)"
            ) from None
        return self.localize_partition_datetime(instance(day))
