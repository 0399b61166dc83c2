-- The paragraphs of the Rules as hand-written scripts: floor.sql, floor_services.sql,
-- floor_sets.sql, floor_deliveries.sql, in this order. floor.py sets the variables (the
-- day, the emergency, the policies), fills the law tables and the earlier lists, leaves
-- a view stg_<entity> of each registry's accepted rows, and runs the sections one after
-- the other.

-- ## tables of the inputs
create schema floor;
create table floor.snapshot_use (
    entity varchar, snapshot_date date, revision integer, sha256 varchar,
    rows_received bigint, rows_accepted bigint,
    rows_quarantined bigint, rows_duplicate bigint
);
create temp table rejected (
    entity varchar, source_row bigint, reason varchar, key varchar
);
create temp table landed_file (entity varchar, file_no bigint, file varchar);

-- Law tables: every row that was recorded, known to the run or not.
create temp table law_step_days (
    step varchar, valid_from date, recorded_on date, days integer
);
create temp table law_addressee (service_code bigint, addressees varchar);
create temp table law_supplier (
    bin varchar, valid_from date, valid_to date, recorded_on date
);
-- p26: the lists published before, and what checks keep from being published.
create temp table earlier (
    list_month date, iin varchar, list_no bigint, listed_on date, region_kato varchar,
    district_kato varchar, primary_ground varchar, grounds varchar, ended_on date,
    ended_reason varchar
);
create temp table blocked_by_check (region_kato varchar, expectation varchar);

create temp macro as_of() as getvariable('as_of');
create temp macro known_at() as getvariable('known_at');
create temp macro applies() as getvariable('applies');
create temp macro list_drawn() as getvariable('list_drawn');
create temp macro list_month() as getvariable('list_month');
create temp macro edition_from() as getvariable('edition_from');
create temp macro procedure_from() as getvariable('procedure_from');
create temp macro starts_on() as getvariable('starts_on');
create temp macro covered_until() as getvariable('covered_until');
create temp macro window_start() as getvariable('window_start');
create temp macro end_month() as getvariable('end_month');
create temp macro floor_cost() as getvariable('floor_cost');
create temp macro policy(name) as getvariable('policies')[name];

-- Later than the day decided for: it has not happened yet.
create temp macro happened(day) as case when day <= getvariable('as_of') then day end;
-- Adding years or months clamps to the last day of the month.
create temp macro birthday(born, n) as (born + to_years(n::integer))::date;
create temp macro plus_months(day, n) as (day + to_months(n::integer))::date;
-- The check digit of an IIN and of a BIN; a sum of 10 asks for the second weights.
create temp macro weighted(number, weights) as list_sum(
    list_transform(
        range(1, 12), lambda place: weights[place] * try_cast(number[place] as integer)
    )
) % 11;
create temp macro is_number(number) as
    regexp_full_match(number, '[0-9]{12}')
    and number <> '000000000000'
    and try_cast(number[12] as integer) = case weighted(number, range(1, 12))
        when 10 then weighted(number, [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2])
        else weighted(number, range(1, 12))
    end;
create temp macro within(day, first_day, last_day) as
    day >= first_day and (last_day is null or day <= last_day);

-- ## quarantine
create table floor.quarantine as
select
    entity, use.snapshot_date, landed_file.file,
    rejected.source_row % 10000000000 as row_number, rejected.reason, rejected.key
from rejected
join floor.snapshot_use as use using (entity)
join landed_file
    on landed_file.entity = rejected.entity
    and landed_file.file_no = rejected.source_row // 10000000000;

-- ## facts
create temp table term as
select
    term_id, iin, kind, category, established_on, valid_until, decided_on,
    decision_mode, happened(control_exam_on) as control_exam_on
from stg_disability_terms
where applies() and decided_on <= as_of();

create temp table asp_award as
select
    award_id, family_id, applicant_iin, period_start, period_end, monthly_amount, status
from stg_asp_awards
where applies();

create temp table asp_member as
select award_id, iin
from stg_asp_members
where applies() and award_id in (select award_id from asp_award);

create temp table benefit_award as
select award_id, iin, benefit, dependant_iin, monthly_amount, start_on, stop_on
from stg_benefit_awards
where applies();

create temp table jobseeker as
select
    case_id, iin, centre_id, registered_on,
    happened(work_offered_on) as work_offered_on,
    happened(draft_decision_on) as draft_decision_on,
    happened(unemployed_decided_on) as unemployed_decided_on,
    happened(deregistered_on) as deregistered_on
from stg_jobseekers
where applies() and registered_on <= as_of();

create temp table application as
select
    application_id, iin, last_name, first_name, postal_address, phone, email,
    service_code, region_kato, addressee, content, attachment_count, signed,
    submitted_on, forwarded_to_kato, survey_mode, notification_channel,
    reply_in_document_system,
    happened(forwarded_on) as forwarded_on,
    happened(checked_on) as checked_on,
    happened(case_formed_on) as case_formed_on,
    happened(decided_on) as decided_on,
    happened(notified_on) as notified_on
from stg_applications
where
    applies()
    and submitted_on <= as_of()
    -- What begins outside the emergency is not the Rules' to judge.
    and submitted_on between procedure_from() and covered_until();

create temp table resident as
select distinct iin
from stg_institution_stays
where
    stay_kind = 'permanent'
    and admitted_on <= as_of()
    and (discharged_on is null or discharged_on > as_of());

-- Parents are looked for only where the policy puts them in the carers' place.
create temp table parent_link as
select child_iin, parent_iin
from stg_family_links
where
    list_drawn()
    and policy('food_set.carer') <> 'allowance_recipient'
    and within(as_of(), valid_from, valid_to)
    and child_iin in (select iin from term where kind = 'disability');

-- The classifier on the day; what is not nine digits is no code.
create temp table kato_on_day as
select
    kato,
    left(kato, 2) || '0000000' as region_kato,
    left(kato, 4) || '00000' as district_kato
from stg_kato
where
    applies() and within(as_of(), valid_from, valid_to)
    and strlen(kato) = 9 and translate(kato, '0123456789', '') = '';

-- ## people
-- Everyone a paragraph may ask about, then one scan of the population register.
create temp table needed as
select distinct iin
from (
    select iin from term
    union all
    select applicant_iin from asp_award
    union all
    select iin from asp_member
    union all
    select iin from jobseeker
    union all
    select unnest([iin, dependant_iin]) from benefit_award
    where benefit = 'child_carer_allowance'
    union all
    select parent_iin from parent_link
    union all
    select iin from application
    union all
    select iin from earlier
)
where iin is not null;

create temp table person as
select
    iin, birth_date, kato,
    death_date as any_death_date,
    happened(death_date) as death_date
from stg_persons
where iin in (select iin from needed);

-- ## calendar
create temp view calendar_span as
with start as (
    select submitted_on as day from application
    union all
    select forwarded_on from application
    union all
    select registered_on from jobseeker
    union all
    select draft_decision_on from jobseeker
    union all
    select unnest([starts_on() - 60, end_month() + 60])
)
select
    -- One day more: by sla.start a day may count as the first itself.
    greatest(min(day) - 1, date '0001-01-01') as first_day,
    max(day) + 120 as last_day
from start;
