"""What staging is taken from a run before, and from which."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from filed_run import APRIL_20, GOLDEN
from komek.base import registries
from komek.base.places import Home
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request, Run, taken
from komek.runs.staged import take_staging
from komek.trust.kept import staged_before

REQUEST = Request(APRIL_20, APRIL_20, {})
REFERENCED = {"stg_referenced_links", "stg_referenced_persons", "stg_spoken_of"}
REJECTED = {f"rejected_{entity.name}" for entity in registries.every_entity()}


@pytest.fixture
def home(published_golden: Home, tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    shutil.copytree(published_golden.root, home.root, symlinks=True)
    return home


def begun(home: Home, request: Request) -> tuple[Run, list[str]]:
    """Begin a run and take what there is; return it and what was taken."""
    run = begin(home, request)
    before = staged_before(home, run.inputs)
    assert before is not None
    took = take_staging(run, before)
    assert taken(run) == took
    return run, took


def staging(run: Run) -> dict[str, list[tuple]]:
    with duckdb.connect(run.file) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'staging' order by all"
        ).fetchall()
        return {
            name: connection.execute(
                f"select * from staging.{name} order by all"
            ).fetchall()
            for (name,) in names
        }


def test_by_another_reading_everything_is_taken_and_is_what_it_would_be(
    home: Home, tmp_path: Path
) -> None:
    older = {"food_set.age_upper": "through_age_18"}
    run, took = begun(home, replace(REQUEST, policy_overrides=older))
    assert set(took) == {*REJECTED, *REFERENCED, "registry_profile"}
    build.layer(run, "staging")
    elsewhere = Home(tmp_path / "elsewhere")
    elsewhere.root.mkdir()
    elsewhere.landing.symlink_to(home.landing)
    anew = begin(elsewhere, run.request, run.inputs)
    build.layer(anew, "staging")
    assert staging(run) == staging(anew)


def test_what_is_taken_is_not_built_again(home: Home) -> None:
    run, _ = begun(home, replace(REQUEST, override="a test"))
    with duckdb.connect(run.file) as connection:
        connection.execute("delete from staging.rejected_persons")
    build.layer(run, "staging")
    assert staging(run)["rejected_persons"] == []
    assert staging(run)["rejected_family_links"]


def test_of_another_day_the_age_of_a_snapshot_is_another(home: Home) -> None:
    shutil.rmtree(home.entity("lists"))
    day = date(2020, 4, 21)
    _, took = begun(home, replace(REQUEST, as_of=day, known_at=day))
    assert set(took) == {*REJECTED, *REFERENCED}


def test_of_another_snapshot_nothing_is_taken(home: Home, tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "jobseekers", tmp_path / "drop" / "jobseekers")
    (file,) = (tmp_path / "drop" / "jobseekers").rglob("2020-04-01*.csv")
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([head, *reversed(rows)]), encoding="utf-8")
    assert land(home, tmp_path / "drop", ["jobseekers"], until=APRIL_20)
    _, took = begun(home, REQUEST)
    assert set(took) == REJECTED - {"rejected_jobseekers"}


def test_a_file_that_was_changed_is_not_taken_from(home: Home) -> None:
    (run_id,) = home.run_ids()
    inputs = begin(home, REQUEST).inputs
    assert staged_before(home, inputs) == home.run_file(run_id)
    with duckdb.connect(home.run_file(run_id)) as connection:
        connection.execute("delete from staging.rejected_persons where rowid = 0")
    assert staged_before(home, inputs) is None


def test_a_run_of_other_code_is_not_taken_from(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = begin(home, REQUEST).inputs
    monkeypatch.setattr("komek.trust.kept.code_version", lambda: "another")
    assert staged_before(home, inputs) is None
