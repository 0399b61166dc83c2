"""A filed run stands alone, and is whole again where its home is."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from komek.base import database
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing.land import land
from komek.runs import build
from komek.runs.filed import attached, put_away
from komek.runs.layout import begin
from komek.runs.run import Request

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
DAY = date(2020, 4, 20)
# A view that stands on what is put away, and one that does not.
MORE = """
create schema marts;
create view marts.named as select iin, last_name from staging.stg_persons;
create view marts.longest as select max(length(last_name)) as most from marts.named;
create view marts.wrong as select source_row from staging.rejected_persons;
"""
ASKED = {
    "landing.persons": "count(*)",
    # Of two kinds of file: text, and typed.
    "landing.disability_terms": "count(*)",
    "staging.stg_disability_terms": "max(valid_until)",
    "staging.stg_persons": "max(iin)",
    "staging.rejected_persons": "count(*)",
    "marts.named": "max(last_name)",
    "marts.longest": "max(most)",
    "marts.wrong": "count(*)",
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one run, called `staged`, as it is filed but for its views."""
    folder = tmp_path_factory.mktemp("filed")
    shutil.copytree(GOLDEN, folder / "drop")
    part = folder / "drop" / "disability_terms" / "2020-04-01" / "part-1"
    duckdb.execute(
        f"copy (select * replace (cast(valid_until as date) as valid_until) from"
        f" read_csv('{part}.csv', all_varchar = true)) to '{part}.parquet'"
    )
    part.with_suffix(".csv").unlink()
    home = Home(folder / "home")
    land(home, folder / "drop")
    run = begin(home, Request(DAY, DAY, {}))
    build.layer(run, "staging")
    with database.connect(run.file) as connection:
        connection.execute(MORE)
    home.runs.mkdir(parents=True)
    shutil.move(run.file, home.run_file("staged"))
    return home


@pytest.fixture
def home(staged: Home, tmp_path: Path) -> Home:
    """A home of its own, moved from where it landed."""
    moved = Home(tmp_path / "moved")
    shutil.copytree(staged.root, moved.root)
    return moved


def answers(home: Home) -> dict[str, object]:
    run_file = home.run_file("staged")
    with database.connect() as connection, attached(connection, run_file):
        return {
            name: connection.execute(f"select {asked} from run.{name}").fetchone()
            for name, asked in ASKED.items()
        }


def views(file: Path) -> set[str]:
    with duckdb.connect(file, read_only=True) as connection:
        found = connection.execute(
            "select concat(schema_name, '.', view_name) from duckdb_views()"
            " where not internal"
        ).fetchall()
    return {name for (name,) in found}


def test_views_over_landed_files_are_put_away_and_back(
    staged: Home, home: Home
) -> None:
    before = answers(staged)
    assert None not in [value for (value,) in before.values()]
    put_away(home.run_file("staged"))
    # The lists have landed nothing yet: their views read no file.
    assert views(home.run_file("staged")) == {
        "marts.wrong",
        "landing.lists",
        "staging.stg_lists",
    }
    shutil.rmtree(staged.landing.with_name("elsewhere"), ignore_errors=True)
    staged.landing.rename(staged.landing.with_name("elsewhere"))
    try:
        assert answers(home) == before
    finally:
        staged.landing.with_name("elsewhere").rename(staged.landing)


def test_it_may_be_put_away_once_more(home: Home) -> None:
    put_away(home.run_file("staged"))
    once = answers(home)
    put_away(home.run_file("staged"))
    assert answers(home) == once


def test_nothing_is_left_attached(home: Home) -> None:
    put_away(home.run_file("staged"))
    with database.connect() as connection:
        for _ in range(2):
            with attached(connection, home.run_file("staged")):
                connection.execute("from run.staging.stg_persons").fetchall()
        shutil.rmtree(home.landing)
        with (
            pytest.raises(StoppedError, match="manifest"),
            attached(connection, home.run_file("staged")),
        ):
            raise AssertionError
        left = connection.execute("select database_name from duckdb_databases()")
        assert {name for (name,) in left.fetchall()} == {"memory", "system", "temp"}
        assert connection.execute("select current_database()").fetchone() == ("memory",)
