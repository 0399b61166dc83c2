"""What `deploy/` says, run: its units' command lines, its settings, on loopback."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from komek.base import registries
from komek.base.places import Home
from komek.keep.backup import backup, restore
from komek.publishing.metrics import metrics_path
from komek.publishing.publication import current_publication
from komek.runs.days import scheduled_day
from komek.trust.audit import audit
from light_steps import decided
from real_airflow import (
    DEPLOY,
    PARTS,
    RealAirflow,
    command_line,
    deployed_settings,
    listening,
    missing,
    postgres,
    real_airflow,
)

DAY = "2020-04-20"
NAMES = [entity.name for entity in registries.entities()]
LATE = NAMES[-1]
needs_postgres = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@dataclass
class Story:
    """What was seen of a day under the running scheduler."""

    home: Home
    airflow: Path
    addresses: list[str] = field(default_factory=list)
    after_fourteen: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    tasks: dict[str, str] = field(default_factory=dict)
    log: str = ""
    refused: str = ""
    kept: Path = Path()


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, small_nation: Path
) -> Iterator[Story]:
    """Fifteen pulls through the API, a run, and what lands while it is on."""
    folder = tmp_path_factory.mktemp("deployed")
    home = Home(folder / "home")
    drop = folder / "drop"
    drop.mkdir()
    for name in NAMES:
        (drop / name).symlink_to(small_nation / name)
    with postgres(folder / "database") as port:
        database = f"postgresql+psycopg2://komek@127.0.0.1:{port}/postgres"
        with real_airflow(folder / "airflow", home.root, drop, database) as airflow:
            yield told(airflow, Story(home, folder / "airflow"), folder)


def told(airflow: RealAirflow, story: Story, folder: Path) -> Story:
    story.addresses = listening(airflow.parts)
    pull(airflow, NAMES[:-1])
    story.after_fourteen = airflow.runs("eligibility")
    pull(airflow, [LATE])
    airflow.wait(lambda: airflow.runs("eligibility"), "a run")
    airflow.wait(lambda: scheduled_day(story.home, day()).begun, "its beginning")
    # While it is on, one registry changes, and another is pulled again in vain.
    redeliver(folder / "drop" / LATE)
    pull(airflow, [LATE, NAMES[0]])
    backup(story.home, folder / "kept", lambda _: None)
    airflow.wait(lambda: airflow.ended("eligibility", 2), "both runs", 900)
    mistyped = airflow.trigger("eligibility", conf={"asof": DAY})
    airflow.wait(lambda: airflow.ended("eligibility", 3), "the mistyped run")
    story.runs = airflow.runs("eligibility")
    first = story.runs[0]["dag_run_id"]
    story.tasks = airflow.tasks("eligibility", first)
    story.log = airflow.log_of("eligibility", first, "check_registries")
    story.refused = airflow.log_of("eligibility", mistyped, "prepare")
    story.kept = folder / "kept"
    return story


def day() -> date:
    return date.fromisoformat(DAY)


def pull(airflow: RealAirflow, names: list[str]) -> None:
    """Pull registries for the day, side by side, and wait until they have ended."""
    before = {name: len(airflow.runs(f"pull_{name}")) for name in names}
    for name in names:
        airflow.trigger(f"pull_{name}", partition_key=DAY)
    for name in names:
        airflow.wait(
            lambda name=name: airflow.ended(f"pull_{name}", before[name] + 1),
            f"the pull of {name}",
        )


def redeliver(folder: Path) -> None:
    """Deliver the newest snapshot of a registry again, as another file."""
    source = max(path for path in folder.iterdir() if path.stem <= DAY)
    target = folder.with_suffix(".new")
    target.mkdir()
    pq.write_table(pq.read_table(source), target / source.name, compression="none")
    folder.unlink()
    target.rename(folder)


@needs_postgres
def test_fourteen_of_fifteen_start_nothing(story: Story) -> None:
    assert story.after_fourteen == []


@needs_postgres
def test_the_day_is_published(story: Story) -> None:
    assert {*story.tasks.values()} == {"success"}
    publication = current_publication(story.home)
    assert publication
    assert f"{publication.run.as_of}" == DAY
    assert publication.published
    assert audit(story.home, {}).findings == []
    assert 'komek_run_outcome{outcome="published"} 1.0' in (
        metrics_path(story.home).read_text(encoding="utf-8")
    )


@needs_postgres
def test_what_landed_meanwhile_starts_exactly_one_more(story: Story) -> None:
    first, second, mistyped = story.runs

    assert (first["state"], second["state"]) == ("success", "success")
    assert first["run_type"] == second["run_type"] == "asset_triggered"
    assert first["partition_key"] == second["partition_key"] == DAY
    assert first["end_date"] <= second["start_date"]
    assert mistyped["run_type"] == "manual"
    (again,) = decided(story.home)
    assert (again["as_of"], again["known_at"]) == (DAY, DAY)
    assert again["inputs"][LATE][1] == 2


@needs_postgres
def test_a_mistyped_parameter_fails_the_run(story: Story) -> None:
    assert story.runs[-1]["state"] == "failed"
    assert "unknown parameter 'asof': one of as_of, known_at" in story.refused
    assert "alert: eligibility: prepare" in story.refused
    assert f"published is run {DAY.replace('-', '')}-" in story.refused


@needs_postgres
def test_only_the_api_listens_and_to_this_machine(story: Story) -> None:
    assert len(story.addresses) == 1
    assert story.addresses[0].startswith("tcp 0100007F:")


@needs_postgres
def test_a_log_is_of_what_the_task_does(story: Story) -> None:
    lines = [json.loads(line) for line in story.log.splitlines()]

    assert any("warning: persons: " in line["event"] for line in lines)
    assert len(lines) < 30
    assert not [one for one in lines if "great_expectations" in one.get("logger", "")]


@needs_postgres
def test_no_person_stands_in_a_log(story: Story, small_nation: Path) -> None:
    persons = str(small_nation / "persons" / "*.parquet")
    known = duckdb.execute("select distinct iin from read_parquet(?)", [persons])
    iins = {iin.encode() for (iin,) in known.fetchall()}

    for path in story.airflow.rglob("*.log"):
        assert not iins & {*re.findall(rb"(?=(\d{12}))", path.read_bytes())}


@needs_postgres
def test_a_backup_taken_while_the_run_was_on_is_whole(
    story: Story, tmp_path: Path
) -> None:
    restored = Home(tmp_path / "restored")

    restore(story.kept, restored, lambda _: None)

    assert {*restored.landing.glob("*/*/r*/manifest.json")}
    assert audit(restored, {}).findings == []


# Without a scheduler


def test_every_unit_starts_what_there_is() -> None:
    for part in PARTS:
        program, *arguments = command_line(part)
        assert Path(program).is_file()
        assert arguments[0] == part


def test_units_are_in_order() -> None:
    """systemd's own reading, where it is installed."""
    units = sorted((DEPLOY / "systemd").iterdir())
    assert len(units) >= 8
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        assert text.startswith("[Unit]\nDescription=Komek: ")
        if "ExecStart=/opt/komek" in text:
            assert "EnvironmentFile=/etc/komek/komek.env" in text
            assert "User=komek" in text


def test_every_setting_is_explained() -> None:
    """A line, or some, before each; nothing is set twice."""
    text = (DEPLOY / "komek.env").read_text(encoding="utf-8")
    names = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)

    assert len(names) == len({*names})
    assert {"KOMEK_HOME", "AIRFLOW__CORE__EXECUTOR"} <= {*deployed_settings()}
    assert deployed_settings()["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_the_environment_file_is_one_that_a_shell_reads_too() -> None:
    said = subprocess.run(
        ["sh", "-c", f"set -ae; . {DEPLOY / 'komek.env'}; echo $KOMEK_HOME"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "/var/lib/komek/home\n"
