"""Random nations reach every code of the law: what no row has is compared in vain."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

import floor
from komek.base.places import Home
from komek.landing.land import land
from random_nation import write_random_nation

CODES: dict[str, set[str]] = {
    "food_set_decisions.reason": {
        *("not_in_population_register", "deceased", "award_not_active", "under_6"),
        *("age_18_or_over", "term_not_in_force", "age_16_or_over"),
        *("resident_in_institution", "child_deceased", "child_age_over_limit"),
        *("child_not_disabled", "child_in_institution"),
        *("not_registered_unemployed", "deregistered"),
    },
    "food_set_lists.standing": {"entitled", "ended", "held"},
    "food_set_lists.list_no": {"1", "2"},
    "food_set_lists.ended_reason": {"deceased", "deregistered", "no_record"},
    "delivery_plan.allocation": {
        *("allocated", "unallocated", "account", "no_account", "withdrawn"),
    },
    "delivery_plan.delivery_status": {
        *("delivered", "failed", "returned", "outstanding"),
    },
    "delivery_findings.finding": {"not_on_list", "after_death", "repeated"},
    "contract_findings.finding": {
        *("invalid_bin", "below_floor", "price_differs", "over_delivered"),
    },
    "asp_extensions.reason": {
        *("terminated", "suspended", "already_renewed", "no_living_member"),
    },
    "disability_extensions.reason": {
        *("not_in_population_register", "deceased", "superseded"),
        *("turns_16", "turns_18"),
    },
    "mse_queue.cause": {"turns_16", "turns_18"},
    "mse_findings.finding": {
        *("wrong_mode", "term_over_one_year", "control_exam_overdue"),
    },
    "case_deadlines.status": {
        *("met", "late", "open", "overdue", "not_applicable", "no_match"),
    },
    "jobseeker_findings.finding": {
        *("decision_without_centre", "signed_without_draft", "signed_despite_offer"),
    },
    "application_findings.finding": {
        *("service_not_covered", "incomplete:phone", "not_signed", "no_attachment"),
        *("wrong_addressee", "wrong_office", "case_before_check", "no_channel"),
        *("duplicate_notification", "not_notified", "extended_automatically"),
        *("survey_not_remote", "result_not_electronic"),
    },
    "region_status.blocked_by": {"no_norm", "below_floor"},
    "payout_schedule.basis": {"award", "extension"},
}


def _day(as_of: str, **policies: str) -> floor.Day:
    day = dt.date.fromisoformat(as_of)
    return floor.Day(day, day, policies)


DAYS = (
    *(_day("2020-04-11"), _day("2020-04-20"), _day("2020-04-28"), _day("2020-05-04")),
    _day(
        "2020-05-08",
        **{
            "disability.age_transition": "examine",
            "food_set.sets_per_person": "one_per_ground",
        },
    ),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    found: list[Path] = []
    for seed in range(2):
        folder = tmp_path_factory.mktemp(f"reach_{seed}")
        write_random_nation(folder / "drop", seed)
        home = Home(folder / "home")
        land(home, folder / "drop")
        found += floor.compute_sequence(home.root, folder, DAYS)
    return found


def _values(files: Sequence[Path], place: str) -> Iterator[str]:
    table, _, column = place.partition(".")
    for file in files:
        with duckdb.connect(str(file), read_only=True) as connection:
            rows = connection.execute(
                f"select distinct {column} from floor.{table}"
            ).fetchall()
        yield from (str(row[0]) for row in rows)


@pytest.mark.parametrize("place", CODES)
def test_every_code_is_reached(files: Sequence[Path], place: str) -> None:
    assert CODES[place] - set(_values(files, place)) == set()


MOVED = """
    floor.food_set_lists as was
    join floor.food_set_recipients as now using (list_month, iin)
    where list_no is not null and was.region_kato <> now.region_kato
"""


@pytest.mark.parametrize(
    "rows",
    [
        MOVED,
        "floor.food_set_lists where list_month < '2020-05-01' and ended_on is not null",
        "floor.delivery_plan where account_iin <> iin",
        "floor.delivery_plan where contract_id = '?'",
        "floor.delivery_plan where number > 1",
        "floor.delivery_plan where standing = 'ended' and allocation <> 'withdrawn'",
        "floor.list_reconciliation where delivered > 0 and withdrawn > 0",
    ],
)
def test_what_happens_to_sets_is_reached(files: Sequence[Path], rows: str) -> None:
    assert any(_any(file, rows) for file in files)


def _any(file: Path, rows: str) -> bool:
    with duckdb.connect(str(file), read_only=True) as connection:
        return (
            connection.execute(f"select 1 from {rows} limit 1").fetchone() is not None
        )
