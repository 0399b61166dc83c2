"""Every check of a mart is seen to pass on good marts and to fail on bad."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml

from checked import by_name, check, execute, expected, personal_data_in
from komek.base import places
from komek.checks.check import check_result
from komek.checks.outcome import Outcome
from komek.checks.suites import result_suites
from personal_data import open_to_others
from result_breaks import (
    BROKEN,
    EVIDENCE_OF_TWO_SETS,
    PLAN_OF_ANOTHER_GROUND,
    RESULT_BREAKS,
    UNSOUND,
)
from result_tables import copied, first, last


@pytest.fixture(scope="module")
def bad_results(good_result: Path) -> list[Outcome]:
    outcomes = []
    for n, breaks in enumerate(RESULT_BREAKS):
        file = good_result.with_name(f"bad_{n}.duckdb")
        shutil.copy(good_result, file)
        execute(file, breaks.values())
        outcomes.append(check_result(file, good_result.parent / f"bad_{n}"))
    return outcomes


def test_good_marts_pass_every_check(good_result):
    outcome = check_result(good_result, good_result.parent / "good")
    outcome.raise_if_stopped()
    assert [r.message for r in outcome.results if r.verdict != "passed"] == []
    assert outcome.blocked_regions == {}
    assert set(by_name(outcome)) == expected(result_suites())


def test_marts_by_hand_have_the_columns_of_their_contracts(good_result):
    with duckdb.connect(str(good_result), read_only=True) as connection:
        by_hand = connection.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'marts' and table_name not like 'evidence_%'"
        ).fetchall()
    for table, column in by_hand:
        file = places.DBT_PROJECT / "models" / "marts" / f"{table}.yml"
        (model,) = yaml.safe_load(file.read_text())["models"]
        assert column in [declared["name"] for declared in model["columns"]], table


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
            "update staging.stg_supply_contracts set sets_total = 2",
            f"insert into marts.delivery_plan {PLAN_OF_ANOTHER_GROUND}",
        ],
    )
    check(
        "result", "food_set_recipients delivery_plan", file, tmp_path
    ).raise_if_stopped()


def test_an_extension_by_months_may_end_before_the_emergency(good_result, tmp_path):
    file = tmp_path / "run.duckdb"
    shutil.copy(good_result, file)
    # of the thirtieth day before it, by one month
    execute(
        file,
        [
            "update marts.disability_extensions set new_valid_until = '2020-03-15'",
            first("mse_queue", due_on="'2020-03-15'"),
        ],
    )
    outcome = check("result", "mse_queue", file, tmp_path)
    assert not any("due_as_the_term_ends" in line for line in outcome.stopped)


@pytest.mark.parametrize("wrong", UNSOUND)
def test_a_trace_leads_to_an_accepted_row_by_law(good_result, tmp_path, wrong):
    file = tmp_path / "run.duckdb"
    shutil.copy(good_result, file)
    execute(file, [f"update marts.evidence_mse_queue set {UNSOUND[wrong]}"])
    outcome = check("result", "mse_queue", file, tmp_path)
    assert "mse_queue: lineage_is_sound: 1 row" in outcome.stopped


def test_reports_hold_no_personal_data_and_are_the_owners_alone(
    bad_results, good_result
):
    for report in (good_result.parent / "bad_0", good_result.parent / "bad_1"):
        assert personal_data_in(report) == []
        assert open_to_others(report) == []


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
