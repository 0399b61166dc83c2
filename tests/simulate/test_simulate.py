"""`komek simulate`: a day by other readings and figures of the law."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from filed_run import APRIL_20, compute
from komek.base.errors import UsageError
from komek.base.places import Home
from komek.cli import cli
from komek.runs.run import Request
from komek.simulate import render, simulate
from komek.simulate.parameters import parameter_values

OLDER = {"food_set.age_upper": "through_age_18"}
REQUEST = Request(APRIL_20, APRIL_20, {})


@pytest.fixture(scope="module")
def home(published_golden: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("simulate") / "home")
    shutil.copytree(published_golden.root, home.root, symlinks=True)
    return home


@pytest.fixture(scope="module")
def older(home: Home) -> dict[str, Any]:
    """Lists up to age 18, and a floor of three indices."""
    before = state(home)
    found = simulate(home, APRIL_20, OLDER, {"food_set_floor": Decimal(3)})
    assert state(home) == before
    return found


def state(home: Home) -> dict[str, int]:
    return {
        path.relative_to(home.root).as_posix(): path.lstat().st_mtime_ns
        for path in home.root.rglob("*")
        if path.is_file() or path.is_symlink()
    }


def listed(file: Path) -> set[tuple]:
    with duckdb.connect(file, read_only=True) as run:
        return set(
            run.execute(
                "select iin, region_kato, district_kato, primary_ground, set_cost"
                " from marts.food_set_recipients"
            ).fetchall()
        )


def test_it_gives_what_a_run_by_the_reading_gives(
    home: Home, older: dict[str, Any], tmp_path: Path
) -> None:
    elsewhere = Home(tmp_path / "home")
    elsewhere.root.mkdir()
    elsewhere.landing.symlink_to(home.landing)
    run = compute(elsewhere, replace(REQUEST, policy_overrides=OLDER))
    (run_id,) = home.run_ids()
    before, after = listed(home.run_file(run_id)), listed(run.file)
    assert {row[0] for row in after} > {row[0] for row in before}
    for place, kind in enumerate(("region", "district", "ground"), start=1):
        told = {row["code"]: row for row in older["figures"] if row["kind"] == kind}
        for rows, side in ((before, "before"), (after, "after")):
            people = Counter(row[place] or "unassigned" for row in rows)
            assert people == {
                code: row[f"people_{side}"]
                for code, row in told.items()
                if row[f"people_{side}"]
            }
        gained = Counter(row[place] or "unassigned" for row in after - before)
        assert gained == {c: row["gained"] for c, row in told.items() if row["gained"]}
    cost = [sum(row[4] or 0 for row in rows) for rows in (before, after)]
    assert older["budget"] == {
        "before": str(cost[0]),
        "after": str(cost[1]),
        "change": str(cost[1] - cost[0]),
    }
    assert older["against"]["run_id"] == run_id


def test_a_figure_of_the_law_blocks_regions(older: dict[str, Any]) -> None:
    moved = {
        row["region_kato"]
        for row in older["regions"]
        if row["blocked_before"] is None and row["blocked_after"] == "below_floor"
    }
    assert moved == {"110000000", "150000000", "270000000", "790000000"}


def test_it_is_ready_for_json_and_for_people(older: dict[str, Any]) -> None:
    assert json.loads(json.dumps(older)) == older
    lines = render(older)
    assert "not official, not filed" in lines[0]
    assert any(line.endswith("published -> below_floor") for line in lines)


def test_another_day_is_held_against_the_same_day_by_the_law(home: Home) -> None:
    found = simulate(home, APRIL_20.replace(day=21), {}, {})
    assert found["against"]["run_id"] is None
    assert {(row["gained"], row["lost"]) for row in found["figures"]} == {(0, 0)}
    assert {(row["gained"], row["lost"]) for row in found["extensions"]} == {(0, 0)}
    assert found["budget"]["change"] == "0.00"


def test_what_is_not_there_is_wrong_usage(home: Home) -> None:
    with pytest.raises(UsageError, match="there is no run nobody"):
        simulate(home, APRIL_20, {}, {}, against="nobody")
    for wrong, said in {
        "food_set_floor": "takes NAME=VALUE",
        "floor=3": "unknown parameter 'floor': one of ",
        "food_set_floor=three": "is a number",
        "food_set_floor=nan": "is a number",
    }.items():
        with pytest.raises(UsageError, match=said):
            parameter_values([wrong])
    with pytest.raises(UsageError, match="twice"):
        parameter_values(["food_set_floor=3", "food_set_floor=4"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--policy", "food_set.age_upper=x"], "cannot be 'x'"),
        (["--parameter", "x=1"], "unknown parameter 'x'"),
        (["--against", "x"], "there is no run x"),
    ],
)
def test_the_command_ends_with_two_on_wrong_usage(
    home: Home, options: list[str], said: str
) -> None:
    call = ["simulate", "--as-of", "2020-04-20", "--home", str(home.root), *options]
    with pytest.raises(UsageError, match=said):
        CliRunner().invoke(cli, call, catch_exceptions=False, standalone_mode=False)
