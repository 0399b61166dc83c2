"""Golden rows: a tiny nation of made-up people and the rows the law implies for it.

Everything under `golden/` was written by hand from the Rules; `golden/README.md` says
who is there for which boundary. Nothing there may be copied from a run.
"""

from pathlib import Path

import duckdb
import pytest
import yaml

from golden_rows import differences
from komek.base.places import Home
from komek.checks.check import check_result
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request, Run

GOLDEN = Path(__file__).parents[1] / "golden"
SCENARIOS = yaml.safe_load((GOLDEN / "scenarios.yml").read_text(encoding="utf-8"))
CASES = [
    pytest.param(scenario, path, id=f"{scenario}-{path.stem}")
    for scenario in SCENARIOS
    for path in sorted((GOLDEN / scenario).glob("*.csv"))
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("golden") / "home")
    land(home, GOLDEN / "drop")
    return home


@pytest.fixture(scope="module", params=SCENARIOS)
def run(home: Home, request: pytest.FixtureRequest) -> Run:
    """The run of one scenario; pytest builds it once for all its tables."""
    asked = SCENARIOS[request.param]
    run = begin(
        home,
        Request(asked["as_of"], asked["known_at"], asked.get("policies", {})),
    )
    for layer in build.LAYERS:
        build.layer(run, layer)
    return run


@pytest.mark.parametrize(("run", "expected"), CASES, indirect=["run"], scope="module")
def test_rows_are_those_the_law_implies(run: Run, expected: Path) -> None:
    with duckdb.connect(run.file, read_only=True) as marts:
        found = differences(marts, expected)
    assert not found, found


def test_no_reading_of_the_law_is_stopped(run: Run, tmp_path: Path) -> None:
    assert check_result(run.file, tmp_path).stopped == []


def test_every_scenario_has_expected_rows() -> None:
    folders = {path.name for path in GOLDEN.iterdir() if path.is_dir()} - {
        "drop",
        "month_of_lists",
    }
    assert folders == set(SCENARIOS)
    assert all(any((GOLDEN / name).glob("*.csv")) for name in SCENARIOS)
