"""Law tables that are loaded and tested once, and copied after that."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from filed_run import APRIL_20, GOLDEN
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing.land import land
from komek.runs import build, kept_law, rerun
from komek.runs.invoked import invoke
from komek.runs.layout import begin
from komek.runs.parsed import kept_in
from komek.runs.run import Request, Run

Begin = Callable[[], Run]


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Begin the same run anew; what is kept, is kept in `kept/`."""
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setattr(kept_law, "kept_in", lambda: kept_in() and kept)
    home = Home(tmp_path / "home")
    land(home, GOLDEN)
    return lambda: begin(home, Request(APRIL_20, APRIL_20, {}))


def loaded(run: Run) -> tuple[object, object, object]:
    """Lay the law tables; return what dbt was asked for, the tables, the results."""
    asked: list[str] = []

    def load() -> None:
        asked.append("dbt")
        invoke(run, "seeds", build.LOAD_LAW)

    kept_law.lay_law(run, load)
    with duckdb.connect(run.file) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'law' order by table_name, ordinal_position"
        ).fetchall()
        rows = {
            table: connection.execute(f"from law.{table}").fetchall()
            for (table, _, _) in columns
        }
    results = json.loads((run.folder / "dbt" / "run_results_seeds.json").read_bytes())
    return asked, (columns, rows), results["results"]


def test_what_was_loaded_and_tested_is_copied(begun: Begin) -> None:
    asked, tables, results = loaded(begun())
    asked_again, copied, told = loaded(begun())

    assert (asked, asked_again) == (["dbt"], [])
    assert copied == tables
    assert told == results
    assert {result["status"] for result in results} == {"success", "pass"}


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_what_cannot_be_read_is_loaded_anew(
    begun: Begin, tmp_path: Path, damage: str
) -> None:
    _, tables, _ = loaded(begun())
    (file,) = tmp_path.glob("kept/*/law.duckdb")
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:5_000])
    else:
        file.unlink()

    assert loaded(begun())[:2] == (["dbt"], tables)
    assert loaded(begun())[:2] == ([], tables)


def test_another_calendar_is_tested_against(begun: Begin) -> None:
    loaded(begun())
    run = begun()
    calendar = replace(run.inputs.calendar, sha256="0" * 64)
    other = replace(run, inputs=replace(run.inputs, calendar=calendar))

    assert loaded(other)[0] == ["dbt"]


def test_what_failed_is_not_kept(begun: Begin, tmp_path: Path) -> None:
    def fail() -> None:
        raise StoppedError("a test failed")

    with pytest.raises(StoppedError):
        kept_law.lay_law(begun(), fail)

    assert not list(tmp_path.glob("kept/*"))


def test_who_cannot_keep_it_loads_it_each_time(
    begun: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_law, "kept_in", lambda: None)

    assert loaded(begun())[0] == ["dbt"]
    assert loaded(begun())[0] == ["dbt"]


def test_who_computes_again_takes_nothing_that_was_kept(
    begun: Begin, tmp_path: Path
) -> None:
    run = begun()
    _, (_, law), _ = loaded(run)
    (file,) = tmp_path.glob("kept/*/law.duckdb")
    with duckdb.connect(file) as kept:
        kept.execute("delete from paragraphs")

    with rerun.scratch_home(run.home, "again") as scratch:
        again = rerun.build_again(scratch, run.request, run.inputs)
        with duckdb.connect(again.file) as connection:
            found = connection.execute("from law.paragraphs").fetchall()
    assert found == law["paragraphs"]
