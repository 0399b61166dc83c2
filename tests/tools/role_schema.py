"""What the roles' files are cut from, in a run's file by hand: there, and empty."""

SCHEMA = """
create schema landing;
create schema staging;
create schema law;
create table marts.food_set_decisions (
    list_month date, iin varchar, ground varchar, outcome varchar, reason varchar,
    paragraph varchar, region_kato varchar
);
create table marts.case_deadlines (
    case_kind varchar, case_id varchar, step varchar, paragraph varchar,
    started_on date, due_on date, done_on date, status varchar
);
create table marts.application_findings (
    application_id varchar, finding varchar, paragraph varchar
);
create table marts.jobseeker_findings (
    case_id varchar, iin varchar, finding varchar, paragraph varchar
);
create table marts.delivery_findings (
    delivery_id varchar, iin varchar, finding varchar, paragraph varchar
);
create table marts.asp_extensions (
    award_id varchar, family_id varchar, outcome varchar, reason varchar,
    review_reasons varchar, old_period_start date, old_period_end date,
    new_period_start date, new_period_end date, monthly_amount decimal(18, 2),
    paragraph varchar
);
create table marts.payout_schedule (
    award_id varchar, iin varchar, benefit varchar, month date, basis varchar,
    amount decimal(18, 2), paid_amount decimal(18, 2), due_amount decimal(18, 2),
    overpaid_amount decimal(18, 2), pay_on date, paragraph varchar
);
create table marts.disability_extensions (
    term_id varchar, iin varchar, kind varchar, category varchar, outcome varchar,
    reason varchar, old_valid_until date, new_valid_until date, paragraph varchar
);
create table marts.mse_queue (
    iin varchar, term_id varchar, cause varchar, due_on date, paragraph varchar
);
create table marts.mse_findings (
    term_id varchar, iin varchar, "check" varchar, outcome varchar, finding varchar,
    due_on date, paragraph varchar
);
create table marts.quarantine (
    entity varchar, snapshot_date date, file varchar, row_number bigint,
    reason varchar, key varchar
);
create table marts.snapshot_use (
    entity varchar, snapshot_date date, revision integer, sha256 varchar,
    rows_received bigint, rows_accepted bigint, rows_quarantined bigint,
    rows_duplicate bigint
);
create table facts.people (iin varchar, region_kato varchar);
create table facts.applications (
    application_id varchar, iin varchar, region_kato varchar
);
create table facts.jobseeker_cases (case_id varchar, iin varchar, centre_id varchar);
create table facts.deliveries (
    delivery_id varchar, iin varchar, list_month date, contract_id varchar,
    status varchar, delivered_on date, amount decimal(18, 2)
);
create table facts.supply_contracts (
    contract_id varchar, region_kato varchar, supplier_bin varchar, signed_on date,
    set_cost decimal(18, 2), sets_total bigint
);
create table law.p12_asp_extension (award_id varchar, applicant_iin varchar);
create table staging.stg_disability_terms (term_id varchar, mse_unit varchar);
create table landing.landed_files (
    file_no integer, entity varchar, snapshot_date date, file varchar
);
create table landing.landed_snapshots (
    entity varchar, snapshot_date date, revision integer, age_days integer
);
create table landing.food_set_norms (kato varchar, source_row bigint);
create table landing.supply_contracts (kato varchar, source_row bigint);
create table landing.deliveries (iin varchar, source_row bigint);
"""
