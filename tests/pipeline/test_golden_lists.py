"""Golden rows of a month of lists: official days one after another in one home.

Each publishes its lists for the next (p26). Everything under `golden/month_of_lists/`
was written by hand from the Rules, as `golden/README.md` says.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pytest

from filed_run import compute
from golden_rows import differences
from komek.base.places import Home
from komek.landing.land import land
from komek.pipeline import publish
from komek.runs.run import Request

GOLDEN = Path(__file__).parents[1] / "golden" / "month_of_lists"
DAYS = sorted(path.name for path in GOLDEN.iterdir() if path.name != "drop")
CASES = [
    pytest.param(day, path, id=f"{day}-{path.stem}")
    for day in DAYS
    for path in sorted((GOLDEN / day).glob("*.csv"))
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The files of the days' runs, each of them published before the next is run."""
    home = Home(tmp_path_factory.mktemp("lists") / "home")
    land(home, GOLDEN / "drop")
    return {day: _published(home, date.fromisoformat(day)) for day in DAYS}


def _published(home: Home, day: date) -> Path:
    run = compute(home, Request(day, day, {}))
    assert publish(home, run.run_id, lambda _: None) is not None
    return home.run_file(run.run_id)


@pytest.mark.parametrize(("day", "expected"), CASES)
def test_rows_of_the_day_are_those_the_law_implies(
    files: Mapping[str, Path], day: str, expected: Path
) -> None:
    with duckdb.connect(files[day], read_only=True) as connection:
        found = differences(connection, expected)
    assert not found, found
