"""What a run is made from, and what follows from that alone."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from komek.base.places import Home
from komek.landing.land import land
from komek.landing.snapshots import newest_snapshots
from komek.runs.inputs import Inputs, inputs_from_json
from komek.runs.layout import begin
from komek.runs.run import Request, Run, load

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
DAY = date(2020, 4, 20)
PLAIN = Request(DAY, DAY, {})
OVERRIDDEN = Request(DAY, DAY, {}, override="the April export is late")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    land(home, GOLDEN)
    return home


def land_before(home: Home, tmp_path: Path) -> None:
    """Land an older snapshot of an entity: history the newest one follows on."""
    older = tmp_path / "older" / "kato"
    older.mkdir(parents=True)
    (found,) = (GOLDEN / "kato").iterdir()
    shutil.copy(found, older / f"2019-01-01{found.suffix}")
    land(home, older.parent)


def previous_rows(run: Run) -> dict[str, int | None]:
    with duckdb.connect(run.file, read_only=True) as connection:
        return dict(
            connection.execute(
                "select entity, previous_rows from landing.landed_snapshots"
            ).fetchall()
        )


def test_what_landed_before_is_no_part_of_a_run(home: Home, tmp_path: Path) -> None:
    before = begin(home, PLAIN)
    land_before(home, tmp_path)
    after = begin(home, PLAIN)

    assert after.run_id == before.run_id
    assert after.inputs == before.inputs


def test_it_is_where_checks_against_it_are_passed_over(
    home: Home, tmp_path: Path
) -> None:
    before = begin(home, OVERRIDDEN)
    assert previous_rows(before)["kato"] is None
    land_before(home, tmp_path)
    after = begin(home, OVERRIDDEN)

    assert after.run_id != before.run_id
    (older,) = (
        s for s in newest_snapshots(home, "kato") if s.snapshot_date.year == 2019
    )
    assert previous_rows(after)["kato"] == older.rows > 0


def test_a_run_again_is_made_from_what_was_recorded(home: Home, tmp_path: Path) -> None:
    first = begin(home, OVERRIDDEN)
    land_before(home, tmp_path)
    again = begin(home, OVERRIDDEN, first.inputs)

    assert again.run_id == first.run_id
    assert previous_rows(again)["kato"] is None


@pytest.mark.parametrize("request_", [PLAIN, OVERRIDDEN])
def test_inputs_are_the_same_when_read_again(home: Home, request_: Request) -> None:
    run = begin(home, request_)
    said = json.loads(json.dumps(run.inputs.as_json()))

    assert inputs_from_json(said) == run.inputs == load(home, run.run_id).inputs
    assert said[-1].keys() == {"entity", "version", "sha256"}
    volume = {"previous_rows"} if request_.override else set()
    assert said[0].keys() == volume | {
        *("entity", "snapshot_date", "revision", "sha256", "files")
    }
    assert said[0]["files"][0].keys() == {"file", "rows", "sha256"}


@pytest.mark.parametrize("given", [[], [{}], [{"entity": "working_days"}], [1]])
def test_what_names_no_inputs_is_refused(given: list[Any]) -> None:
    with pytest.raises(ValueError, match="no inputs of a run"):
        inputs_from_json(given)


def test_inputs_know_where_they_landed(home: Home) -> None:
    inputs: Inputs = begin(home, PLAIN).inputs

    assert all(given.folder(home).is_dir() for given in inputs.all)
    assert inputs.of("kato").landed(home).folder == inputs.of("kato").folder(home)
