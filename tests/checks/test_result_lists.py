"""What the checks let pass and stop of the lists, their plan and their settlement."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from checked import CHILD, DEAD, IBAN, LIVING, check, execute
from komek.checks.outcome import Outcome

SUITES = "food_set_lists delivery_plan list_reconciliation"
AKMOLA, AKTOBE = "110000000", "150000000"
LISTS, PLAN = "marts.food_set_lists", "marts.delivery_plan"
APRIL = "list_month = '2020-04-01'"


@pytest.fixture
def checked(good_result: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """Change sound marts; check the suites of lists."""

    def change(*statements: str) -> Outcome:
        file = tmp_path / "run.duckdb"
        shutil.copy(good_result, file)
        execute(file, statements)
        return check("result", SUITES, file, tmp_path)

    return change


def failed(outcome: Outcome) -> set[str]:
    return {
        f"{result.suite}.{result.name}"
        for result in outcome.results
        if not result.success
    }


# Who is new where no list can be published: listed without a number, and planned.
HELD = (
    f"update marts.region_status set recipients = 1 where region_kato = '{AKTOBE}'",
    (
        f"insert into marts.food_set_recipients values ('2020-04-01', '{CHILD}', "
        f"'{AKTOBE}', '150100000', 'p25_2', 'p25_2', null, null, 'p26')"
    ),
    (
        f"insert into {LISTS} values ('2020-04-01', '{CHILD}', null, null, "
        f"'{AKTOBE}', '150100000', 'p25_2', 'p25_2', 'held', null, null, "
        "'outstanding', 'p26')"
    ),
    (
        f"insert into {PLAN} values ('2020-04-01', '{CHILD}', '{AKTOBE}', 'p25_2', "
        "null, null, 'unallocated', null, null, null, 'outstanding', null, 'held', "
        "'p28')"
    ),
    (
        "insert into marts.evidence_food_set_lists "
        f"select '{CHILD}|2020-04-01', source_row, paragraph "
        "from marts.evidence_food_set_lists limit 1"
    ),
    (
        "insert into marts.evidence_delivery_plan "
        f"select '{CHILD}', source_row, paragraph "
        "from marts.evidence_delivery_plan limit 1"
    ),
)
NOT_DRAWN = (
    "update marts.run set list_drawn = false, note = 'outside the emergency'",
    "update facts.run_context set list_drawn = false",
    f"delete from {PLAN}",
    "delete from marts.food_set_recipients",
)


def test_who_is_held_back_has_no_number_and_is_planned(checked):
    outcome = checked(*HELD)
    outcome.raise_if_stopped()
    # A warning: nothing serves them yet.
    assert failed(outcome) == {"delivery_plan.contracts_cover_the_list"}


def test_where_no_list_is_drawn_the_lists_go_on_without_a_plan(checked):
    assert failed(checked(*NOT_DRAWN)) == set()


def test_where_no_rule_is_in_force_no_list_goes_on(checked):
    outcome = checked(
        *NOT_DRAWN,
        "delete from law.rules_in_force",
        f"delete from {LISTS}",
        "delete from marts.list_reconciliation",
    )
    assert failed(outcome) == set()


def test_a_withdrawn_set_that_was_handed_over_is_no_withdrawn_one(checked):
    outcome = checked(
        f"update {PLAN} set delivery_status = 'delivered', allocation = 'allocated', "
        f"contract_id = 'c1', amount = 5556 where iin = '{DEAD}'"
    )
    assert failed(outcome) == set()


def test_the_sets_handed_over_do_not_use_a_contract_up(checked):
    another = (
        f"insert into {PLAN} select old.* replace ('p25_5' as primary_ground) "
        f"from {PLAN} old where iin = '{LIVING}'"
    )
    delivered = f"update {PLAN} set delivery_status = 'delivered'"
    overdrawn = "delivery_plan.contract_not_overdrawn"
    assert overdrawn in failed(checked(another))
    where = "where primary_ground = 'p25_5'"
    assert overdrawn not in failed(checked(another, f"{delivered} {where}"))


@pytest.mark.parametrize(
    ("name", "statements"),
    [
        *(
            ("food_set_lists.standing_agrees_with_the_row", (statement,))
            for statement in (
                f"update {LISTS} set standing = 'held' where {APRIL}",
                f"update {LISTS} set listed_on = null where iin = '{LIVING}'",
                f"update {LISTS} set list_no = null where iin = '{LIVING}'",
                f"update {LISTS} set ended_on = null",
                f"update {LISTS} set ended_reason = null",
                f"update {LISTS} set ended_reason = 'deceased'",
                f"update {LISTS} set standing = 'ended'",
            )
        ),
        *(
            ("food_set_lists.lists_go_on", (statement,))
            for statement in (
                f"delete from {LISTS} where iin = '{DEAD}'",
                f"update {LISTS} set list_no = 7 where iin = '{DEAD}'",
                f"update {LISTS} set listed_on = '2020-04-11' where iin = '{DEAD}'",
                f"update {LISTS} set region_kato = '{AKTOBE}' where iin = '{DEAD}'",
                f"update {LISTS} set district_kato = null where iin = '{DEAD}'",
                f"update {LISTS} set primary_ground = 'p25_2' where iin = '{DEAD}'",
                f"update {LISTS} set grounds = 'p25_2' where iin = '{DEAD}'",
            )
        ),
        *(
            ("food_set_lists.every_recipient_is_listed", (statement,))
            for statement in (
                f"delete from {LISTS} where iin = '{LIVING}' and {APRIL}",
                (
                    f"update {LISTS} set standing = 'held', list_no = null "
                    f"where iin = '{LIVING}' and {APRIL}"
                ),
            )
        ),
        (
            "food_set_lists.no_number_is_missing",
            (f"update {LISTS} set list_no = 2 where list_month = '2020-03-01'",),
        ),
        *(
            ("delivery_plan.plan_is_the_list", (statement,))
            for statement in (
                f"delete from {PLAN} where iin = '{DEAD}'",
                f"update {PLAN} set standing = 'ended' where iin = '{LIVING}'",
                f"update {PLAN} set list_no = null where iin = '{LIVING}'",
                f"update {PLAN} set region_kato = '{AKTOBE}' where iin = '{LIVING}'",
                f"update {PLAN} set iin = '{CHILD}' where iin = '{LIVING}'",
                "update facts.run_context set list_drawn = false",
            )
        ),
        ("delivery_plan.plan_is_the_list", (*HELD, f"delete from {LISTS}")),
        *(
            ("delivery_plan.allocation_agrees_with_mode", (statement,))
            for statement in (
                f"update {PLAN} set allocation = 'withdrawn' where iin = '{LIVING}'",
                f"update {PLAN} set allocation = 'unallocated' where iin = '{DEAD}'",
                f"update {PLAN} set contract_id = 'c1' where iin = '{DEAD}'",
                f"update {PLAN} set iban = '{IBAN}' where iin = '{LIVING}'",
                f"update {PLAN} set mode = 'cash' where iin = '{LIVING}'",
            )
        ),
        (
            "delivery_plan.amount_is_the_set_cost",
            (f"update {PLAN} set amount = 5556 where iin = '{DEAD}'",),
        ),
        *(
            ("list_reconciliation.sets_add_up", (statement,))
            for statement in (
                f"update marts.list_reconciliation set {change} where {APRIL}"
                for change in (
                    "outstanding = 1",
                    "withdrawn = 3",
                    "ended = 3",
                    "sets = 1, outstanding = 1",
                    "failed = -1, outstanding = 3",
                )
            )
        ),
        *(
            ("list_reconciliation.listed_are_the_lists", (statement,))
            for statement in (
                "delete from marts.list_reconciliation",
                f"delete from {LISTS} where list_month = '2020-03-01'",
                f"update {LISTS} set region_kato = '{AKTOBE}'",
            )
        ),
    ],
)
def test_what_is_not_the_list_as_it_stands_is_found(checked, name, statements):
    assert name in failed(checked(*statements))
