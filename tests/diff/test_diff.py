"""`komek diff` between runs of the golden nation."""

import json
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from filed_run import APRIL_20, GOLDEN, compute, file_run, land_lists
from komek.base.errors import KomekError, StoppedError, UsageError
from komek.base.lock import writer_lock
from komek.base.places import Home
from komek.base.scratch import sweep
from komek.diff.between import diff
from komek.diff.law import law_as_on, law_moves
from komek.diff.steps import steps
from komek.diff.text import render
from komek.landing.land import land
from komek.runs import rerun
from komek.runs.run import Request
from komek.trust.chain import receipt_path
from komek.trust.receipts import read_receipt

APRIL_21 = date(2020, 4, 21)
OLDER = {"food_set.age_upper": "through_age_18"}


@dataclass(frozen=True)
class Runs:
    """`april` decides for 20 April, `next_day` for the day after, from the same.

    `other` is April's with three things changed: the person in data row `dead_row` of
    the register has died, the emergency ends two days later, lists go up to age 18.
    """

    home: Home
    april: str
    next_day: str
    other: str
    dead: str
    dead_row: int
    signed_next_day: str


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("diff")
    home = Home(root / "home")
    land(home, GOLDEN, until=APRIL_20)
    request = Request(APRIL_20, APRIL_20, {})
    april = file_run(home, compute(home, request))
    next_day = file_run(home, compute(home, replace(request, as_of=APRIL_21)))
    dead, dead_row = bury(root / "drop", home.run_file(april))
    land(home, root / "drop", ["persons"])
    law_tables = root / "rules.duckdb"
    shutil.copy(home.run_file(april), law_tables)
    with duckdb.connect(law_tables) as connection:
        connection.execute(
            "update law.emergency_periods set ends_at = '2020-05-03 07:00:00'"
            " where ends_at = '2020-05-01 07:00:00'"
        )
    run = compute(home, replace(request, policy_overrides=OLDER), law_tables)
    other = file_run(home, replace(run, law_sha256="b" * 64))
    with duckdb.connect(home.run_file(next_day), read_only=True) as connection:
        (signed,) = connection.execute(
            "select min(iin) from facts.jobseeker_cases"
            " where unemployed_decided_on = '2020-04-21'"
        ).fetchone()
    return Runs(home, april, next_day, other, dead, dead_row, signed)


def bury(drop: Path, run_file: Path) -> tuple[str, int]:
    """Write a drop in which one of the recipients is dead; return who, and the row."""
    with duckdb.connect(run_file, read_only=True) as run:
        (dead,) = run.execute(
            "select min(iin) from marts.food_set_recipients where grounds = 'p25_3'"
        ).fetchone()
    shutil.copytree(GOLDEN / "persons", drop / "persons")
    path = drop / "persons" / "2020-04-01.csv"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
    (row,) = (n for n, line in enumerate(lines) if line.startswith(f"{dead},"))
    fields = lines[row].split(",")
    fields[lines[0].split(",").index("death_date")] = "2020-04-10"
    lines[row] = ",".join(fields)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return dead, row


@pytest.fixture(scope="module")
def found(filed: Runs) -> dict[str, Any]:
    return diff(filed.home, filed.april, filed.other)


def of(found: dict[str, Any], table: str, **values: str) -> list[dict[str, Any]]:
    return [
        change
        for change in found["changes"]
        if change["table"] == table
        and all(change[name] == value for name, value in values.items())
    ]


def keys(run_file: Path, table: str, key: str) -> set[str]:
    with duckdb.connect(run_file, read_only=True) as run:
        rows = run.execute(f"select {key} from marts.{table}").fetchall()
    return {row[0] for row in rows}


def test_the_steps_are_those_in_which_the_runs_differ(found: dict[str, Any]) -> None:
    assert found["differ"] == found["steps"] == ["data", "law", "policy"]


def test_who_left_and_who_came_is_what_the_lists_say(
    filed: Runs, found: dict[str, Any]
) -> None:
    before, after = (
        keys(filed.home.run_file(run), "food_set_recipients", "iin")
        for run in (filed.april, filed.other)
    )
    assert {change["key"] for change in of(found, "food_set_recipients")} >= (
        before ^ after
    )
    for change in of(found, "food_set_recipients"):
        expected = (change["key"] in before, change["key"] in after)
        assert (
            expected
            == {
                "added": (False, True),
                "removed": (True, False),
                "changed": (True, True),
            }[change["change"]]
        )


def test_data_is_the_cause_of_who_died_and_its_row_is_named(
    filed: Runs, found: dict[str, Any]
) -> None:
    (change,) = of(found, "food_set_recipients", cause="data")
    assert (change["key"], change["what"], change["change"]) == (
        filed.dead,
        "person",
        "removed",
    )
    assert change["sources"] == [
        {
            "entity": "persons",
            "change": "changed",
            "file_before": "persons/2020-04-01.csv",
            "row_before": filed.dead_row,
            "file_after": "persons/2020-04-01.csv",
            "row_after": filed.dead_row,
            "found_by": "lineage",
        }
    ]
    assert all(
        change["sources"] for change in found["changes"] if change["cause"] == "data"
    )


def test_policy_is_the_cause_of_who_is_older(found: dict[str, Any]) -> None:
    added = of(found, "food_set_recipients", change="added")
    assert added
    assert {(change["cause"], len(change["sources"])) for change in added} == {
        ("policy", 0)
    }


def test_law_is_the_cause_of_who_comes_of_age_in_a_longer_emergency(
    found: dict[str, Any],
) -> None:
    added = of(found, "mse_queue", change="added", cause="law")
    assert {change["key"][:6] for change in added} == {"020502", "040502"}


def test_law_is_the_cause_of_longer_terms(found: dict[str, Any]) -> None:
    changed = of(found, "disability_extensions", change="changed", cause="law")
    assert changed
    assert {"2020-05-03"} == {
        column["after"]
        for change in changed
        for column in change["columns"]
        if column["column"] == "new_valid_until" and column["after"]
    }


def test_each_difference_has_one_cause(filed: Runs, found: dict[str, Any]) -> None:
    counted = Counter((change["table"], change["key"]) for change in found["changes"])
    assert set(counted.values()) == {1}
    assert {change["cause"] for change in found["changes"]} == {
        "data",
        "law",
        "policy",
    }
    # Every row that differs is there: compare the tables without the code under test.
    query = "select * exclude (paragraph) from {}.marts.disability_extensions"
    with duckdb.connect() as connection:
        for name, run in (("a", filed.april), ("b", filed.other)):
            connection.execute(
                f"attach '{filed.home.run_file(run)}' as {name} (read_only)"
            )
        one, two = query.format("a"), query.format("b")
        rows = connection.execute(
            f"select distinct term_id from (({one} except {two})"
            f" union all ({two} except {one}))"
        ).fetchall()
    assert {row[0] for row in rows} == {
        change["key"] for change in of(found, "disability_extensions")
    }


def test_sums_add_up_to_the_changes(found: dict[str, Any]) -> None:
    counted = Counter(
        (change["table"], change["region_kato"], change["cause"], change["change"])
        for change in found["changes"]
    )
    summed = {
        (total["table"], total["region_kato"], total["cause"], kind): total[kind]
        for total in found["sums"]
        for kind in ("added", "removed", "changed")
        if total[kind]
    }
    assert summed == dict(counted)
    (total,) = (
        total
        for total in found["sums"]
        if (total["table"], total["cause"]) == ("food_set_recipients", "data")
    )
    assert total["amount_change"] == "-5556.00"


def test_it_is_ready_for_json_and_for_people(
    filed: Runs, found: dict[str, Any]
) -> None:
    assert json.loads(json.dumps(found)) == found
    lines = render(found)
    assert lines[1] == "they differ in: data, law, policy"
    (line,) = (
        line
        for line in lines
        if line.startswith(f"removed person {filed.dead} in food_set_recipients")
    )
    where = f"persons/2020-04-01.csv row {filed.dead_row}"
    assert line.endswith(f": data, by persons changed ({where} -> {where})")
    assert len(lines) == 5 - 1 + len(found["sums"]) + 1 + len(found["changes"])


def test_nothing_is_left_in_the_home(filed: Runs, found: dict[str, Any]) -> None:
    assert found
    assert not list(filed.home.scratch.glob("diff-*"))
    assert not [path for path in filed.home.warehouse.glob(".*") if path.is_dir()]
    assert len(list(filed.home.run_ids())) == 3


def test_one_thing_apart_needs_no_computing(
    filed: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerun, "build_again", None)
    found = diff(filed.home, filed.april, filed.next_day)
    assert found["steps"] == ["time"]
    assert found["changes"]
    assert {change["cause"] for change in found["changes"]} == {"time"}
    assert {
        "food_set_recipients",
        "food_set_lists",
        "case_deadlines",
    } <= {change["table"] for change in found["changes"]}


def test_it_is_told_what_time_was(filed: Runs) -> None:
    found = diff(filed.home, filed.april, filed.next_day)
    silent = [
        (change["table"], change["key"])
        for change in found["changes"]
        if not change["because"]
    ]
    assert silent == []
    (unemployed,) = of(found, "food_set_recipients", key=filed.signed_next_day)
    moments = [(one["event"], one["on"]) for one in unemployed["because"]]
    assert ("unemployed_decided_on", "2020-04-21") in moments
    assert any(
        line.startswith(f"added person {filed.signed_next_day} in food_set_recipients")
        and "time, decision signed on 2020-04-21" in line
        for line in render(found)
    )


def test_nobody_who_writes_is_waited_for(filed: Runs) -> None:
    with writer_lock(filed.home, "komek run", lambda _: None):
        found = diff(filed.home, filed.april, filed.next_day)
    assert found["changes"]


def test_a_writer_does_not_sweep_what_is_being_compared(filed: Runs) -> None:
    said: list[str] = []
    with rerun.scratch_home(filed.home, "diff-held") as scratch:
        sweep(filed.home, said.append)
        assert scratch.root.is_dir()
        assert scratch.landing.is_dir()
    assert said == []
    assert not scratch.root.exists()


def test_other_lists_before_are_data(filed: Runs) -> None:
    land_lists(filed.home, filed.home.run_file(filed.april), date(2020, 4, 19))
    request = Request(APRIL_20, APRIL_20, {})
    later = file_run(filed.home, compute(filed.home, request))
    try:
        found = diff(filed.home, filed.april, later)
    finally:
        filed.home.run_file(later).unlink()
        shutil.rmtree(receipt_path(filed.home, later).parent)
        shutil.rmtree(filed.home.entity("lists"))
    assert found["steps"] == found["differ"] == ["data"]
    assert {change["table"] for change in found["changes"]} >= {"food_set_lists"}
    for change in of(found, "food_set_lists"):
        assert "lists" in {source["entity"] for source in change["sources"]}


# The law that comes into force between two days


@dataclass(frozen=True)
class Amended:
    """Two runs by law tables that shorten p5 to one working day from 21 April."""

    home: Home
    before: str
    after: str


@pytest.fixture(scope="module")
def amended(filed: Runs, tmp_path_factory: pytest.TempPathFactory) -> Amended:
    home = Home(tmp_path_factory.mktemp("amended"))
    land(home, GOLDEN, until=APRIL_21)
    law_tables = home.root / "rules.duckdb"
    shutil.copy(filed.home.run_file(filed.april), law_tables)
    with duckdb.connect(law_tables) as connection:
        connection.execute(
            "insert into law.policies select policy, 'through_age_18', '2020-04-21',"
            " recorded_on, paragraph, act_id, rationale from law.policies"
            " where policy = 'food_set.age_upper'"
        )
    runs = [
        file_run(
            home,
            replace(
                compute(home, Request(day, APRIL_21, {}), law_tables),
                law_sha256="c" * 64,
            ),
        )
        for day in (APRIL_20, APRIL_21)
    ]
    return Amended(home, *runs)


@pytest.mark.parametrize(
    ("backward", "expected"), [(False, ["time", "law"]), (True, ["law", "time"])]
)
def test_what_comes_into_force_between_the_days_is_law(
    amended: Amended, backward: bool, expected: list[str]
) -> None:
    runs = [amended.before, amended.after]
    found = diff(amended.home, *(reversed(runs) if backward else runs))
    assert found["differ"] == ["law", "time"]
    assert found["steps"] == expected
    came = of(found, "food_set_recipients", change="removed" if backward else "added")
    older = {change["key"] for change in came if change["cause"] == "law"}
    # Who is 18 is on the list by the later reading alone.
    assert {key[:2] for key in older} <= {"01", "02"}
    assert older
    assert {change["cause"] for change in found["changes"]} == {"law", "time"}


@pytest.mark.parametrize(
    ("one", "other", "moves"),
    [
        (date(2020, 4, 19), APRIL_20, False),
        (APRIL_20, APRIL_21, True),
        (APRIL_21, APRIL_20, True),
        (APRIL_21, date(2020, 4, 22), False),
        (APRIL_21, APRIL_21, False),
    ],
)
def test_law_moves_on_the_day_it_comes_into_force(
    amended: Amended, one: date, other: date, moves: bool
) -> None:
    assert law_moves(amended.home.run_file(amended.after), one, other) is moves


def test_the_law_of_a_day_lacks_what_comes_later_and_keeps_what_ends_later(
    amended: Amended, tmp_path: Path
) -> None:
    source = tmp_path / "source.duckdb"
    shutil.copy(amended.home.run_file(amended.after), source)
    with duckdb.connect(source) as connection:
        connection.execute(
            "update law.paragraphs set valid_to = case paragraph"
            " when 'p5' then date '2020-04-20' when 'p6' then date '2020-04-19' end"
        )
    copy = law_as_on(source, tmp_path / "frozen.duckdb", APRIL_20, APRIL_21)
    with duckdb.connect(copy) as connection:
        ends = dict(
            connection.execute(
                "select paragraph, cast(valid_to as varchar) from law.paragraphs"
            ).fetchall()
        )
        readings = connection.execute(
            "select value from law.policies where policy = 'food_set.age_upper'"
        ).fetchall()
    assert (ends["p5"], ends["p6"], ends["p7"]) == (None, "2020-04-19", None)
    assert readings == [("before_18th_birthday",)]


def test_what_cannot_be_computed_is_taken_with_the_next(
    filed: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object) -> None:
        raise StoppedError("no value of law covers it")

    monkeypatch.setattr(rerun, "build_again", build)
    said: list[str] = []
    found = diff(filed.home, filed.april, filed.other, said.append)
    assert found["steps"] == ["policy"]
    assert {change["cause"] for change in found["changes"]} == {"policy"}
    assert any("no value of law covers it" in line for line in said)


def test_a_run_does_not_differ_from_itself(filed: Runs) -> None:
    found = diff(filed.home, filed.april, filed.april)
    assert (found["changes"], found["sums"], found["steps"]) == ([], [], [])
    assert render(found)[1:] == [
        "they differ in: nothing",
        "no row differs",
    ]


def test_a_tampered_run_is_no_diff(filed: Runs) -> None:
    copy = f"{filed.april}x"
    receipt = {**read_receipt(filed.home, filed.april), "run_id": copy}
    path = receipt_path(filed.home, copy)
    path.parent.mkdir()
    path.write_text(json.dumps(receipt))
    shutil.copy(filed.home.run_file(filed.april), filed.home.run_file(copy))
    try:
        with duckdb.connect(filed.home.run_file(copy)) as run:
            run.execute("delete from marts.disability_extensions where rowid = 0")
        with pytest.raises(KomekError, match="1 rows differ though both"):
            diff(filed.home, filed.april, copy)
    finally:
        filed.home.run_file(copy).unlink()
        shutil.rmtree(path.parent)


def test_an_unknown_run_is_wrong_usage(filed: Runs) -> None:
    with pytest.raises(UsageError, match="there is no run"):
        diff(filed.home, filed.april, "20200420-000000000000")


# The steps, from receipts alone

TODAY = "today"
CALENDAR = {"entity": "working_days", "version": "1", "sha256": "c"}


def made_from(revision: int) -> list[dict[str, Any]]:
    persons = {
        "entity": "persons",
        "snapshot_date": "2020-04-19",
        "revision": revision,
        "sha256": "d",
        "files": [],
    }
    return [persons, CALENDAR]


FIRST = {
    "run_id": "r1",
    "as_of": "2020-04-20",
    "known_at": "2020-04-20",
    "policy_overrides": {},
    "override": None,
    "code_version": TODAY,
    "law_sha256": "a",
    "inputs": made_from(1),
}
OTHER = {
    "data": {"inputs": made_from(2)},
    "law": {"law_sha256": "b", "known_at": "2020-04-21"},
    "policy": {"policy_overrides": OLDER},
    "time": {"as_of": "2020-04-21"},
}


def second(*causes: str, code: str = TODAY) -> dict[str, Any]:
    changed = {name: value for cause in causes for name, value in OTHER[cause].items()}
    return {**FIRST, "run_id": "r2", "code_version": code, **changed}


def by(code: str) -> dict[str, Any]:
    return {**FIRST, "code_version": code}


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (FIRST, second(), ["filed"]),
        (FIRST, second("time"), ["filed", "time filed"]),
        (
            FIRST,
            second("time", "policy", "law", "data"),
            ["filed", "data", "law", "policy", "time filed"],
        ),
        (FIRST, second(code="old"), ["filed", "code filed"]),
        (FIRST, second("law", code="old"), ["filed", "law", "code filed"]),
        (by("old"), second(), ["filed", "code filed"]),
        (by("old"), second("law"), ["filed", "code", "law filed"]),
        (
            by("old"),
            second("law", code="older"),
            ["filed", "code", "law", "code filed"],
        ),
        (by("old"), second("law", code="old"), ["filed", "law filed"]),
        (by("old"), second("law", "time", code="old"), ["", "law", "time"]),
    ],
)
def test_steps(
    first: dict[str, Any], last: dict[str, Any], expected: list[str]
) -> None:
    found = [
        " ".join(filter(None, [step.cause, None if step.asked else "filed"]))
        for step in steps(first, last, TODAY)
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (FIRST, second("time"), ["filed", "time", "law filed"]),
        (
            FIRST,
            second("data", "law", "time"),
            ["filed", "data", "law", "time", "law filed"],
        ),
        (second("time"), {**FIRST, "run_id": "r3"}, ["filed", "law", "time filed"]),
        (FIRST, second("policy"), ["filed", "policy filed"]),
    ],
)
def test_steps_where_other_law_comes_into_force_between_the_days(
    first: dict[str, Any], last: dict[str, Any], expected: list[str]
) -> None:
    found = steps(first, last, TODAY, law_moves=True)
    assert [
        " ".join(filter(None, [step.cause, None if step.asked else "filed"]))
        for step in found
    ] == expected
    frozen = [step.asked for step in found if step.asked and step.asked.law_on]
    # The later day is decided for by the law of the earlier.
    for asked in frozen:
        assert (asked.request.as_of, asked.law_on) == (APRIL_21, APRIL_20)


def test_each_step_takes_one_thing_more_from_the_second_run() -> None:
    _, data, law, policy, _ = steps(
        FIRST, second("data", "law", "policy", "time"), TODAY
    )
    assert data.asked.inputs.as_json() == made_from(2)
    assert (data.asked.law_of, data.asked.request.known_at) == ("r1", APRIL_20)
    assert (law.asked.law_of, law.asked.inputs) == ("r2", data.asked.inputs)
    assert law.asked.request == Request(APRIL_20, date(2020, 4, 21), {})
    assert policy.asked.request == replace(law.asked.request, policy_overrides=OLDER)
