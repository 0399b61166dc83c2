"""Days of the DAGs: which day a run is of, and what a backfill of some days is."""

import subprocess
import sys
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from komek.base.errors import UsageError


def dag_run(**given: Any) -> Any:
    moment = datetime(2020, 4, 20, 20, tzinfo=UTC)
    return SimpleNamespace(
        **{
            "run_type": "manual",
            "partition_key": None,
            "logical_date": None,
            "run_after": moment,
        }
        | given
    )


@pytest.fixture
def wiring() -> Any:
    from komek import wiring  # noqa: PLC0415  (Airflow reads its settings then)

    return wiring


@pytest.mark.parametrize(
    ("given", "asked", "demo", "day"),
    [
        # In Almaty the 21st has begun.
        ({}, None, "", 21),
        ({"logical_date": datetime(2020, 4, 18, 18, tzinfo=UTC)}, None, "", 19),
        ({"partition_key": "2020-04-17"}, None, "", 17),
        ({"partition_key": "2020-04-17T00:00:00"}, None, "", 17),
        ({"partition_key": "2020-04-17"}, "2020-04-16", "", 16),
        # The demo's clock stands still, and what the clock would have named with it.
        ({}, None, "2020-04-10", 10),
        ({"partition_key": "2020-04-17"}, None, "2020-04-10", 17),
        ({"partition_key": "2020-04-17", "run_type": "scheduled"}, None, "", 17),
        (
            {"partition_key": "2020-04-17", "run_type": "scheduled"},
            None,
            "2020-04-10",
            10,
        ),
    ],
)
def test_the_day_of_a_run(
    wiring: Any,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    asked: str | None,
    demo: str,
    day: int,
) -> None:
    monkeypatch.setenv("KOMEK_DAY", demo)

    assert wiring.day_of(dag_run(**given), asked) == date(2020, 4, day)


def test_a_mistyped_parameter_is_refused(wiring: Any) -> None:
    wiring.refuse_unknown({"as_of": "2020-04-20"}, ["as_of", "known_at"])
    wiring.refuse_unknown(None, ["as_of"])

    with pytest.raises(UsageError) as caught:
        wiring.refuse_unknown({"asof": "2020-04-20"}, ["known_at", "as_of"])

    assert str(caught.value) == "unknown parameter 'asof': one of as_of, known_at"


BACKFILLED = """
from datetime import UTC, datetime
from airflow.serialization.encoders import encode_timetable
from airflow.serialization.decoders import decode_timetable
from airflow.sdk import Asset
from airflow.utils.types import DagRunType
from komek.wiring.days import DaysOfRegistries, EarlierDayFirst
from types import SimpleNamespace

timetable = decode_timetable(encode_timetable(DaysOfRegistries(assets=Asset("a"))))
assert isinstance(timetable, DaysOfRegistries)
assert timetable.periodic and timetable.partitioned
infos = list(timetable.iter_partition_dagrun_infos(
    earliest=datetime(2020, 4, 18, tzinfo=UTC), latest=datetime(2020, 4, 20, tzinfo=UTC)
))
print(*[info.partition_key for info in infos])
print(*[info.partition_date.isoformat() for info in infos])
ids = [
    timetable.generate_run_id(
        run_type=DagRunType.BACKFILL_JOB, run_after=info.run_after, data_interval=None
    )
    for info in [infos[0], *infos]
]
assert len(set(ids)) == 4, ids
weights = [EarlierDayFirst().get_weight(SimpleNamespace(run_id=i)) for i in ids[1:]]
assert weights == sorted(weights, reverse=True) and len(set(weights)) == 3
manual = EarlierDayFirst().get_weight(SimpleNamespace(run_id="manual__2020"))
assert manual > max(weights)
print(timetable.resolve_partition_date("2020-04-20").isoformat())
try:
    timetable.resolve_partition_date("20 April")
except Exception as error:
    print(type(error).__name__)
"""


def test_a_backfill_is_a_run_for_each_day_the_earlier_first() -> None:
    """Serialized and read back as by a scheduler, which knows it by the plugin."""
    ended = subprocess.run(
        [sys.executable, "-c", BACKFILLED], capture_output=True, text=True, check=False
    )

    assert ended.stdout.splitlines()[-4:] == [
        "2020-04-18 2020-04-19 2020-04-20",
        "2020-04-18T00:00:00+06:00 2020-04-19T00:00:00+06:00 2020-04-20T00:00:00+06:00",
        "2020-04-20T00:00:00+06:00",
        "InvalidPartitionKeyError",
    ], ended.stderr
