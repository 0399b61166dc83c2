"""A region whose own check fails is blocked; who is new there is held back (p26)."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from checked import execute
from filed_run import compute
from hand_filed import as_it_was
from komek.base import registries
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.checks import check
from komek.checks.blocking import check_and_settle
from komek.checks.outcome import Outcome, Result
from komek.landing.land import land
from komek.landing.own import land_own
from komek.pipeline import check_result
from komek.runs import build
from komek.runs.run import (
    Request,
    Run,
    blocked,
    note_blocked,
    note_overridden,
    save,
)

DROP = Path(__file__).parents[1] / "golden" / "month_of_lists" / "drop"
NORMS = "food_set_norms/2020-04-01.csv"
DAY = date(2020, 4, 2)
AKMOLA, AKTOBE = "110000000", "150000000"
# Of Aktobe, and on the list of the day before.
LISTED = "620101405055"
BY_CHECK = {AKTOBE: "set_cost_plausible"}


def rows(run: Run, query: str) -> list[tuple]:
    with duckdb.connect(run.file, read_only=True) as connection:
        return connection.execute(query).fetchall()


def list_of_the_day_before(target: Path) -> None:
    row = {
        "list_month": "date '2020-04-01'",
        "iin": f"'{LISTED}'",
        "list_no": "1",
        "listed_on": "date '2020-04-01'",
        "region_kato": f"'{AKTOBE}'",
        "district_kato": "'151000000'",
        "primary_ground": "'p25_3'",
        "grounds": "'p25_3'",
        "ended_on": "cast(null as date)",
        "ended_reason": "cast(null as varchar)",
    }
    columns = ", ".join(f"{value} as {name}" for name, value in row.items())
    duckdb.execute(f"copy (select {columns}) to '{target}' (format parquet)")


# A region by its own check, computed


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A settled run: a set of Aktobe costs a hundred times what it should."""
    folder = tmp_path_factory.mktemp("blocked")
    shutil.copytree(DROP, folder / "drop")
    norms = (folder / "drop" / NORMS).read_text(encoding="utf-8")
    assert "5600.00" in norms
    (folder / "drop" / NORMS).write_text(norms.replace("5600.00", "560000.00"))
    home = Home(folder / "home")
    land(home, folder / "drop")
    lists = registries.entity("lists")
    land_own(home, lists, date(2020, 4, 1), "run", list_of_the_day_before)
    computed = compute(home, Request(DAY, DAY, {}))
    assert blocked(computed) == {}
    outcome = check_and_settle(computed, folder / "report")
    assert outcome.blocked_regions == BY_CHECK
    return computed


def test_the_region_is_blocked_by_the_name_of_its_check(run: Run) -> None:
    assert blocked(run) == BY_CHECK
    found = rows(run, "select region_kato, blocked_by from marts.region_status")
    assert dict(found) == {
        AKMOLA: None,
        AKTOBE: "check:set_cost_plausible",
        "190000000": "no_norm",
        "230000000": None,
        "unassigned": "no_norm",
    }


def test_who_is_new_there_is_held_and_who_was_listed_stays(run: Run) -> None:
    listed = "select standing, list_no, count(*) from marts.food_set_lists"
    by = "group by all order by all"
    assert rows(run, f"{listed} where region_kato = '{AKTOBE}' {by}") == [
        ("entitled", 1, 1),
        ("held", None, 3),
    ]
    assert rows(run, f"{listed} where region_kato = '{AKMOLA}' {by}") == [
        ("entitled", 2, 5)
    ]


def test_what_rests_on_the_list_is_built_with_it(run: Run) -> None:
    plan = "select standing, list_no, count(*) from marts.delivery_plan"
    where = f"where region_kato = '{AKTOBE}' group by all order by all"
    assert rows(run, f"{plan} {where}") == [("entitled", 1, 1), ("held", None, 3)]
    settled = "select region_kato, listed from marts.list_reconciliation order by all"
    assert (AKTOBE, 1) in rows(run, settled)


def test_the_end_is_noted(run: Run) -> None:
    ended = "select finished_at is not null, override_reason, overridden_checks"
    assert rows(run, f"{ended} from marts.run") == [(True, "", "")]


def test_a_step_that_is_taken_again_builds_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "anew", lambda *_: pytest.fail("built anew"))
    outcome = check_and_settle(run, tmp_path)
    assert outcome.blocked_regions == blocked(run) == BY_CHECK


# What follows from what the checks say


@pytest.fixture
def unfinished(tmp_path: Path) -> Run:
    run = as_it_was(Home(tmp_path / "home"), "r1")
    run.folder.mkdir(parents=True)
    note_overridden(run, ["kato.age_in_days"])
    execute(
        run.file,
        [
            "create schema marts",
            (
                "create table marts.run (finished_at timestamp,"
                " override_reason varchar, overridden_checks varchar)"
            ),
            "insert into marts.run values (null, '', '')",
        ],
    )
    return run


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """The models that are built anew, each with the regions blocked by then."""
    models: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(
        build, "anew", lambda run, model: models.append((model, blocked(run)))
    )
    return models


def found(verdict: str, *regions: str) -> Outcome:
    result = Result(
        suite="region_status",
        name="set_cost_plausible",
        severity="critical",
        verdict=verdict,
        success=verdict == "passed",
        unexpected_count=len(regions),
        message="region_status: set_cost_plausible: as it is",
        meta={},
        regions=dict.fromkeys(regions, 1),
    )
    return Outcome("result", None, (result,))


def say(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> Iterator[Outcome]:
    """Let the checks find these, one time after another; return what is left."""
    left = iter(outcomes)
    monkeypatch.setattr(check, "check_result", lambda *_: next(left))
    return left


def has_ended(run: Run) -> bool:
    return rows(run, "select finished_at is not null from marts.run") == [(True,)]


def test_where_nothing_fails_nothing_is_built(
    unfinished: Run, built: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = say(monkeypatch, found("passed"))
    check_and_settle(unfinished, tmp_path)
    assert (built, blocked(unfinished), [*left]) == ([], {}, [])
    assert has_ended(unfinished)
    assert rows(unfinished, "select overridden_checks from marts.run") == [
        ("kato.age_in_days",)
    ]


def test_the_outcome_is_that_of_what_was_built(
    unfinished: Run, built: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = found("blocked", AKTOBE)
    left = say(monkeypatch, found("blocked", AKTOBE), after)
    assert check_and_settle(unfinished, tmp_path) is after
    assert [*left] == []
    assert built == [("p27_region_norm", BY_CHECK)]
    assert has_ended(unfinished)


def test_another_region_than_was_blocked_is_built_anew(
    unfinished: Run, built: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_blocked(unfinished, {AKMOLA: "set_cost_plausible"})
    say(monkeypatch, *[found("blocked", AKTOBE)] * 2)
    check_and_settle(unfinished, tmp_path)
    assert built == [("p27_region_norm", BY_CHECK)]
    assert blocked(unfinished) == BY_CHECK


@pytest.mark.parametrize("builds", [0, 1])
def test_a_run_that_is_stopped_has_no_end(
    unfinished: Run,
    built: list,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    builds: int,
) -> None:
    before = [found("blocked", AKTOBE)] * builds
    say(monkeypatch, *before, found("stopped"))
    outcome = check_and_settle(unfinished, tmp_path)
    with pytest.raises(StoppedError, match="set_cost_plausible"):
        outcome.raise_if_stopped()
    assert len(built) == builds
    assert not has_ended(unfinished)


def test_the_warnings_of_a_run_that_is_stopped_are_told(
    unfinished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(unfinished)
    results = found("warned").results + found("stopped").results
    say(monkeypatch, Outcome("result", None, results))
    told: list[str] = []
    with pytest.raises(StoppedError, match="set_cost_plausible"):
        check_result(unfinished.home, unfinished.run_id, told.append)
    assert told == ["warning: region_status: set_cost_plausible: as it is"]
