"""dbt on a run's file: what ends a run there, and in whose words."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from komek.base.errors import StoppedError
from komek.base.places import DBT_PROJECT, Home
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
DAY = date(2020, 4, 20)


def test_a_model_ends_the_run_in_its_own_words_and_counts_the_rows(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    land(home, GOLDEN)
    run = begin(home, Request(DAY, DAY, {}))
    for layer in ("staging", "facts"):
        build.layer(run, layer)
    with duckdb.connect(run.file) as connection:
        connection.execute("delete from facts.working_days")

    with pytest.raises(StoppedError) as stopped:
        build.layer(run, "law")

    model, _, words = str(stopped.value).partition(": ")
    assert (DBT_PROJECT / "models" / "law" / f"{model}.sql").is_file()
    rows, _, what = words.partition(" ")
    assert int(rows) > 1
    assert what == "rows begin outside the working-day calendar"
