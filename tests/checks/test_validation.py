"""Every expectation is seen to pass on good data and to fail on bad."""

import json
import shutil
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pytest
import yaml

from komek.base import places, registries
from komek.base.errors import StoppedError, UsageError
from komek.checks.check import _check, check_door, check_result
from komek.checks.outcome import Outcome, Result
from komek.checks.suites import Suite, door_suites, result_suites
from komek.runs.landed_views import ROWS_PER_FILE

LIVING, DEAD, CHILD, UNKNOWN = (
    "900101300011",
    "900101300022",
    "150101500033",
    "900101300044",
)
IBAN = "KZ351234567890123456"
PERSONAL = (LIVING, DEAD, CHILD, UNKNOWN, IBAN, "90010130", "Ахметов")
ROWS = 1200

Breaks = dict[tuple[str, str], str]


def execute(file: Path, statements: Iterable[str]) -> None:
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)


def check(stage: str, suites: str, file: Path, report: Path, **kwargs) -> Outcome:
    """Check with the named suites only: the rest of the stage takes its time."""
    load = {"door": door_suites, "result": result_suites}[stage]
    chosen = [suite for suite in load() if suite.name in suites.split()]
    return _check(stage, chosen, file, report, kwargs.get("override"))


def by_name(outcome: Outcome) -> dict[tuple[str, str], Result]:
    return {(result.suite, result.name): result for result in outcome.results}


def expected(suites: Iterable[Suite]) -> set[tuple[str, str]]:
    return {
        (suite.name, expectation.name)
        for suite in suites
        for part in suite.parts
        for expectation in part.expectations
    }


# The door


def accepted_value(entity: registries.Entity, column: registries.Column) -> str:
    if column.name == "kato" and entity.name != "kato":
        return "'110000000'"
    return {
        "iin": "'9001013' || lpad(i::varchar, 5, '0')",
        "identifier": "lpad(i::varchar, 9, '0')",
        "text": "'Ахметов'",
        "code": f"'{next(iter(column.codes), '')}'",
        "date": "date '1990-01-01'",
        "amount": "1.00::decimal(18, 2)",
        "integer": "1::bigint",
    }[column.type]


def door_tables() -> Iterable[str]:
    yield "create schema landing"
    yield "create schema staging"
    yield (
        "create table staging.registry_profile (entity varchar, age_days bigint, "
        "rows_received bigint, rows_accepted bigint, rows_quarantined bigint, "
        "rows_duplicate bigint, previous_rows bigint, missing_columns varchar, "
        "extra_columns varchar, numeric_identifiers varchar, "
        "rows_without_person bigint, rows_in_future bigint)"
    )
    for entity in registries.entities():
        values = ", ".join(
            f"{accepted_value(entity, column)} as {column.name}"
            for column in entity.columns
        )
        yield (
            f"create table landing.{entity.name} as "
            f"select i as source_row, false as malformed, {values} from range(1) t(i)"
        )
        yield (
            f"create table staging.stg_{entity.name} as "
            f"select i as source_row, {values} from range({ROWS}) t(i)"
        )
        without_person = 0 if entity.iin_column else "null"
        yield (
            f"insert into staging.registry_profile values ('{entity.name}', 1, {ROWS}, "
            f"{ROWS}, 0, 0, {ROWS}, '', '', '', {without_person}, 0)"
        )


def profile(entity: str, **columns: object) -> str:
    values = ", ".join(
        f"{name} = {value if value == 'null' else repr(value)}"
        for name, value in columns.items()
    )
    return f"update staging.registry_profile set {values} where entity = '{entity}'"


DOOR_BREAKS: Breaks = {
    ("persons", "columns_landed"): "alter table landing.persons drop column address",
    ("persons", "columns_received"): profile("persons", missing_columns="address"),
    ("persons", "iin_agrees_with_register"): (
        "update staging.stg_persons set sex = 'F' where source_row < 7"
    ),
    ("family_links", "snapshot_profiled"): (
        "delete from staging.registry_profile where entity = 'family_links'"
    ),
    ("asp_awards", "profile_complete"): profile("asp_awards", age_days="null"),
    ("asp_members", "award_is_known"): (
        "update staging.stg_asp_members set award_id = 'x' where source_row = 1"
    ),
    ("disability_terms", "identifiers_are_text"): profile(
        "disability_terms", numeric_identifiers="iin"
    ),
    ("institution_stays", "no_unknown_columns"): profile(
        "institution_stays", extra_columns="note"
    ),
    ("jobseekers", "rows_accounted_for"): (
        "delete from staging.stg_jobseekers where source_row = 5"
    ),
    ("benefit_awards", "carer_has_a_child"): (
        "update staging.stg_benefit_awards set benefit = 'child_carer_allowance', "
        "dependant_iin = null where source_row < 3"
    ),
    ("benefit_payments", "award_is_known"): (
        "update staging.stg_benefit_payments set award_id = 'x' where source_row = 1"
    ),
    ("benefit_payments", "previous_not_empty"): profile(
        "benefit_payments", previous_rows=0
    ),
    ("applications", "key_is_unique"): (
        "update staging.stg_applications set application_id = '000000001' "
        "where source_row < 4"
    ),
    ("food_set_norms", "norm_is_of_a_region"): (
        "update staging.stg_food_set_norms set kato = '110100000' where source_row = 1"
    ),
    ("supply_contracts", "contract_is_of_a_region"): (
        "update staging.stg_supply_contracts set kato = '110100000' "
        "where source_row = 1"
    ),
    ("deliveries", "contract_is_known"): (
        "update staging.stg_deliveries set contract_id = 'x' where source_row = 1"
    ),
    ("bank_accounts", "rows_in_future"): profile("bank_accounts", rows_in_future=3),
    ("kato", "regions_classified"): (
        "update staging.stg_kato set kato = '1' || substring(kato, 3, 7) || '1'"
    ),
}

# Tolerances: what a snapshot may be, and what it may not.
TOLERATED = (
    profile("asp_awards", age_days=35),
    "delete from staging.stg_asp_members where source_row < 60",
    profile("asp_members", rows_quarantined=60, rows_accepted=ROWS - 60),
    profile("jobseekers", previous_rows=1500),
    profile("applications", rows_without_person=60),
    profile("persons", previous_rows="null"),
)
NOT_TOLERATED = {
    ("asp_awards", "age_in_days"): (profile("asp_awards", age_days=36),),
    ("asp_members", "quarantined_share"): (
        "delete from staging.stg_asp_members where source_row < 61",
        profile("asp_members", rows_quarantined=61, rows_accepted=ROWS - 61),
    ),
    ("jobseekers", "volume_change"): (profile("jobseekers", previous_rows=1501),),
    ("applications", "share_without_person"): (
        profile("applications", rows_without_person=61),
    ),
}
# A registry that is not there for all that was delivered: nothing passes over it.
NOTHING_LEFT = {
    ("persons", "not_empty"): (
        "delete from staging.stg_persons",
        profile("persons", rows_received=0, rows_accepted=0, previous_rows="null"),
    ),
    ("kato", "not_empty"): (
        "delete from staging.stg_kato",
        profile("kato", rows_received=0, rows_accepted=0, previous_rows="null"),
    ),
    ("bank_accounts", "some_rows_accepted"): (
        "delete from staging.stg_bank_accounts",
        profile("bank_accounts", rows_accepted=0, rows_quarantined=ROWS),
    ),
    ("food_set_norms", "some_rows_accepted"): (
        "delete from staging.stg_food_set_norms",
        profile(
            "food_set_norms",
            rows_received=1,
            rows_accepted=0,
            rows_quarantined=1,
            previous_rows=1,
        ),
    ),
}
# More bad rows than good ones in a registry that is too small for other shares.
MORE_BAD_THAN_GOOD = ("kato", "quarantined_share_if_small")
TOLERANCE_SUITES = "persons asp_awards asp_members jobseekers applications"


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
    suites = "persons family_links asp_awards disability_terms jobseekers applications"
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


# The result


def mart(name: str, columns: str, *rows: str) -> Iterable[str]:
    yield f"create table {name} ({columns})"
    if rows:
        yield f"insert into {name} values {', '.join(f'({row})' for row in rows)}"


def result_tables() -> Iterable[str]:
    for schema in ("landing", "staging", "law", "facts", "marts"):
        yield f"create schema {schema}"
    paragraphs = [f"'p{number}'" for number in (5, 12, 14, 16, 17, 20, 24, 25, 26, 27)]
    paragraphs += ["'p28'", "'p30'"]
    yield from mart("law.paragraphs", "paragraph varchar", *paragraphs)
    yield from mart("law.paragraphs_in_force", "paragraph varchar", *paragraphs)
    yield from mart(
        "marts.law_coverage",
        "paragraph varchar, status varchar, models varchar, title varchar",
        *(f"{paragraph}, 'computed', 'a_model', 'title'" for paragraph in paragraphs),
    )
    yield (
        "create table facts.run_context as select 'r1' as run_id, "
        "date '2020-04-20' as as_of, date '2020-04-20' as known_at, "
        "date '2020-04-01' as list_month, date '2020-03-16' as emergency_starts_on, "
        "date '2020-05-01' as covered_until, 'one' as food_set__sets_per_person, "
        "'disability_grounds' as food_set__institution_scope"
    )
    yield (
        "create table marts.run as select run_id, as_of, known_at, "
        "true as list_drawn, '' as note from facts.run_context"
    )
    yield from mart(
        "facts.people",
        "iin varchar, death_date date",
        f"'{LIVING}', null",
        f"'{DEAD}', '2020-04-20'",
        f"'{CHILD}', null",
    )
    yield from mart("facts.open_stays", "iin varchar, stay_row bigint")
    yield from mart(
        "staging.stg_supply_contracts", "contract_id varchar, sets_total int", "'c1', 1"
    )
    yield from mart(
        "marts.food_set_decisions",
        "list_month date, iin varchar, ground varchar, outcome varchar, "
        "reason varchar, paragraph varchar, region_kato varchar",
        f"'2020-04-01', '{LIVING}', 'p25_3', 'met', null, 'p25', '110000000'",
        f"'2020-04-01', '{LIVING}', 'p25_5', 'met', null, 'p25', '110000000'",
        f"'2020-04-01', '{DEAD}', 'p25_3', 'not_met', 'deceased', 'p25', '110000000'",
        f"'2020-04-01', '{UNKNOWN}', 'p25_1', 'undetermined', "
        "'not_in_population_register', 'p25', 'unassigned'",
    )
    yield from mart(
        "marts.food_set_recipients",
        "list_month date, iin varchar, region_kato varchar, district_kato varchar, "
        "primary_ground varchar, grounds varchar, mode varchar, "
        "set_cost decimal(18, 2), paragraph varchar",
        f"'2020-04-01', '{LIVING}', '110000000', '110100000', 'p25_3', "
        "'p25_3|p25_5', 'in_kind', 5556, 'p26'",
    )
    yield from mart(
        "marts.asp_extensions",
        "award_id varchar, outcome varchar, reason varchar, review_reasons varchar, "
        "old_period_end date, new_period_start date, new_period_end date, "
        "monthly_amount decimal(18, 2), paragraph varchar",
        "'a1', 'extended', null, 'applicant_deceased|member_turns_18', '2020-04-10', "
        "'2020-04-11', '2020-07-10', 100, 'p12'",
        "'a2', 'not_extended', 'suspended', '', '2020-04-10', null, null, 100, 'p12'",
    )
    yield from mart(
        "marts.disability_extensions",
        "term_id varchar, iin varchar, kind varchar, outcome varchar, reason varchar, "
        "old_valid_until date, new_valid_until date, paragraph varchar",
        f"'t1', '{LIVING}', 'disability', 'extended', null, '2020-04-10', "
        "'2020-05-01', 'p17'",
        f"'t2', '{CHILD}', 'disability', 'not_extended', 'turns_16', '2020-04-10', "
        "null, 'p17'",
    )
    yield from mart(
        "marts.mse_queue",
        "iin varchar, term_id varchar, cause varchar, due_on date, paragraph varchar",
        f"'{CHILD}', 't2', 'turns_16', '2020-04-10', 'p17'",
    )
    yield from mart(
        "marts.mse_findings",
        'term_id varchar, iin varchar, "check" varchar, outcome varchar, '
        "finding varchar, due_on date, paragraph varchar",
        f"'t3', '{LIVING}', 'mode', 'finding', 'wrong_mode', null, 'p16'",
        f"'t3', '{LIVING}', 'term', 'ok', null, null, 'p16'",
        f"'t3', '{LIVING}', 'control_exam', 'pending', null, '2020-10-01', 'p16'",
    )
    yield from mart(
        "marts.payout_schedule",
        "award_id varchar, iin varchar, benefit varchar, month date, basis varchar, "
        "amount decimal(18, 2), paid_amount decimal(18, 2), "
        "due_amount decimal(18, 2), overpaid_amount decimal(18, 2), pay_on date, "
        "paragraph varchar",
        f"'b1', '{LIVING}', 'disability_allowance', '2020-04-01', 'award', 10, 4, 6, "
        "0, '2020-04-20', 'p24'",
    )
    yield from mart(
        "marts.case_deadlines",
        "case_kind varchar, case_id varchar, step varchar, paragraph varchar, "
        "started_on date, due_on date, done_on date, status varchar",
        "'application', 'x1', 'forward', 'p5', '2020-04-01', '2020-04-03', null, "
        "'overdue'",
        "'jobseeker', 'x1', 'draft', 'p20', null, null, null, 'not_applicable'",
    )
    yield from mart(
        "marts.application_findings",
        "application_id varchar, finding varchar, paragraph varchar",
        "'x1', 'incomplete:phone', 'p14'",
    )
    yield from mart(
        "marts.delivery_plan",
        "list_month date, iin varchar, region_kato varchar, primary_ground varchar, "
        "mode varchar, contract_id varchar, allocation varchar, iban varchar, "
        "amount decimal(18, 2), delivery_status varchar, paragraph varchar",
        f"'2020-04-01', '{LIVING}', '110000000', 'p25_3', 'in_kind', 'c1', "
        "'allocated', null, 5556, 'outstanding', 'p28'",
    )
    yield from mart(
        "marts.delivery_findings",
        "delivery_id varchar, iin varchar, finding varchar, paragraph varchar",
    )
    yield from mart(
        "marts.region_status",
        "region_kato varchar, recipients bigint, amount_total decimal(18, 2), "
        "norm_cost decimal(18, 2), floor_cost decimal(18, 2), publication varchar, "
        "blocked_by varchar, paragraph varchar",
        "'110000000', 1, 5556, 5556, 5302, 'published', null, 'p27'",
        "'150000000', 0, 0, null, 5302, 'blocked', 'no_norm', 'p27'",
    )
    yield from mart(
        "marts.quarantine",
        "entity varchar, snapshot_date date, file varchar, row_number bigint, "
        "reason varchar, key varchar",
        "'persons', '2020-04-18', 'persons/1.csv', 7, 'duplicate_row', 'k'",
        "'persons', '2020-04-18', 'persons/1.csv', 8, 'missing:sex', 'k'",
        "'persons', '2020-04-18', 'persons/1.csv', 8, 'invalid_iin:iin', 'k'",
    )
    yield from mart(
        "marts.snapshot_use",
        "entity varchar, snapshot_date date, revision int, sha256 varchar, "
        "rows_received bigint, rows_accepted bigint, rows_quarantined bigint, "
        "rows_duplicate bigint",
        *(
            f"'{entity.name}', '2020-04-18', 1, '{'0a' * 32}', 10, "
            + ("8, 1, 1" if entity.name == "persons" else "10, 0, 0")
            for entity in registries.entities()
        ),
    )
    yield from mart(
        "landing.landed_files",
        "file_no integer, entity varchar, file varchar",
        "1, 'persons', 'persons/1.csv'",
    )
    for name, key, paragraph in (
        ("food_set_decisions", "iin || '|' || ground", "p25"),
        ("food_set_recipients", "iin", "p26"),
        ("asp_extensions", "award_id", "p12"),
        ("disability_extensions", "term_id", "p17"),
        ("mse_queue", "iin || '|' || cause", "p17"),
        ("mse_findings", "term_id || '|' || \"check\"", "p16"),
        ("payout_schedule", "award_id || '|' || month", "p24"),
        ("case_deadlines", "case_kind || '|' || case_id || '|' || step", "p5"),
        ("application_findings", "application_id || '|' || finding", "p14"),
        ("delivery_plan", "iin", "p28"),
        ("delivery_findings", "delivery_id", "p30"),
        ("region_status", "region_kato", "p27"),
    ):
        yield (
            f"create table marts.evidence_{name} as select {key} as row_key, "
            f"{source_row(1)} as source_row, '{paragraph}' as paragraph "
            f"from marts.{name}"
        )
    yield lineage()


def source_row(number: int, file_no: int = 1) -> str:
    return f"{file_no * ROWS_PER_FILE + number}::bigint"


def lineage(**names: str) -> str:
    """Put the evidence of every mart together, a mart under another name if given."""
    evidence = " union all ".join(
        f"select '{names.get(name, name)}' as table_name, * from marts.evidence_{name}"
        for name in (*DECISIONS, "delivery_findings")
    )
    return (
        "create or replace view marts.lineage as select table_name, row_key, entity, "
        f"file, source_row % {ROWS_PER_FILE} as row_number, paragraph "
        f"from ({evidence}) inner join landing.landed_files "
        f"on source_row // {ROWS_PER_FILE} = file_no"
    )


def copied(name: str, times: int = 2) -> str:
    return (
        f"insert into marts.{name} select old.* from marts.{name} old, range({times})"
    )


def first(name: str, **columns: str) -> str:
    """Set columns of the first row of a mart."""
    values = ", ".join(f'"{column}" = {value}' for column, value in columns.items())
    return f"update marts.{name} set {values} where rowid = 0"


def last(name: str, **columns: str) -> str:
    values = ", ".join(f'"{column}" = {value}' for column, value in columns.items())
    return (
        f"update marts.{name} set {values} "
        f"where rowid = (select max(rowid) from marts.{name})"
    )


DECISIONS = [
    "food_set_decisions",
    "food_set_recipients",
    "asp_extensions",
    "disability_extensions",
    "mse_queue",
    "mse_findings",
    "payout_schedule",
    "case_deadlines",
    "application_findings",
    "delivery_plan",
    "region_status",
]
LISTS = [
    "food_set_decisions",
    "food_set_recipients",
    "delivery_plan",
    "region_status",
]
KEYS = {
    "food_set_decisions": "ground",
    "asp_extensions": "award_id",
    "disability_extensions": "term_id",
    "mse_queue": "cause",
    "mse_findings": "check",
    "payout_schedule": "month",
    "case_deadlines": "step",
    "application_findings": "finding",
    "delivery_findings": "delivery_id",
    "region_status": "region_kato",
    "quarantine": "file",
    "snapshot_use": "entity",
    "law_coverage": "paragraph",
    "run": "run_id",
}
A_DELIVERY = (
    f"insert into marts.delivery_findings values ('d1', '{LIVING}', 'repeated', 'p30')"
)
SHARED_ACCOUNT = (
    "insert into marts.delivery_plan select '2020-04-01', 'i' || i, '190000000', "
    f"'p25_3', 'cash', null, 'account', '{IBAN}', 5556, 'outstanding', 'p28' "
    "from range(101) t(i)"
)
MANY_DEAD = (
    "insert into marts.food_set_decisions select '2020-04-01', 'i' || i, 'p25_3', "
    "'not_met', case when i < 21 then 'deceased' else 'term_not_in_force' end, 'p25', "
    "'190000000' from range(100) t(i)"
)
# What breaks each expectation. Several may be broken in one file: they add up.
RESULT_BREAKS: list[Breaks] = [
    {
        **{
            (name, "paragraph_in_force"): first(name, paragraph="'p99'")
            for name in DECISIONS
        },
        **{
            (name, "every_row_has_lineage"): f"delete from marts.evidence_{name}"
            for name in DECISIONS
        },
        ("delivery_findings", "nothing_found"): A_DELIVERY,
        ("delivery_findings", "every_row_has_lineage"): "select 1",
        ("delivery_findings", "paragraph_in_force"): (
            first("delivery_findings", paragraph="null")
        ),
        **{
            (name, "only_where_a_list_is_drawn"): (
                "update marts.run set list_drawn = false"
            )
            for name in LISTS
        },
        ("run", "note_where_no_list_is_drawn"): "select 1",
        ("run", "run_is_the_one_decided"): first("run", known_at="'2020-04-19'"),
        ("food_set_decisions", "ground_codes"): first(
            "food_set_decisions", ground="'p25_6'"
        ),
        ("food_set_decisions", "reason_codes"): first(
            "food_set_decisions", reason="'rich'"
        ),
        ("food_set_decisions", "reason_where_not_met"): "select 1",
        ("food_set_decisions", "region_codes"): first(
            "food_set_decisions", region_kato="'110100000'"
        ),
        ("food_set_decisions", "month_of_the_run"): first(
            "food_set_decisions", list_month="'2020-03-01'"
        ),
        ("food_set_decisions", "met_person_is_recipient"): "select 1",
        ("food_set_decisions", "outcome_codes"): last(
            "food_set_decisions", outcome="'maybe'"
        ),
        ("food_set_decisions", "dead_on_the_rolls"): MANY_DEAD,
        ("food_set_recipients", "recipient_has_met_ground"): "select 1",
        ("food_set_recipients", "grounds_are_the_met_ones"): first(
            "food_set_recipients", grounds="'p25_3'"
        ),
        ("food_set_recipients", "recipient_is_registered"): (
            f"delete from facts.people where iin = '{LIVING}'"
        ),
        ("food_set_recipients", "resident_holds_no_disability_ground"): (
            f"insert into facts.open_stays values ('{LIVING}', 1)"
        ),
        ("food_set_recipients", "district_lies_in_region"): first(
            "food_set_recipients", district_kato="'150100000'"
        ),
        ("food_set_recipients", "norm_is_of_the_region"): first(
            "food_set_recipients", set_cost="1"
        ),
        ("food_set_recipients", "mode_codes"): first(
            "food_set_recipients", mode="'gift'"
        ),
        ("asp_extensions", "outcome_codes"): last("asp_extensions", outcome="'maybe'"),
        ("asp_extensions", "reason_codes"): last("asp_extensions", reason="'rich'"),
        ("asp_extensions", "reason_where_not_extended"): first(
            "asp_extensions", new_period_end="null"
        ),
        ("asp_extensions", "extension_never_shortens"): "select 1",
        ("asp_extensions", "review_reason_codes"): first(
            "asp_extensions", review_reasons="'member_deceased|rich'"
        ),
        ("asp_extensions", "award_ends_in_the_emergency"): last(
            "asp_extensions", old_period_end="'2020-03-15'"
        ),
        ("asp_extensions", "amount_is_paid"): last(
            "asp_extensions", monthly_amount="-1"
        ),
        ("disability_extensions", "kind_codes"): last(
            "disability_extensions", kind="'x'"
        ),
        ("disability_extensions", "outcome_codes"): last(
            "disability_extensions", outcome="'maybe'"
        ),
        ("disability_extensions", "reason_codes"): last(
            "disability_extensions", reason="'rich'"
        ),
        ("disability_extensions", "extension_never_shortens"): first(
            "disability_extensions", new_valid_until="'2020-04-09'"
        ),
        ("disability_extensions", "extended_is_alive"): first(
            "disability_extensions", iin=f"'{DEAD}'"
        ),
        ("disability_extensions", "reason_where_not_extended"): last(
            "disability_extensions", new_valid_until="'2020-05-01'"
        ),
        ("mse_queue", "cause_codes"): first("mse_queue", cause="'turns_17'"),
        ("mse_queue", "due_in_the_emergency"): first(
            "mse_queue", due_on="'2020-03-15'"
        ),
        ("mse_queue", "queue_is_of_refused_terms"): "select 1",
        ("mse_findings", "check_codes"): last("mse_findings", check="'all'"),
        ("mse_findings", "outcome_codes"): last("mse_findings", outcome="'maybe'"),
        ("mse_findings", "finding_codes"): last("mse_findings", finding="'odd'"),
        ("mse_findings", "finding_where_found"): "select 1",
        ("mse_findings", "due_for_control_exam"): "select 1",
        ("payout_schedule", "benefit_codes"): first("payout_schedule", benefit="'x'"),
        ("payout_schedule", "basis_codes"): first("payout_schedule", basis="'x'"),
        ("payout_schedule", "money_adds_up"): first("payout_schedule", due_amount="7"),
        ("payout_schedule", "nothing_overpaid"): first(
            "payout_schedule", overpaid_amount="1"
        ),
        ("payout_schedule", "month_of_the_emergency"): first(
            "payout_schedule", month="'2020-02-01'"
        ),
        ("payout_schedule", "pay_day_is_set"): first("payout_schedule", pay_on="null"),
        ("case_deadlines", "case_kind_codes"): first("case_deadlines", case_kind="'x'"),
        ("case_deadlines", "step_codes"): first("case_deadlines", step="'x'"),
        ("case_deadlines", "status_codes"): first("case_deadlines", status="'x'"),
        ("case_deadlines", "status_agrees_with_dates"): "select 1",
        ("application_findings", "finding_codes"): first(
            "application_findings", finding="'incomplete'"
        ),
        ("delivery_plan", "allocation_codes"): first("delivery_plan", allocation="'x'"),
        ("delivery_plan", "allocation_agrees_with_mode"): "select 1",
        ("delivery_plan", "delivery_status_codes"): first(
            "delivery_plan", delivery_status="'lost'"
        ),
        ("delivery_plan", "amount_is_the_set_cost"): first("delivery_plan", amount="1"),
        ("delivery_plan", "contract_not_overdrawn"): (
            "update staging.stg_supply_contracts set sets_total = 0"
        ),
        ("delivery_plan", "account_not_shared"): SHARED_ACCOUNT,
        ("delivery_plan", "plan_is_the_list"): "select 1",
        ("delivery_plan", "contracts_cover_the_list"): (
            "insert into marts.delivery_plan (iin, region_kato, allocation) "
            "values ('x', '190000000', 'unallocated')"
        ),
        ("delivery_plan", "everyone_has_an_account"): (
            "insert into marts.delivery_plan (iin, region_kato, allocation) "
            "values ('x', '190000000', 'no_account')"
        ),
        ("region_status", "recipients_add_up"): first("region_status", recipients="2"),
        ("region_status", "amounts_add_up"): first(
            "region_status", amount_total="5557"
        ),
        ("region_status", "set_cost_plausible"): first(
            "region_status", norm_cost="53020.01"
        ),
        ("region_status", "published_set_costs_the_floor"): last(
            "region_status", publication="'published'"
        ),
        ("region_status", "blocked_by_codes"): "select 1",
        ("quarantine", "entity_codes"): first("quarantine", entity="'people'"),
        ("quarantine", "reason_codes"): first("quarantine", reason="'odd'"),
        ("quarantine", "row_number_counts_from_one"): first(
            "quarantine", row_number="0"
        ),
        ("quarantine", "agrees_with_snapshot_use"): "select 1",
        ("snapshot_use", "every_entity_used"): (
            "delete from marts.snapshot_use where entity = 'kato'"
        ),
        ("snapshot_use", "entity_codes"): first("snapshot_use", entity="'people'"),
        ("snapshot_use", "rows_accounted_for"): first(
            "snapshot_use", rows_accepted="9"
        ),
        ("snapshot_use", "known_by_the_day"): first(
            "snapshot_use", snapshot_date="'2020-04-21'"
        ),
        ("snapshot_use", "content_is_named"): first("snapshot_use", sha256="'ff'"),
        ("law_coverage", "status_codes"): first("law_coverage", status="'forgotten'"),
        ("law_coverage", "computed_by_a_model"): last("law_coverage", models="''"),
        ("law_coverage", "every_paragraph_listed"): (
            "insert into law.paragraphs values ('p31')"
        ),
        (
            "lineage",
            "entity_codes",
        ): "update landing.landed_files set entity = 'people'",
    },
    {
        **{
            (name, "lineage_names_a_row_once"): copied(f"evidence_{name}", times=1)
            for name in DECISIONS
        },
        ("delivery_findings", "lineage_names_a_row_once"): (
            "insert into marts.evidence_delivery_findings "
            f"select 'd1', {source_row(1)}, 'p99' from range(2)"
        ),
        **{
            (name, "lineage_is_sound"): first(f"evidence_{name}", paragraph="'p99'")
            for name in (*DECISIONS, "delivery_findings")
        },
        ("lineage", "table_name_codes"): lineage(mse_queue="queue"),
        **{(name, "grain_is_unique"): copied(name) for name in KEYS},
        ("food_set_recipients", "grain_is_unique"): copied("food_set_recipients"),
        ("delivery_findings", "grain_is_unique"): (
            f"{A_DELIVERY}; {copied('delivery_findings')}"
        ),
        ("run", "one_run"): "select 1",
        ("mse_findings", "every_check_of_a_term"): "select 1",
        **{
            (name, "key_is_complete"): first(name, **{key: "null"})
            for name, key in KEYS.items()
        },
        ("delivery_findings", "key_is_complete"): (
            "insert into marts.delivery_findings (finding) values ('x')"
        ),
        ("delivery_findings", "finding_codes"): "select 1",
        ("delivery_findings", "finding_agrees_with_the_list"): (
            f"insert into marts.delivery_findings values ('d9', '{LIVING}', "
            "'not_on_list', 'p30')"
        ),
        ("food_set_recipients", "recipient_is_alive"): (
            f"update facts.people set death_date = '2020-04-20' where iin = '{LIVING}'"
        ),
        ("food_set_recipients", "nobody_unassigned"): last(
            "food_set_recipients", region_kato="'unassigned'", district_kato="null"
        ),
        ("region_status", "publication_codes"): last(
            "region_status", publication="'kept'"
        ),
        ("region_status", "every_region_published"): (
            "insert into marts.region_status values ('190000000', 1, 0, null, 5302, "
            "'blocked', 'no_norm', 'p27')"
        ),
    },
]
BROKEN = [(n, name) for n, breaks in enumerate(RESULT_BREAKS) for name in breaks]


EVIDENCE_OF_TWO_SETS = (
    f"select iin || '|' || primary_ground, {source_row(1)}, 'p26' "
    "from marts.food_set_recipients"
)
# What may be wrong with a row of the evidence that is sound otherwise.
UNSOUND = {
    "no key": "row_key = null",
    "no row": "source_row = null",
    "no row of that number": f"source_row = {source_row(0)}",
    "no landed file": f"source_row = {source_row(1, file_no=2)}",
    "a row in quarantine": f"source_row = {source_row(8)}",
    "no paragraph": "paragraph = null",
    "a paragraph that is not in force": "paragraph = 'p99'",
}


@pytest.fixture(scope="module")
def good_result(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("result") / "run.duckdb"
    execute(file, result_tables())
    return file


@pytest.fixture(scope="module")
def bad_results(good_result: Path) -> list[Outcome]:
    outcomes = []
    for n, breaks in enumerate(RESULT_BREAKS):
        file = good_result.with_name(f"bad_{n}.duckdb")
        shutil.copy(good_result, file)
        execute(file, breaks.values())
        outcomes.append(check_result(file, good_result.parent / f"bad_{n}"))
    return outcomes


def personal_data_in(report: Path) -> list[str]:
    files = [file for file in report.rglob("*") if file.is_file()]
    files = [file for file in files if file.suffix in (".json", ".html")]
    assert files
    return [
        f"{file.name}: {text}"
        for file in files
        for text in PERSONAL
        if text in file.read_text(encoding="utf-8")
    ]


def test_good_marts_pass_every_check(good_result):
    outcome = check_result(good_result, good_result.parent / "good")
    outcome.raise_if_stopped()
    assert [r.message for r in outcome.results if r.verdict != "passed"] == []
    assert outcome.blocked_regions == {}
    assert set(by_name(outcome)) == expected(result_suites())


def test_every_check_of_a_mart_is_seen_to_fail():
    assert {name for _, name in BROKEN} == expected(result_suites())


@pytest.mark.parametrize(
    ("n", "name"), BROKEN, ids=[".".join(name) for _, name in BROKEN]
)
def test_bad_marts_fail(bad_results, n, name):
    result = by_name(bad_results[n])[name]
    assert not result.success
    assert "could not be checked" not in result.message
    assert result.verdict != "passed"
    assert (
        result.verdict
        in {
            "critical": ("stopped", "blocked"),
            "warning": ("warned",),
        }[result.severity]
    )


def test_a_regions_failure_blocks_that_region_only(bad_results):
    assert bad_results[0].blocked_regions == {
        "110000000": "set_cost_plausible",
        "190000000": "account_not_shared",
    }
    shared = by_name(bad_results[0])["delivery_plan", "account_not_shared"]
    assert shared.regions == {"190000000": 101}
    assert (
        shared.message == "delivery_plan: account_not_shared: 101 rows (190000000: 101)"
    )
    assert shared.message not in bad_results[0].stopped


def test_rows_of_no_region_stop_the_run(good_result, tmp_path):
    file = tmp_path / "run.duckdb"
    shutil.copy(good_result, file)
    execute(file, [first("region_status", norm_cost="60000", region_kato="null")])
    outcome = check("result", "region_status", file, tmp_path)
    assert outcome.blocked_regions == {}
    assert any("set_cost_plausible: 1 row" in line for line in outcome.stopped)


def test_two_sets_for_two_grounds_where_the_policy_says_so(good_result, tmp_path):
    file = tmp_path / "run.duckdb"
    shutil.copy(good_result, file)
    execute(
        file,
        [
            "update facts.run_context set food_set__sets_per_person = 'one_per_ground'",
            copied("food_set_recipients", times=1),
            last("food_set_recipients", primary_ground="'p25_5'"),
            "delete from marts.evidence_food_set_recipients",
            f"insert into marts.evidence_food_set_recipients {EVIDENCE_OF_TWO_SETS}",
        ],
    )
    check("result", "food_set_recipients", file, tmp_path).raise_if_stopped()


@pytest.mark.parametrize("wrong", UNSOUND)
def test_a_trace_leads_to_an_accepted_row_by_law(good_result, tmp_path, wrong):
    file = tmp_path / "run.duckdb"
    shutil.copy(good_result, file)
    execute(file, [f"update marts.evidence_mse_queue set {UNSOUND[wrong]}"])
    outcome = check("result", "mse_queue", file, tmp_path)
    assert "mse_queue: lineage_is_sound: 1 row" in outcome.stopped


def test_reports_hold_no_personal_data_and_are_the_owners_alone(
    bad_results, bad_door_outcome, good_result, bad_door
):
    reports = [good_result.parent / "bad_0", good_result.parent / "bad_1"]
    for report in [*reports, bad_door.parent / "bad"]:
        assert personal_data_in(report) == []
        for path in report.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path


def test_the_report_has_every_result_and_pages_that_need_no_network(
    bad_results, good_result
):
    report = good_result.parent / "bad_0"
    kept = json.loads((report / "validation" / "result.json").read_text())
    assert kept == json.loads(json.dumps(bad_results[0].as_json()))
    assert {(r["suite"], r["name"]) for r in kept["results"]} == expected(
        result_suites()
    )
    index = (report / "data_docs" / "index.html").read_text()
    for suite in result_suites():
        assert f'href="result/{suite.name}.html"' in index
        page = (report / "data_docs" / "result" / f"{suite.name}.html").read_text()
        assert "http" not in page
    assert "http" not in index
    assert "recipient_is_registered" in index


# The suite files


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    folder = tmp_path / "expectations"
    shutil.copytree(places.EXPECTATIONS, folder)
    return folder


def change_suite(folder: Path, change: Callable[[dict], object]) -> None:
    file = folder / "result" / "asp_extensions.yml"
    content = yaml.safe_load(file.read_text())
    change(content)
    file.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(sweet="yes"), "unknown key sweet"),
        (lambda s: s["expectations"][0].update(level=3), "unknown key level"),
        (lambda s: s["expectations"][0]["meta"].update(note=3), "unknown key note"),
        (lambda s: s["expectations"][0]["meta"].pop("reason"), "without reason"),
        (lambda s: s["expectations"][0]["meta"].pop("name"), "without name"),
        (lambda s: s["expectations"][0].update(severity="high"), "severity is"),
        (lambda s: s["expectations"][0]["meta"].update(scope="town"), "scope is"),
        (lambda s: s["expectations"].append(s["expectations"][0]), "two expectations"),
        (lambda s: s.update(table="marts.$nothing"), "unknown parameter"),
        (lambda s: s.update(include=["nothing"]), "cannot read"),
        (lambda s: s.update(name="other"), "name must be"),
        (
            lambda s: s["expectations"][0]["kwargs"].update(
                value_set={"$PARAMETER": "nothing"}
            ),
            "unknown parameter",
        ),
    ],
)
def test_a_wrong_suite_file_is_wrong_usage(suites, change, message):
    change_suite(suites, change)
    with pytest.raises(UsageError, match=message):
        result_suites(suites)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["expectations"][0].update(type="expect_luck"), "expect_luck"),
        (lambda s: s["expectations"][0]["kwargs"].update(luck=1), "luck"),
        (lambda s: s["expectations"][0]["kwargs"].pop("column"), "column"),
    ],
)
def test_an_expectation_gx_does_not_take_is_wrong_usage(
    suites, change, message, good_result, tmp_path
):
    change_suite(suites, change)
    with pytest.raises(UsageError, match=message) as wrong:
        _check("result", result_suites(suites), good_result, tmp_path, None)
    assert "\n" not in str(wrong.value)


def test_an_entity_without_a_suite_is_wrong_usage(suites):
    (suites / "door" / "kato.yml").unlink()
    with pytest.raises(UsageError, match="kato"):
        door_suites(suites)
