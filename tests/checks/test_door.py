"""Every check at the door is seen to pass on good registries and to fail on bad."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from checked import LIVING, by_name, check, execute, expected, personal_data_in
from door_tables import (
    DOOR_BREAKS,
    MORE_BAD_THAN_GOOD,
    NOT_TOLERATED,
    NOTHING_LEFT,
    TOLERANCE_SUITES,
    TOLERATED,
    door_tables,
    profile,
)
from komek.base.errors import StoppedError
from komek.checks.check import check_door
from komek.checks.outcome import Outcome
from komek.checks.suites import door_suites
from personal_data import open_to_others


@pytest.fixture(scope="module")
def good_door(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("door") / "run.duckdb"
    execute(file, door_tables())
    return file


@pytest.fixture(scope="module")
def bad_door(good_door: Path) -> Path:
    file = good_door.with_name("bad.duckdb")
    shutil.copy(good_door, file)
    execute(file, DOOR_BREAKS.values())
    return file


@pytest.fixture(scope="module")
def bad_door_outcome(bad_door: Path) -> Outcome:
    return check_door(bad_door, bad_door.parent / "bad")


@pytest.fixture
def changed(good_door: Path, tmp_path: Path) -> Callable[..., Path]:
    def change(*statements: str) -> Path:
        file = tmp_path / "changed.duckdb"
        shutil.copy(good_door, file)
        execute(file, statements)
        return file

    return change


def test_good_registries_pass_every_check_at_the_door(good_door):
    outcome = check_door(good_door, good_door.parent / "good")
    outcome.raise_if_stopped()
    assert [r.message for r in outcome.results if r.verdict != "passed"] == []
    assert set(by_name(outcome)) == expected(door_suites())


def test_every_check_at_the_door_is_seen_to_fail():
    seen = {*DOOR_BREAKS, *NOT_TOLERATED, *NOTHING_LEFT, MORE_BAD_THAN_GOOD}
    all_of_them = expected(door_suites())
    assert seen <= all_of_them
    assert {name for _, name in seen} == {name for _, name in all_of_them}


@pytest.mark.parametrize("name", DOOR_BREAKS, ids=".".join)
def test_bad_registries_fail_at_the_door(bad_door_outcome, name):
    result = by_name(bad_door_outcome)[name]
    assert not result.success
    assert (
        result.verdict == {"critical": "stopped", "warning": "warned"}[result.severity]
    )


def test_the_message_names_entity_expectation_and_rows(bad_door_outcome):
    with pytest.raises(StoppedError) as stopped:
        bad_door_outcome.raise_if_stopped()
    message = str(stopped.value)
    assert "\n" not in message
    assert (
        "persons: columns_received: 1200 rows (missing_columns is address)" in message
    )
    assert "persons: columns_landed: failed (missing address)" in message
    assert "applications: key_is_unique: 1 row" in message
    assert "iin_agrees_with_register" not in message
    assert "persons: iin_agrees_with_register: 7 rows" in bad_door_outcome.warnings


def test_structural_checks_cannot_be_overridden(bad_door, bad_door_outcome, tmp_path):
    suites = (
        "persons family_links asp_awards disability_terms jobseekers applications lists"
    )
    outcome = check("door", suites, bad_door, tmp_path, override="the minister asked")
    assert outcome.overridden == []
    assert outcome.stopped == bad_door_outcome.stopped


def test_what_is_within_tolerance_passes(changed, tmp_path):
    outcome = check("door", TOLERANCE_SUITES, changed(*TOLERATED), tmp_path)
    assert [r.message for r in outcome.results if not r.success] == []


@pytest.mark.parametrize("override", [None, "the April export is late"])
def test_what_is_not_tolerated_stops_unless_overridden(changed, tmp_path, override):
    statements = [each for several in NOT_TOLERATED.values() for each in several]
    file = changed(*statements)
    outcome = check("door", TOLERANCE_SUITES, file, tmp_path, override=override)
    failed = {name for name, result in by_name(outcome).items() if not result.success}
    assert failed == set(NOT_TOLERATED)
    names = sorted(".".join(name) for name in NOT_TOLERATED)
    if override:
        outcome.raise_if_stopped()
        assert sorted(outcome.overridden) == names
        kept = json.loads((tmp_path / "validation" / "door.json").read_text())
        assert kept["override"] == override
        assert sorted(kept["overridden"]) == names
    else:
        assert outcome.overridden == []
        with pytest.raises(StoppedError, match="quarantined_share: 61 rows"):
            outcome.raise_if_stopped()


def test_small_entities_only_warn_of_tolerances(changed, tmp_path):
    file = changed(
        "delete from staging.stg_kato where source_row >= 500",
        profile("kato", rows_received=999, rows_accepted=500, rows_quarantined=499),
        profile("kato", previous_rows=3),
    )
    outcome = check("door", "kato", file, tmp_path)
    outcome.raise_if_stopped()
    assert [warning.split(" rows")[0] for warning in outcome.warnings] == [
        "kato: quarantined_share: 499",
        "kato: volume_change: 999",
    ]


@pytest.mark.parametrize("name", NOTHING_LEFT, ids=".".join)
def test_a_registry_without_a_good_row_stops_whatever_is_said(changed, tmp_path, name):
    file = changed(*NOTHING_LEFT[name])
    outcome = check("door", name[0], file, tmp_path, override="nobody delivers")
    with pytest.raises(StoppedError, match=": ".join(name)):
        outcome.raise_if_stopped()


@pytest.mark.parametrize("bad", [499, 500])
@pytest.mark.parametrize("override", [None, "the classifier is being rebuilt"])
def test_a_small_registry_stops_with_more_bad_rows_than_good(
    changed, tmp_path, bad, override
):
    file = changed(
        f"delete from staging.stg_kato where source_row >= {999 - bad}",
        profile("kato", rows_received=999, previous_rows=999),
        profile("kato", rows_accepted=999 - bad, rows_quarantined=bad),
    )
    outcome = check("door", "kato", file, tmp_path, override=override)
    result = by_name(outcome)[MORE_BAD_THAN_GOOD]
    verdict = "overridden" if override else "stopped"
    assert result.verdict == ("passed" if bad == 499 else verdict)


def test_an_emptied_registry_is_not_a_small_one(changed, tmp_path):
    file = changed(
        "delete from staging.stg_kato where source_row > 0",
        profile("kato", rows_received=1, rows_accepted=1),
    )
    outcome = check("door", "kato", file, tmp_path)
    with pytest.raises(StoppedError, match="kato: volume_change: 1 row"):
        outcome.raise_if_stopped()


def test_an_empty_first_snapshot_is_legal(changed, tmp_path):
    file = changed(
        "delete from staging.stg_deliveries",
        profile("deliveries", rows_received=0, rows_accepted=0, previous_rows="null"),
    )
    check("door", "deliveries", file, tmp_path).raise_if_stopped()


def test_a_missing_table_is_a_failed_check(changed, tmp_path):
    file = changed("drop table landing.kato", "drop table staging.registry_profile")
    outcome = check("door", "kato", file, tmp_path)
    with pytest.raises(StoppedError) as stopped:
        outcome.raise_if_stopped()
    assert "kato: table_exists: there is no table landing.kato" in str(stopped.value)
    assert "there is no table staging.registry_profile" in str(stopped.value)


def test_an_expectation_that_errors_has_not_passed(changed, tmp_path):
    # The value in the error is personal, and the check a warning only.
    file = changed(
        "drop table staging.stg_persons",
        f"create view staging.stg_persons as select '{LIVING[:6]}xxxxxx' as iin, "
        "date '1990-01-01' as birth_date, 'M' as sex",
        profile("persons", rows_received=1, rows_accepted=1, previous_rows=1),
    )
    outcome = check("door", "persons", file, tmp_path, override="never mind")
    (message,) = outcome.stopped
    assert message == (
        "persons: iin_agrees_with_register: could not be checked on any rows: "
        "it raised an error"
    )
    assert not personal_data_in(tmp_path)


def test_the_report_holds_no_personal_data_and_is_the_owners_alone(
    bad_door, bad_door_outcome
):
    report = bad_door.parent / "bad"
    assert personal_data_in(report) == []
    assert open_to_others(report) == []
