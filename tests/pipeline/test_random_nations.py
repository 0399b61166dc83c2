"""Every table of random nations against the second opinion, the hand-written floor."""

import csv
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import duckdb
import pytest

import compare
import floor
from komek.base import places
from komek.base.places import Home
from komek.checks.check import check_result
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request
from random_nation import SNAPSHOT, write_random_nation

# More of them: make fuzz SEEDS=20
SEEDS = range(int(os.environ.get("KOMEK_SEEDS", "1")))
SHOWN = 5
DAYS = (
    *("2020-03-31", "2020-04-01", "2020-04-14", "2020-04-15", "2020-04-20"),
    *("2020-05-01", "2020-05-10", "2020-05-11"),
)
KNOWN = (SNAPSHOT, "2020-04-13", "2020-04-29", "2020-05-31")


def _policy_values() -> dict[str, list[str]]:
    allowed: dict[str, list[str]] = {}
    path = places.LAW_SEEDS / "policy_values.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            allowed.setdefault(row["policy"], []).append(row["value"])
    return allowed


def _requests(seed: int) -> Iterator[Request]:
    """Yield a request by the policies in force on a day with a list, and a wild one."""
    random = Random(seed)
    april_20 = date(2020, 4, 20)
    yield Request(april_20, april_20, {})
    as_of = random.choice(DAYS)
    known_at = max(random.choice((as_of, as_of, *KNOWN)), SNAPSHOT)
    policies = {name: random.choice(of) for name, of in _policy_values().items()}
    yield Request(date.fromisoformat(as_of), date.fromisoformat(known_at), policies)


def _repeated_traces(run_file: Path) -> int:
    """Return how many rows of the lineage name a source row that another has named."""
    with duckdb.connect(run_file, read_only=True) as connection:
        (repeated,) = connection.execute(
            "select count(*) - count(distinct (table_name, row_key, file, row_number))"
            " from marts.lineage"
        ).fetchone()
    return repeated


def _empty_tables(run_file: Path) -> list[str]:
    with duckdb.connect(run_file, read_only=True) as connection:
        return [
            table
            for table in compare.TABLES
            if connection.execute(f"from marts.{table} limit 1").fetchone() is None
        ]


@pytest.fixture(scope="module", params=SEEDS)
def nation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, Home]:
    folder = tmp_path_factory.mktemp(f"nation_{request.param}")
    write_random_nation(folder / "drop", request.param)
    home = Home(folder / "home")
    land(home, folder / "drop")
    return request.param, home


@pytest.mark.parametrize("which", [0, 1], ids=["in_force", "other_readings"])
def test_every_table_is_the_floor_s(
    nation: tuple[int, Home], which: int, tmp_path: Path
) -> None:
    seed, home = nation
    asked = list(_requests(seed))[which]
    run = begin(home, asked)
    for layer in build.LAYERS:
        build.layer(run, layer, docs=False)

    theirs = tmp_path / "second.duckdb"
    policies = dict(asked.policy_overrides)
    floor.compute(home.root, theirs, asked.as_of, asked.known_at, policies)
    if not policies:
        # What has no rows on either side has not been compared.
        assert _empty_tables(run.file) == []
    differing = [
        table
        for table, counts in compare.compare(run.file, theirs).items()
        if any(counts)
    ]
    assert not differing, f"{asked}\n" + "\n".join(
        f"{table}\n{compare.show(run.file, theirs, table, SHOWN)}"
        for table in differing
    )

    assert _repeated_traces(run.file) == 0
    outcome = check_result(run.file, tmp_path / "report")
    assert outcome.stopped == []
