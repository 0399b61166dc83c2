"""The figures of a run, as Prometheus reads them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from prometheus_client.parser import text_string_to_metric_families

from finished_run import PEOPLE
from hand_filed import hand_made, publish_filed
from komek.base.errors import Refusal
from komek.base.places import Home
from komek.publishing.metrics import metrics_path, write_metrics
from komek.runs.refusals import note_refusals
from komek.runs.run import Request, Run, note_duration

DAY = date(2020, 4, 20)
DAY_SECONDS = datetime(2020, 4, 20, tzinfo=UTC).timestamp()


def figures(home: Home) -> dict[tuple[str, str], float]:
    """Return the figures, by name and the value of their label."""
    text = metrics_path(home).read_text(encoding="utf-8")
    return {
        (sample.name.removeprefix("komek_"), "".join(sample.labels.values())): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A published run whose folder is there still, with two registries."""
    home = Home(tmp_path / "home")
    run = hand_made(home, "r1", blocked={"150000000": "below_floor"})
    publish_filed(home, run)
    with duckdb.connect(home.run_file("r1")) as file:
        file.execute("create schema if not exists staging")
        file.execute("create schema if not exists landing")
        file.execute(
            "create or replace table staging.registry_profile as from (values"
            " ('persons', 200, 5), ('kato', 0, 0))"
            " as rows (entity, rows_received, rows_quarantined)"
        )
        file.execute(
            "create or replace table landing.landed_snapshots as from (values"
            " ('persons', 3), ('kato', 0)) as rows (entity, age_days)"
        )
    run.folder.mkdir(parents=True)
    return run


def test_the_figures_of_a_run(run: Run) -> None:
    note_duration(run, "sort", 2.5)
    note_duration(run, "publish", 1.0)
    refused = Refusal("kato", DAY, "kato/2020-04-20.csv: is empty: zero bytes")
    note_refusals(run.home, ["kato"], None, [refused])

    write_metrics(run, run.home.run_file("r1"), "published", print)
    found = figures(run.home)

    assert found["run_outcome", "published"] == 1
    assert found["run_outcome", "stopped"] == 0
    assert found["run_as_of_timestamp_seconds", ""] == DAY_SECONDS
    assert found["published_as_of_timestamp_seconds", ""] == DAY_SECONDS
    assert found["run_step_seconds", "sort"] == 2.5
    assert found["run_step_seconds", "publish"] == 1
    assert found["registry_rows", "persons"] == 200
    assert found["registry_quarantined_share", "persons"] == 0.025
    assert found["registry_quarantined_share", "kato"] == 0
    assert found["registry_age_days", "persons"] == 3
    assert found["registry_refused", "kato"] == 1
    assert found["registry_refused", "persons"] == 0
    assert found["list_recipients", "110000000"] == 2
    assert found["list_tenge", "110000000"] == 10604
    assert found["region_blocked", "150000000"] == 1
    text = metrics_path(run.home).read_text(encoding="utf-8")
    assert not any(person.iin in text for person in PEOPLE)


def test_a_run_that_stopped_early_has_what_there_is(run: Run) -> None:
    stopped = replace(run, request=Request(date(2020, 4, 21), DAY, {}))

    write_metrics(stopped, run.home.root / "no.duckdb", "stopped", print)
    found = figures(run.home)

    assert found["run_outcome", "stopped"] == 1
    assert found["published_as_of_timestamp_seconds", ""] == DAY_SECONDS
    assert not [name for name, _ in found if name.startswith("list_")]


def test_figures_that_cannot_be_written_stop_nothing(run: Run) -> None:
    metrics_path(run.home).mkdir(parents=True)
    said: list[str] = []

    write_metrics(run, run.home.run_file("r1"), "published", said.append)

    assert len(said) == 1
    assert said[0].startswith("warning: cannot write ")
