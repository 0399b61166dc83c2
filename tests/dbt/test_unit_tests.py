"""dbt's unit tests, run where dbt finds the columns of every model: on a built run."""

import json
from datetime import date
from pathlib import Path

import pytest

from komek.base.places import DBT_PROJECT, Home
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request, Run

AS_OF = date(2020, 4, 20)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, small_nation: Path) -> Run:
    home = Home(tmp_path_factory.mktemp("home"))
    land(home, small_nation, until=AS_OF)
    run = begin(home, Request(AS_OF, AS_OF, {}))
    for layer in build.LAYERS:
        build.layer(run, layer)
    return run


def test_every_unit_test_of_the_models_passes(built: Run) -> None:
    declared = sum(
        path.read_text(encoding="utf-8").count("\n    model: ")
        for path in DBT_PROJECT.glob("models/**/*.yml")
    )

    # Raises with the name of each test that fails.
    build._invoke(built, "unit_tests", ["test", "--select", "test_type:unit"])

    results = json.loads((built.folder / "dbt/run_results_unit_tests.json").read_text())
    assert [result["status"] for result in results["results"]] == ["pass"] * declared
    assert declared > 0
