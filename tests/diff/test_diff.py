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

from filed_run import APRIL_20, GOLDEN, compute, file_run
from komek.base.errors import KomekError, StoppedError, UsageError
from komek.base.places import Home
from komek.diff.between import diff
from komek.diff.steps import steps
from komek.diff.text import render
from komek.landing.land import land
from komek.runs import rerun
from komek.runs.run import Request
from komek.trust.chain import receipt_path
from komek.trust.receipts import read_receipt

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


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("diff")
    home = Home(root / "home")
    land(home, GOLDEN, until=APRIL_20)
    request = Request(APRIL_20, APRIL_20, {})
    april = file_run(home, compute(home, request))
    next_day = file_run(home, compute(home, replace(request, as_of=date(2020, 4, 21))))
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
    return Runs(home, april, next_day, other, dead, dead_row)


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


def test_law_is_the_cause_of_who_turns_18_in_a_longer_emergency(
    found: dict[str, Any],
) -> None:
    removed = of(found, "food_set_recipients", change="removed", cause="law")
    assert {change["key"][:6] for change in removed} == {"020502", "040502"}


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
        line for line in lines if line.startswith(f"removed person {filed.dead}")
    )
    where = f"persons/2020-04-01.csv row {filed.dead_row}"
    assert line.endswith(f": data, by persons changed ({where} -> {where})")
    assert len(lines) == 5 - 1 + len(found["sums"]) + 1 + len(found["changes"])


def test_nothing_is_left_in_the_home(filed: Runs, found: dict[str, Any]) -> None:
    assert found
    assert not list(filed.home.scratch.glob("diff-*"))
    assert len(list(filed.home.run_ids())) == 3


def test_one_thing_apart_needs_no_computing(
    filed: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerun, "build_again", None)
    found = diff(filed.home, filed.april, filed.next_day)
    assert found["steps"] == ["time"]
    assert found["changes"]
    assert {change["cause"] for change in found["changes"]} == {"time"}


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
        "no person, award or term differs",
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


def test_each_step_takes_one_thing_more_from_the_second_run() -> None:
    _, data, law, policy, _ = steps(
        FIRST, second("data", "law", "policy", "time"), TODAY
    )
    assert data.asked.inputs.as_json() == made_from(2)
    assert (data.asked.law_of, data.asked.request.known_at) == ("r1", APRIL_20)
    assert (law.asked.law_of, law.asked.inputs) == ("r2", data.asked.inputs)
    assert law.asked.request == Request(APRIL_20, date(2020, 4, 21), {})
    assert policy.asked.request == replace(law.asked.request, policy_overrides=OLDER)
