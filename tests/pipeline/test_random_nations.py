"""Every table of random nations against the second opinion, the hand-written floor.

A nation's days are run one after another in one home, for the lists of a month are
cumulative: each run reads what those before it have listed.
"""

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
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
from komek.pipeline import STEPS, prepare, publish
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request
from random_nation import SNAPSHOT, write_random_nation

# More of them: make fuzz SEEDS=20
SEEDS = range(int(os.environ.get("KOMEK_SEEDS", "1")))
SHOWN = 5
# Two lists of April, one of May.
OFFICIAL = ("2020-04-11", "2020-04-20", "2020-05-04")
DAYS = (
    *("2020-03-31", "2020-04-01", "2020-04-12", "2020-04-14", "2020-04-15"),
    *("2020-04-20", "2020-04-21", "2020-05-01", "2020-05-10", "2020-05-11"),
)
KNOWN = (SNAPSHOT, "2020-04-13", "2020-04-29", "2020-05-31")
# A nation this dirty stops at its door otherwise, and its lists are like no other.
DIRTY = "a random nation"


@dataclass(frozen=True)
class Nation:
    """A nation whose official days have been run: their files, and what was asked."""

    seed: int
    home: Home
    days: tuple[floor.Day, ...]
    files: tuple[Path, ...]


def _official(home: Home, day: str) -> Path:
    """Run a day by the readings in force, as it would be; return its file."""
    as_of = date.fromisoformat(day)
    run_id = prepare(home, Request(as_of, as_of, {}, DIRTY))
    for step in STEPS:
        step.act(home, run_id, lambda _: None)
    publish(home, run_id, lambda _: None, approved_by="test")
    return home.run_file(run_id)


def _blocked_by_checks(run_file: Path) -> dict[str, str]:
    """Return what the pipeline's own checks found: the floor has none."""
    with duckdb.connect(run_file, read_only=True) as connection:
        return dict(
            connection.execute(
                "select region_kato, substr(blocked_by, 7) from marts.region_status"
                " where blocked_by like 'check:%'"
            ).fetchall()
        )


def _policy_values() -> dict[str, list[str]]:
    allowed: dict[str, list[str]] = {}
    path = places.LAW_SEEDS / "policy_values.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            allowed.setdefault(row["policy"], []).append(row["value"])
    return allowed


def _wild(seed: int) -> Request:
    """Return a request for any day by any readings."""
    random = Random(seed)
    as_of = random.choice(DAYS)
    known_at = max(random.choice((as_of, as_of, *KNOWN)), SNAPSHOT)
    policies = {name: random.choice(of) for name, of in _policy_values().items()}
    return Request(date.fromisoformat(as_of), date.fromisoformat(known_at), policies)


def _asked(
    day: date, known_at: date, policies: Mapping[str, str], run_file: Path
) -> floor.Day:
    return floor.Day(day, known_at, dict(policies), _blocked_by_checks(run_file))


@pytest.fixture(scope="module", params=SEEDS)
def nation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Nation:
    folder = tmp_path_factory.mktemp(f"nation_{request.param}")
    write_random_nation(folder / "drop", request.param)
    home = Home(folder / "home")
    land(home, folder / "drop")
    files = tuple(_official(home, day) for day in OFFICIAL)
    days = tuple(
        _asked(date.fromisoformat(day), date.fromisoformat(day), {}, file)
        for day, file in zip(OFFICIAL, files, strict=True)
    )
    return Nation(request.param, home, days, files)


def _differences(run_file: Path, theirs: Path) -> str:
    """Return the rows that only one side has, by table; '' where there are none."""
    return "\n".join(
        f"{table}\n{compare.show(run_file, theirs, table, SHOWN)}"
        for table, counts in compare.compare(run_file, theirs).items()
        if any(counts)
    )


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


def test_every_table_of_official_days_is_the_floor_s(
    nation: Nation, tmp_path: Path
) -> None:
    floors = floor.compute_sequence(nation.home.root, tmp_path, nation.days)
    differing = {
        day: found
        for day, ours, theirs in zip(OFFICIAL, nation.files, floors, strict=True)
        if (found := _differences(ours, theirs))
    }
    assert not differing, "\n\n".join(
        f"{day}\n{found}" for day, found in differing.items()
    )
    # What has no rows on either side has not been compared.
    assert _empty_tables(nation.files[-1]) == []


def test_every_table_by_other_readings_is_the_floor_s(
    nation: Nation, tmp_path: Path
) -> None:
    asked = _wild(nation.seed)
    run = begin(nation.home, asked)
    for layer in build.LAYERS:
        build.layer(run, layer, docs=False)

    day = _asked(asked.as_of, asked.known_at, asked.policy_overrides, run.file)
    *_, theirs = floor.compute_sequence(nation.home.root, tmp_path, (*nation.days, day))
    found = _differences(run.file, theirs)
    assert not found, f"{asked}\n{found}"

    assert _repeated_traces(run.file) == 0
    outcome = check_result(run.file, tmp_path / "report")
    assert outcome.stopped == []
