"""What is told of a task that failed: where, which day, why, and what stands."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from hand_filed import hand_made, publish_filed
from komek.base.places import Home
from komek.wiring.alerts import tell_failure


@pytest.mark.parametrize(
    ("error", "conf", "day", "reason"),
    [
        (
            AirflowFailException("persons: sex: 3 rows"),
            None,
            "2020-04-20",
            "persons: sex: 3 rows",
        ),
        (AirflowFailException("x"), {"as_of": "2020-04-21"}, "2020-04-21", "x"),
        (AirflowFailException("x"), {"as_of": "April"}, "2020-04-20", "x"),
        # Its words may quote a row.
        (ValueError("900101300123"), None, "2020-04-20", "ValueError"),
    ],
)
def test_a_failed_task_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    conf: dict[str, str] | None,
    day: str,
    reason: str,
) -> None:
    home = Home(tmp_path / "home")
    monkeypatch.setenv("KOMEK_HOME", str(home.root))
    publish_filed(home, hand_made(home, "r1"))
    dag_run = SimpleNamespace(
        run_type="asset_triggered",
        partition_key="2020-04-20",
        logical_date=None,
        run_after=datetime.now(UTC),
        conf=conf,
    )
    task = SimpleNamespace(dag_id="eligibility", task_id="check_registries")

    tell_failure({"ti": task, "dag_run": dag_run, "exception": error})

    assert capsys.readouterr().out.splitlines() == [
        f"alert: eligibility: check_registries, {day}: {reason}",
        f"published is run r1, as of 2020-04-20; home {home.root}",
    ]
