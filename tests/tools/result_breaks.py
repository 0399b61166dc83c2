"""What breaks each check of the marts by hand."""

from checked import CHILD, DEAD, IBAN, LIVING, Breaks
from result_tables import (
    DECISIONS,
    FOUND_NOTHING,
    KEYS_AND_PARAGRAPHS,
    copied,
    first,
    last,
    lineage,
    source_row,
)

LISTS = [
    "food_set_decisions",
    "food_set_recipients",
    "delivery_plan",
    "contract_findings",
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
    "jobseeker_findings": "finding",
    "application_findings": "finding",
    "food_set_lists": "list_month",
    "list_reconciliation": "region_kato",
    "region_status": "region_kato",
    "quarantine": "file",
    "snapshot_use": "entity",
    "law_coverage": "paragraph",
    "run": "run_id",
}
A_DELIVERY = (
    f"insert into marts.delivery_findings values ('d1', '{LIVING}', 'repeated', 'p30')"
)
A_CONTRACT = (
    "insert into marts.contract_findings values "
    "('c1', '110000000', 'price_differs', 'p28')"
)
SHARED_ACCOUNT = (
    "insert into marts.delivery_plan select '2020-04-01', 'i' || i, '190000000', "
    f"'p25_3', 'cash', null, 'account', '{IBAN}', 'i' || i, 5556, 'outstanding', 2, "
    "'entitled', 'p28' from range(101) t(i)"
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
        ("contract_findings", "nothing_found"): A_CONTRACT,
        **{(name, "every_row_has_lineage"): "select 1" for name in FOUND_NOTHING},
        **{
            (name, "paragraph_in_force"): first(name, paragraph="null")
            for name in FOUND_NOTHING
        },
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
        ("mse_queue", "due_as_the_term_ends"): first(
            "mse_queue", due_on="'2020-03-15'"
        ),
        ("mse_queue", "queue_is_of_who_comes_of_age"): (
            "update law.p17_disability_extension set examined_for = 'turns_18', "
            f"reason = 'turns_18' where iin = '{CHILD}'"
        ),
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
        ("jobseeker_findings", "finding_codes"): first(
            "jobseeker_findings", finding="'odd'"
        ),
        ("contract_findings", "finding_codes"): first(
            "contract_findings", finding="'odd'"
        ),
        ("food_set_lists", "standing_codes"): last(
            "food_set_lists", standing="'maybe'"
        ),
        ("food_set_lists", "delivery_status_codes"): last(
            "food_set_lists", delivery_status="'lost'"
        ),
        ("food_set_lists", "standing_agrees_with_the_row"): first(
            "food_set_lists", ended_on="'2020-04-20'"
        ),
        ("food_set_lists", "lists_go_on"): (
            "update staging.stg_lists set grounds = 'p25_5'"
        ),
        ("food_set_lists", "no_number_is_missing"): first(
            "food_set_lists", list_no="3"
        ),
        ("list_reconciliation", "sets_add_up"): first(
            "list_reconciliation", failed="1"
        ),
        ("list_reconciliation", "listed_are_the_lists"): first(
            "list_reconciliation", listed="1"
        ),
        ("delivery_plan", "allocation_codes"): first("delivery_plan", allocation="'x'"),
        ("delivery_plan", "allocation_agrees_with_mode"): last(
            "delivery_plan", delivery_status="'delivered'"
        ),
        ("delivery_plan", "delivery_status_codes"): first(
            "delivery_plan", delivery_status="'lost'"
        ),
        ("delivery_plan", "amount_is_the_set_cost"): first("delivery_plan", amount="1"),
        ("delivery_plan", "contract_not_overdrawn"): (
            "update staging.stg_supply_contracts set sets_total = 0"
        ),
        ("delivery_plan", "account_not_shared"): SHARED_ACCOUNT,
        ("delivery_plan", "plan_is_the_list"): first("delivery_plan", list_no="4"),
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
        **{
            (name, "lineage_names_a_row_once"): (
                f"insert into marts.evidence_{name} "
                f"select 'd1', {source_row(1)}, 'p28' from range(2)"
            )
            for name in FOUND_NOTHING
        },
        **{
            (name, "lineage_is_sound"): first(f"evidence_{name}", paragraph="'p99'")
            for name in KEYS_AND_PARAGRAPHS
        },
        ("lineage", "table_name_codes"): lineage(mse_queue="queue"),
        **{(name, "grain_is_unique"): copied(name) for name in KEYS},
        ("food_set_recipients", "grain_is_unique"): copied("food_set_recipients"),
        ("delivery_plan", "grain_is_unique"): copied("delivery_plan"),
        ("delivery_findings", "grain_is_unique"): (
            f"{A_DELIVERY}; {copied('delivery_findings')}"
        ),
        ("contract_findings", "grain_is_unique"): (
            f"{A_CONTRACT}; {copied('contract_findings')}"
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
        ("contract_findings", "key_is_complete"): (
            "insert into marts.contract_findings (finding) values ('price_differs')"
        ),
        ("food_set_lists", "every_recipient_is_listed"): (
            f"update marts.food_set_lists set standing = 'ended' where iin = '{LIVING}'"
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
PLAN_OF_ANOTHER_GROUND = (
    "select * replace ('p25_5' as primary_ground) from marts.delivery_plan"
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
