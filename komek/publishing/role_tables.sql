-- What the roles see of a published run, joined once: the file of each role is cut from
-- these tables. The run is attached as `run`. One statement per table, `;` between them.
create table places as
select
    kato,
    region_kato,
    district_kato,
    left(name_ru, {name_letters}) as name_ru,
    left(coalesce(name_kk, name_ru), {name_letters}) as name_kk
from run.facts.territories;

-- A person is a region's where one of their ledger rows or list rows is.
create table region_people as
select distinct
    region_kato,
    iin
from (
    select region_kato, iin from run.marts.food_set_decisions
    union all
    select region_kato, iin from run.marts.food_set_lists
)
order by region_kato, iin;

-- What the regions see of the rows of lists; of text that is long, its beginning.
create view recipients as
select
    list_month,
    iin,
    list_no,
    listed_on,
    region_kato,
    district_kato,
    primary_ground,
    grounds,
    standing,
    ended_on,
    ended_reason,
    mode,
    contract_id,
    allocation,
    iban,
    account_iin,
    amount,
    delivery_status,
    is_person,
    is_planned,
    paragraph,
    {beginnings},
    settlement_ru,
    coalesce(settlement_kk, settlement_ru) as settlement_kk,
    rowid as place
from listed_rows;

-- Every figure of lists and sets is a sum over these cells.
create table cells as
select
    region_kato,
    list_month,
    list_no,
    listed_on,
    district_kato,
    primary_ground,
    mode,
    allocation,
    delivery_status,
    standing,
    ended_reason,
    is_planned,
    count(*) as sets,
    count(*) filter (where is_person) as people,
    coalesce(sum(amount), 0)::decimal(18, 2) as amount
from recipients
group by all
order by all;

-- Of a list the hash is over what no later one changes: who was listed where and why.
create table lists as
select
    region_kato,
    list_month,
    list_no,
    listed_on,
    count(*) as listed,
    count(*) filter (where standing = 'ended') as ended,
    sha256(string_agg(
        concat_ws('|', iin, list_month, list_no, listed_on, district_kato, grounds),
        chr(10) order by district_kato nulls first, iin
    )) as sha256
from recipients
where list_no is not null and is_person
group by all
order by all;

create view people_regions as
select people.iin, people.region_kato from run.facts.people as people;

create table deliveries as
select
    listed.region_kato,
    deliveries.delivery_id,
    deliveries.iin,
    deliveries.list_month,
    deliveries.contract_id,
    deliveries.status,
    deliveries.delivered_on,
    deliveries.amount
from run.facts.deliveries as deliveries
inner join (select distinct region_kato, list_month, iin from recipients) as listed
    on
        deliveries.iin = listed.iin
        and deliveries.list_month = listed.list_month
order by 1, 3, 7, 2;

create table delivery_findings as
select
    people.region_kato,
    findings.delivery_id,
    findings.iin,
    findings.finding,
    findings.paragraph
from run.marts.delivery_findings as findings
inner join region_people as people on findings.iin = people.iin
order by all;

-- One join by the key of a case: a join per kind of case, each on a condition of its own,
-- takes minutes where this takes seconds.
create table deadlines as
with cases as (
    select
        'application' as case_kind,
        application_id as case_id,
        concat(left(region_kato, 2), '0000000') as region_kato
    from run.facts.applications
    union all
    select
        'jobseeker' as case_kind,
        cases.case_id,
        people.region_kato
    from run.facts.jobseeker_cases as cases
    left join people_regions as people on cases.iin = people.iin
)

select
    cases.region_kato,
    steps.case_kind,
    steps.case_id,
    steps.step,
    steps.paragraph,
    steps.started_on,
    steps.due_on,
    steps.done_on,
    steps.status
from run.marts.case_deadlines as steps
left join cases
    on
        steps.case_kind = cases.case_kind
        and steps.case_id = cases.case_id
order by all;

create table case_findings as
select
    concat(left(applications.region_kato, 2), '0000000') as region_kato,
    'application' as case_kind,
    findings.application_id as case_id,
    findings.finding,
    findings.paragraph
from run.marts.application_findings as findings
inner join run.facts.applications as applications
    on findings.application_id = applications.application_id
union all
select people.region_kato, 'jobseeker', findings.case_id, findings.finding,
    findings.paragraph
from run.marts.jobseeker_findings as findings
left join people_regions as people on findings.iin = people.iin
order by all;

create table extensions as
select
    people.region_kato,
    extensions.award_id,
    extensions.family_id,
    extensions.outcome,
    extensions.reason,
    extensions.review_reasons,
    extensions.old_period_end,
    extensions.new_period_start,
    extensions.new_period_end,
    extensions.monthly_amount,
    extensions.paragraph
from run.marts.asp_extensions as extensions
left join run.law.p12_asp_extension as awards
    on extensions.award_id = awards.award_id
left join people_regions as people on awards.applicant_iin = people.iin
order by all;

create table payouts as
select people.region_kato, schedule.*
from run.marts.payout_schedule as schedule
left join people_regions as people on schedule.iin = people.iin
order by people.region_kato, schedule.award_id, schedule.month;

create table terms as
select people.region_kato, terms.mse_unit, extensions.*
from run.marts.disability_extensions as extensions
left join run.staging.stg_disability_terms as terms
    on extensions.term_id = terms.term_id
left join people_regions as people on extensions.iin = people.iin
order by people.region_kato, extensions.term_id;

create table queue as
select people.region_kato, terms.mse_unit, queue.*
from run.marts.mse_queue as queue
left join run.staging.stg_disability_terms as terms on queue.term_id = terms.term_id
left join people_regions as people on queue.iin = people.iin
order by people.region_kato, queue.due_on, queue.iin, queue.cause;

create table examinations as
select people.region_kato, terms.mse_unit, findings.*
from run.marts.mse_findings as findings
left join run.staging.stg_disability_terms as terms
    on findings.term_id = terms.term_id
left join people_regions as people on findings.iin = people.iin
order by people.region_kato, findings.term_id, findings."check";

create table jobseekers as
select people.region_kato, cases.centre_id, steps.*
from run.marts.case_deadlines as steps
inner join run.facts.jobseeker_cases as cases on steps.case_id = cases.case_id
left join people_regions as people on cases.iin = people.iin
where steps.case_kind = 'jobseeker'
order by people.region_kato, steps.case_id, steps.step;

-- An example is a place in a file, never what stands there.
create table quarantine as
select
    entity,
    snapshot_date,
    file,
    reason,
    count(*) as rows,
    min(row_number) as example_row
from run.marts.quarantine
group by all
order by all;

-- The registries of the regions' own: the norms, the contracts, and the deliveries to
-- whoever is theirs, each row received with what it was rejected for.
create table own_received as
with received as (
    select 'food_set_norms' as entity, left(kato, 2) || '0000000' as region_kato,
        source_row
    from run.landing.food_set_norms
    union all
    select 'supply_contracts', left(kato, 2) || '0000000', source_row
    from run.landing.supply_contracts
    union all
    select 'deliveries', people.region_kato, received.source_row
    from run.landing.deliveries as received
    inner join region_people as people on received.iin = people.iin
)

select
    received.region_kato,
    files.entity,
    files.snapshot_date,
    files.file,
    received.source_row % {rows_per_file} as row_number
from received
inner join run.landing.landed_files as files
    on received.source_row // {rows_per_file} = files.file_no;

create table own_registries as
select region_kato, entity, snapshot_date, count(*) as rows_received
from own_received
group by all
order by all;

create table own_rejected as
select
    received.region_kato,
    received.entity,
    received.file,
    received.row_number,
    rejected.reason
from own_received as received
inner join run.marts.quarantine as rejected
    on
        received.entity = rejected.entity
        and received.file = rejected.file
        and received.row_number = rejected.row_number
order by all;

create table own_quarantine as
select
    region_kato,
    entity,
    file,
    reason,
    count(*) as rows,
    min(row_number) as example_row
from own_rejected
group by all
order by all;

create table registries as
select
    uses.*,
    landed.age_days
from run.marts.snapshot_use as uses
left join run.landing.landed_snapshots as landed using (entity, snapshot_date, revision)
order by uses.entity
