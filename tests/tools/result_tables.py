"""Marts by hand, as a sound run leaves them."""

from collections.abc import Iterable

from checked import CHILD, DEAD, LIVING, UNKNOWN
from komek.base import registries
from komek.runs.landed_views import ROWS_PER_FILE

# Of each mart whose rows have lineage: the key and paragraph of its evidence.
KEYS_AND_PARAGRAPHS = {
    "food_set_decisions": ("iin || '|' || ground", "p25"),
    "food_set_recipients": ("iin", "p26"),
    "asp_extensions": ("award_id", "p12"),
    "disability_extensions": ("term_id", "p17"),
    "mse_queue": ("iin || '|' || cause", "p17"),
    "mse_findings": ("term_id || '|' || \"check\"", "p16"),
    "payout_schedule": ("award_id || '|' || month", "p24"),
    "case_deadlines": ("case_kind || '|' || case_id || '|' || step", "p5"),
    "jobseeker_findings": ("case_id || '|' || finding", "p19"),
    "application_findings": ("application_id || '|' || finding", "p14"),
    "food_set_lists": ("iin || '|' || list_month", "p26"),
    "list_reconciliation": ("list_month || '|' || region_kato", "p26"),
    "delivery_plan": ("iin", "p28"),
    "delivery_findings": ("delivery_id", "p30"),
    "contract_findings": ("contract_id || '|' || finding", "p28"),
    "region_status": ("region_kato", "p27"),
}
# A row of these is a warning: sound marts have none.
FOUND_NOTHING = ("delivery_findings", "contract_findings")
DECISIONS = [name for name in KEYS_AND_PARAGRAPHS if name not in FOUND_NOTHING]
CONDITIONS = (
    ("p25_1", "not_in_population_register"),
    ("p25_3", "deceased"),
    ("p25_3", "term_not_in_force"),
    ("asp_extensions", "suspended"),
    ("disability_extensions", "turns_16"),
)
FINDINGS = (
    ("mse_findings", "wrong_mode"),
    ("mse_queue", "turns_16"),
    ("application_findings", "incomplete:phone"),
    ("jobseeker_findings", "decision_without_centre"),
    ("delivery_findings", "not_on_list"),
    ("delivery_findings", "repeated"),
    ("contract_findings", "price_differs"),
)


def mart(name: str, columns: str, *rows: str) -> Iterable[str]:
    yield f"create table {name} ({columns})"
    if rows:
        yield f"insert into {name} values {', '.join(f'({row})' for row in rows)}"


def result_tables() -> Iterable[str]:
    for schema in ("landing", "staging", "law", "facts", "marts"):
        yield f"create schema {schema}"
    numbers = (5, 12, 14, 16, 17, 19, 20, 24, 25, 26, 27, 28, 30)
    paragraphs = [f"'p{number}'" for number in numbers]
    yield from mart("law.paragraphs", "paragraph varchar", *paragraphs)
    yield from mart("law.paragraphs_in_force", "paragraph varchar", *paragraphs)
    yield from mart("law.rules_in_force", "model varchar", "'a_model'")
    yield from mart(
        "law.conditions",
        "decides varchar, reason varchar",
        *(f"'{decides}', '{reason}'" for decides, reason in CONDITIONS),
    )
    yield from mart(
        "law.finding_codes",
        "mart varchar, finding varchar",
        *(f"'{name}', '{finding}'" for name, finding in FINDINGS),
    )
    yield from mart(
        "law.p17_disability_extension",
        "iin varchar, outcome varchar, reason varchar, examined_for varchar",
        f"'{LIVING}', 'extended', null, null",
        f"'{CHILD}', 'not_extended', 'turns_16', 'turns_16'",
    )
    yield from mart(
        "marts.law_coverage",
        "paragraph varchar, status varchar, models varchar, title varchar",
        *(f"{paragraph}, 'computed', 'a_model', 'title'" for paragraph in paragraphs),
    )
    yield (
        "create table facts.run_context as select 'r1' as run_id, "
        "date '2020-04-20' as as_of, date '2020-04-20' as known_at, "
        "date '2020-04-01' as list_month, true as list_drawn, "
        "date '2020-03-16' as emergency_starts_on, "
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
        "facts.region_norms",
        "region_kato varchar, set_cost decimal(18, 2)",
        "'110000000', 5556",
    )
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
    yield from lists()
    yield from mart(
        "marts.delivery_plan",
        "list_month date, iin varchar, region_kato varchar, primary_ground varchar, "
        "mode varchar, contract_id varchar, allocation varchar, iban varchar, "
        "account_iin varchar, amount decimal(18, 2), delivery_status varchar, "
        "list_no integer, standing varchar, paragraph varchar",
        f"'2020-04-01', '{LIVING}', '110000000', 'p25_3', 'in_kind', 'c1', "
        "'allocated', null, null, 5556, 'outstanding', 2, 'entitled', 'p28'",
        f"'2020-04-01', '{DEAD}', '110000000', 'p25_3', 'in_kind', null, "
        "'withdrawn', null, null, null, 'outstanding', 1, 'ended', 'p28'",
    )
    yield from mart(
        "marts.jobseeker_findings",
        "case_id varchar, iin varchar, finding varchar, paragraph varchar",
        f"'j1', '{LIVING}', 'decision_without_centre', 'p19'",
    )
    yield from mart(
        "marts.contract_findings",
        "contract_id varchar, region_kato varchar, finding varchar, paragraph varchar",
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
    for name, (key, paragraph) in KEYS_AND_PARAGRAPHS.items():
        yield (
            f"create table marts.evidence_{name} as select {key} as row_key, "
            f"{source_row(1)} as source_row, '{paragraph}' as paragraph "
            f"from marts.{name}"
        )
    yield lineage()


def lists() -> Iterable[str]:
    """Lists of two months: who is new on one, who has ended, and what became of it."""
    yield from mart(
        "marts.food_set_lists",
        "list_month date, iin varchar, list_no integer, listed_on date, "
        "region_kato varchar, district_kato varchar, primary_ground varchar, "
        "grounds varchar, standing varchar, ended_on date, ended_reason varchar, "
        "delivery_status varchar, paragraph varchar",
        f"'2020-04-01', '{LIVING}', 2, '2020-04-20', '110000000', '110100000', "
        "'p25_3', 'p25_3|p25_5', 'entitled', null, null, 'outstanding', 'p26'",
        f"'2020-04-01', '{DEAD}', 1, '2020-04-10', '110000000', '110100000', "
        "'p25_3', 'p25_3', 'ended', '2020-04-20', 'deceased', 'outstanding', 'p26'",
        f"'2020-03-01', '{LIVING}', 1, '2020-03-20', '110000000', '110100000', "
        "'p25_3', 'p25_3', 'entitled', null, null, 'delivered', 'p26'",
    )
    yield (
        "create table staging.stg_lists as "
        "select list_month, iin, list_no, listed_on, region_kato, district_kato, "
        "primary_ground, grounds from marts.food_set_lists where list_no = 1"
    )
    yield from mart(
        "marts.list_reconciliation",
        "list_month date, region_kato varchar, listed bigint, ended bigint, "
        "sets bigint, delivered bigint, failed bigint, returned bigint, "
        "outstanding bigint, withdrawn bigint, amount_delivered decimal(18, 2), "
        "paragraph varchar",
        "'2020-04-01', '110000000', 2, 1, 2, 0, 0, 0, 2, 1, 0, 'p26'",
        "'2020-03-01', '110000000', 1, 0, 1, 1, 0, 0, 0, 0, 5556, 'p26'",
    )


def source_row(number: int, file_no: int = 1) -> str:
    return f"{file_no * ROWS_PER_FILE + number}::bigint"


def lineage(**names: str) -> str:
    """Put the evidence of every mart together, a mart under another name if given."""
    evidence = " union all ".join(
        f"select '{names.get(name, name)}' as table_name, * from marts.evidence_{name}"
        for name in KEYS_AND_PARAGRAPHS
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
