"""dbt on a run's file: what ends a run there, and in whose words."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
DAY = date(2020, 4, 20)


def test_a_model_ends_the_run_in_its_own_words(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    land(home, GOLDEN)
    run = begin(home, Request(DAY, DAY, {}))
    for layer in ("staging", "facts"):
        build.layer(run, layer)
    with duckdb.connect(run.file) as connection:
        connection.execute("update facts.run_context set food_set_floor = null")

    with pytest.raises(StoppedError) as stopped:
        build.layer(run, "law")

    assert str(stopped.value) == (
        "p27_region_norm: no value of law covers the date: food_set_floor"
    )
