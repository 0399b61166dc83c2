-- The paragraphs of the Rules as one hand-written script. floor.py sets the variables
-- (the day, the emergency, the policies), leaves a view stg_<entity> of each registry's
-- accepted rows, and runs the sections one after the other.

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

create temp macro as_of() as getvariable('as_of');
create temp macro applies() as getvariable('applies');
create temp macro list_drawn() as getvariable('list_drawn');
create temp macro list_month() as getvariable('list_month');
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
    case_id, iin, registered_on,
    happened(work_offered_on) as work_offered_on,
    happened(draft_decision_on) as draft_decision_on,
    happened(unemployed_decided_on) as unemployed_decided_on,
    happened(deregistered_on) as deregistered_on
from stg_jobseekers
where applies() and registered_on <= as_of();

create temp table application as
select
    application_id, iin, last_name, first_name, postal_address, phone, service_code,
    region_kato, addressee, content, attachment_count, signed, submitted_on,
    survey_mode, notification_channel, reply_in_document_system,
    happened(forwarded_on) as forwarded_on,
    happened(checked_on) as checked_on,
    happened(case_formed_on) as case_formed_on,
    happened(decided_on) as decided_on,
    happened(notified_on) as notified_on
from stg_applications
where applies() and submitted_on <= as_of();

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
)
where iin is not null;

create temp table person as
select
    iin, birth_date, kato,
    death_date as any_death_date,
    happened(death_date) as death_date
from stg_persons
where iin in (select iin from needed);

-- ## p12
create temp table asp_outcome as
with candidate as (
    select
        *,
        period_end + 1 as new_start,
        plus_months(period_end + 1, 3) - 1 as new_end
    from asp_award
    where period_end between starts_on() and covered_until()
),
renewed as (
    select distinct candidate.award_id
    from candidate
    join asp_award as other
        on other.family_id = candidate.family_id
        and other.award_id <> candidate.award_id
        and candidate.new_start between other.period_start and other.period_end
    where other.status = 'active'
),
reasoned as (
    select
        candidate.*,
        case
            when status = 'terminated' then 'terminated'
            when
                status = 'suspended'
                and policy('asp.base') = 'active_at_period_end'
                then 'suspended'
            when award_id in (from renewed) then 'already_renewed'
        end as reason
    from candidate
),
reviewed as (
    select
        reasoned.award_id,
        bool_or(member.death_date is not null) as member_deceased,
        bool_or(
            birthday(member.birth_date, 18) between new_start and new_end
        ) as member_turns_18
    from reasoned
    join asp_member using (award_id)
    join person as member on member.iin = asp_member.iin
    group by reasoned.award_id
)
select
    reasoned.*,
    applicant.death_date is not null as applicant_deceased,
    coalesce(member_deceased, false) as member_deceased,
    coalesce(member_turns_18, false) as member_turns_18
from reasoned
left join reviewed using (award_id)
left join person as applicant on applicant.iin = reasoned.applicant_iin;

create table floor.asp_extensions as
select
    award_id, family_id,
    if(reason is null, 'extended', 'not_extended') as outcome,
    reason,
    if(
        reason is null,
        concat_ws(
            '|',
            if(applicant_deceased, 'applicant_deceased', null),
            if(member_deceased, 'member_deceased', null),
            if(member_turns_18, 'member_turns_18', null)
        ),
        ''
    ) as review_reasons,
    period_start as old_period_start,
    period_end as old_period_end,
    if(reason is null, new_start, null) as new_period_start,
    if(reason is null, new_end, null) as new_period_end,
    monthly_amount
from asp_outcome;

-- Awards with what they cover, the new period only where there is one.
create temp table asp_cover as
select
    asp_award.award_id, applicant_iin, period_start, period_end,
    extension.new_period_start, extension.new_period_end,
    status = 'active' or coalesce(extension.outcome = 'extended', false) as in_payment
from asp_award
left join floor.asp_extensions as extension using (award_id);

create temp macro covers(day, first_day, last_day, new_first_day, new_last_day) as
    day between first_day and last_day
    or coalesce(day between new_first_day and new_last_day, false);

-- ## p17
create temp table term_outcome as
with latest as (
    select iin, kind, max(decided_on) as decided_on
    from term
    group by iin, kind
),
candidate as (
    select *
    from term
    where valid_until between window_start() and covered_until()
)
select
    candidate.*,
    case
        when person.iin is null then 'not_in_population_register'
        when person.death_date is not null then 'deceased'
        when latest.decided_on > candidate.decided_on then 'superseded'
        when
            candidate.kind = 'disability'
            and category = 'child'
            and birthday(birth_date, 16) <= covered_until()
            then 'turns_16'
        when
            candidate.kind = 'disability'
            and category in ('group_1', 'group_2', 'group_3')
            and established_on < birthday(birth_date, 18)
            and birthday(birth_date, 18) <= covered_until()
            then 'turns_18'
    end as reason
from candidate
join latest using (iin, kind)
left join person using (iin);

create table floor.disability_extensions as
select
    term_id, iin, kind, category,
    if(reason is null, 'extended', 'not_extended') as outcome,
    reason,
    valid_until as old_valid_until,
    case
        when reason is not null then null
        when policy('disability.until') = 'plus_months'
            then greatest(
                valid_until,
                plus_months(valid_until, policy('disability.plus_months'))
            )
        else greatest(valid_until, covered_until())
    end as new_valid_until
from term_outcome;

create table floor.mse_queue as
select
    iin,
    first(term_id order by greatest(valid_until, starts_on()), term_id) as term_id,
    reason as cause,
    min(greatest(valid_until, starts_on())) as due_on
from term_outcome
where reason in ('turns_16', 'turns_18')
group by iin, reason;

create temp table disability as
select
    term.iin, term.category,
    within(
        as_of(), term.established_on, coalesce(new_valid_until, term.valid_until)
    ) as in_force
from term
left join floor.disability_extensions as extension using (term_id)
where term.kind = 'disability';

-- ## p16
create table floor.mse_findings as
with decided as (
    select *, plus_months(established_on, 6) as exam_due_on
    from term
    where decided_on between starts_on() and covered_until()
),
checked as (
    select
        term_id, iin, 'mode' as "check",
        if(decision_mode = 'in_absentia', 'ok', 'finding') as outcome,
        'wrong_mode' as finding,
        null::date as due_on
    from decided
    union all
    select
        term_id, iin, 'term',
        if(
            valid_until is not null and valid_until <= birthday(established_on, 1),
            'ok',
            'finding'
        ),
        'term_over_one_year',
        null
    from decided
    union all
    select
        term_id, iin, 'control_exam',
        case
            when exam_due_on >= as_of() then 'pending'
            when control_exam_on <= exam_due_on then 'ok'
            else 'finding'
        end,
        'control_exam_overdue',
        exam_due_on
    from decided
)
select
    term_id, iin, "check", outcome,
    if(outcome = 'finding', finding, null) as finding,
    due_on
from checked;

-- ## cases
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
    max(day) + 60 as last_day
from start;

-- ## p5 p6 p20 p21 p22
-- due: by the day a deadline starts, the first and the second working day from it.
create temp table due as
with counted as (
    select
        day, is_working,
        count(*) filter (is_working) over (order by day) as worked
    from calendar
),
worked as (
    select worked as number, day
    from counted
    where is_working
),
start as (
    select
        day,
        worked - if(is_working and policy('sla.start') = 'same_day', 1, 0) as before
    from counted
)
select start.day, first_one.day as first_on, second_one.day as second_on
from start
join worked as first_one on first_one.number = start.before + 1
join worked as second_one on second_one.number = start.before + 2;

create table floor.case_deadlines as
with jobseeker_match as (
    select
        jobseeker.*,
        due.first_on as match_due_on,
        coalesce(work_offered_on <= due.first_on, false) as offered_in_time
    from jobseeker
    join due on due.day = registered_on
),
step as (
    select
        'application' as case_kind, application_id as case_id, 'forward' as step,
        'p5' as paragraph, submitted_on as started_on, due.second_on as due_on,
        forwarded_on as done_on
    from application
    join due on due.day = submitted_on
    union all
    select
        'application', application_id, 'check', 'p6', forwarded_on, due.second_on,
        checked_on
    from application
    join due on due.day = forwarded_on
    union all
    select
        'jobseeker', case_id, 'match', 'p20', registered_on, match_due_on,
        work_offered_on
    from jobseeker_match
    union all
    select
        'jobseeker', case_id, 'draft', 'p21',
        if(offered_in_time, null, match_due_on),
        if(offered_in_time, null, due.first_on),
        if(offered_in_time, null, draft_decision_on)
    from jobseeker_match
    join due on due.day = match_due_on
    union all
    select
        'jobseeker', case_id, 'sign', 'p22', draft_decision_on, due.first_on,
        unemployed_decided_on
    from jobseeker
    join due on due.day = draft_decision_on
)
select
    *,
    case
        when due_on is null then 'not_applicable'
        when done_on <= due_on then 'met'
        when done_on is not null then 'late'
        when due_on >= as_of() then 'open'
        else 'overdue'
    end as status
from step;

-- ## p1 to p14
create temp table auto_extended as
select distinct application_id
from application
join (
    select award_id, iin from asp_member
    union
    select award_id, applicant_iin from asp_award
) as on_award using (iin)
join asp_cover using (award_id)
where
    service_code = 15
    and in_payment
    and covers(
        submitted_on, period_start, period_end, new_period_start, new_period_end
    );

create table floor.application_findings as
with known as (
    select
        application.*,
        auto_extended.application_id is not null as is_on_award,
        coalesce(service_code between 1 and 25, false) as is_covered,
        case
            when service_code between 1 and 6 or service_code between 16 and 18
                then 'state_corporation'
            when service_code = 20 then 'mse_department'
            when service_code between 1 and 25 then 'local_executive_body'
        end as expected_addressee
    from application
    left join auto_extended using (application_id)
),
judged as (
    select
        application_id,
        unnest([
            if(is_covered, null, ['service_not_covered', 'p1']),
            if(iin is null, ['incomplete:iin', 'p2'], null),
            if(last_name is null, ['incomplete:last_name', 'p2'], null),
            if(first_name is null, ['incomplete:first_name', 'p2'], null),
            if(postal_address is null, ['incomplete:postal_address', 'p2'], null),
            if(phone is null, ['incomplete:phone', 'p2'], null),
            if(region_kato is null, ['incomplete:region_kato', 'p2'], null),
            if(addressee is null, ['incomplete:addressee', 'p2'], null),
            if(content is null, ['incomplete:content', 'p2'], null),
            if(signed = 'true', null, ['not_signed', 'p2']),
            if(attachment_count >= 1, null, ['no_attachment', 'p2']),
            if(addressee <> expected_addressee, ['wrong_addressee', 'p3'], null),
            if(
                case_formed_on is not null
                and (checked_on is null or checked_on > case_formed_on),
                ['case_before_check', 'p8'],
                null
            ),
            if(
                notified_on is not null
                and notification_channel in ('sms', 'cabinet')
                and reply_in_document_system is distinct from 'false',
                ['duplicate_notification', 'p10'],
                null
            ),
            if(is_on_award, ['extended_automatically', 'p12'], null),
            if(
                service_code = 15
                and not is_on_award
                and decided_on is not null
                and survey_mode is distinct from 'remote',
                ['survey_not_remote', 'p13'],
                null
            ),
            if(
                service_code = 15
                and notified_on is not null
                and notification_channel is null,
                ['result_not_electronic', 'p14'],
                null
            )
        ]) as found
    from known
)
select application_id, found[1] as finding, found[2] as paragraph
from judged
where found is not null;

-- ## p24
create table floor.payout_schedule as
with entitled as (
    select distinct
        iin,
        if(
            kind = 'disability', 'disability_allowance', 'capacity_loss_payment'
        ) as benefit
    from floor.disability_extensions
    where outcome = 'extended' and kind in ('disability', 'general_capacity_loss')
),
month as (
    select
        unnest(
            generate_series(
                date_trunc('month', starts_on()), end_month(), interval 1 month
            )
        )::date as month
),
pay_day as (
    select month.month, max(calendar.day) as pay_on
    from month
    join calendar
        on calendar.is_working
        and calendar.day <= month.month + policy('payout.day')::integer - 1
    group by month.month
),
planned as (
    select
        award.award_id, award.iin, award.benefit, month.month,
        if(
            award.stop_on is null or award.stop_on >= last_day(month.month),
            'award',
            'extension'
        ) as basis,
        award.monthly_amount as amount
    from benefit_award as award
    semi join entitled using (iin, benefit)
    join person using (iin)
    join month on month.month >= date_trunc('month', award.start_on)
    where
        award.start_on <= covered_until()
        and (award.stop_on is null or award.stop_on >= window_start())
        and (any_death_date is null or any_death_date > month.month)
),
paid as (
    select award_id, month, sum(amount) as paid_amount
    from stg_benefit_payments
    where
        status = 'paid'
        and paid_on <= as_of()
        and award_id in (select award_id from planned)
    group by award_id, month
)
select
    planned.*,
    coalesce(paid_amount, 0)::decimal(18, 2) as paid_amount,
    greatest(amount - coalesce(paid_amount, 0), 0)::decimal(18, 2) as due_amount,
    greatest(coalesce(paid_amount, 0) - amount, 0)::decimal(18, 2) as overpaid_amount,
    pay_on,
    'p24' as paragraph
from planned
join pay_day using (month)
left join paid using (award_id, month);

-- ## p25
-- One row per person and ground; `failed` is the first condition that the person's best
-- record fails, null if a record meets them all. What depends on the person alone is
-- judged further down, in the same order.
create temp table candidate as
with carer_record as (
    select
        iin,
        dependant_iin as child_iin,
        within(as_of(), start_on, stop_on) as award_covers
    from benefit_award
    where
        benefit = 'child_carer_allowance'
        and policy('food_set.carer') = 'allowance_recipient'
    union all
    select parent_iin, child_iin, true
    from parent_link
    where policy('food_set.carer') = 'both_parents'
    union all
    select min(parent_iin), child_iin, true
    from parent_link
    join person on person.iin = parent_iin and person.death_date is null
    where policy('food_set.carer') = 'one_parent'
    group by child_iin
),
carer_judged as (
    select
        carer_record.iin,
        case
            when not award_covers then 1
            when child.iin is null or child.death_date is not null then 2
            when
                birthday(
                    child.birth_date,
                    policy('food_set.carer_child_age_limit')::integer
                ) <= as_of()
                then 3
            when child_iin not in (select iin from disability where in_force) then 4
            when
                policy('food_set.carer_child_in_institution') = 'exclude'
                and child_iin in (from resident)
                then 5
            else 6
        end as reached
    from carer_record
    left join person as child on child.iin = child_iin
),
best as (
    select
        iin, 'p25_1' as ground,
        if(bool_or(in_payment), null, 'award_not_active') as failed
    from asp_cover
    join asp_member using (award_id)
    where
        covers(as_of(), period_start, period_end, new_period_start, new_period_end)
    group by iin
    union all
    select
        iin, if(category = 'child', 'p25_2', 'p25_3'),
        if(bool_or(in_force), null, 'term_not_in_force')
    from disability
    where category is not null
    group by iin, category = 'child'
    union all
    select
        iin, 'p25_4',
        [
            'award_not_active', 'child_deceased', 'child_age_over_limit',
            'child_not_disabled', 'child_in_institution'
        ][max(reached)]
    from carer_judged
    group by iin
    union all
    select
        iin, 'p25_5',
        [
            'not_registered_unemployed', 'deregistered'
        ][max(
            case
                when unemployed_decided_on is null then 1
                when deregistered_on is not null then 2
                else 3
            end
        )]
    from jobseeker
    group by iin
)
select *
from best
where list_drawn();

-- ## p26
create temp table kato_on_day as
select
    kato,
    left(kato, 2) || '0000000' as region_kato,
    left(kato, 4) || '00000' as district_kato
from stg_kato
where
    list_drawn() and within(as_of(), valid_from, valid_to)
    -- Nine digits, or it is no code.
    and strlen(kato) = 9 and translate(kato, '0123456789', '') = '';

create temp table ledger as
with known as (
    select
        candidate.iin, candidate.ground, failed,
        person.iin is not null as is_registered,
        death_date is not null as is_dead,
        birth_date,
        coalesce(region_kato, 'unassigned') as region_kato,
        district_kato,
        resident.iin is not null as is_resident
    from candidate
    left join person using (iin)
    left join kato_on_day using (kato)
    left join resident using (iin)
)
select
    iin, ground, region_kato, district_kato,
    case
        when not is_registered then 'not_in_population_register'
        when is_dead then 'deceased'
        when failed is not null then failed
        when ground = 'p25_1' and as_of() < birthday(birth_date, 6) then 'under_6'
        when
            ground = 'p25_1'
            and as_of() >= birthday(
                birth_date,
                if(policy('food_set.age_upper') = 'through_age_18', 19, 18)
            )
            then 'age_18_or_over'
        when
            ground = 'p25_2' and as_of() >= birthday(birth_date, 16)
            then 'age_16_or_over'
        when
            is_resident
            and (
                ground in ('p25_2', 'p25_3')
                or policy('food_set.institution_scope') = 'all_grounds'
            )
            then 'resident_in_institution'
    end as reason
from known;

create table floor.food_set_decisions as
select
    list_month() as list_month, iin, ground,
    case reason
        when 'not_in_population_register' then 'undetermined'
        else if(reason is null, 'met', 'not_met')
    end as outcome,
    reason,
    'p25' as paragraph,
    region_kato
from ledger;

-- ## p27
create temp table norm as
select kato as region_kato, mode, set_cost
from stg_food_set_norms
where
    list_drawn()
    and within(as_of(), valid_from, valid_to)
    and decided_on <= as_of()
qualify row_number() over (
    partition by kato order by valid_from desc, decided_on desc, norm_id desc
) = 1;

create table floor.food_set_recipients as
with met as (
    select
        iin, region_kato, district_kato,
        bool_or(ground = 'p25_1') as p25_1,
        bool_or(ground = 'p25_2') as p25_2,
        bool_or(ground = 'p25_3') as p25_3,
        bool_or(ground = 'p25_4') as p25_4,
        bool_or(ground = 'p25_5') as p25_5
    from ledger
    where reason is null
    group by iin, region_kato, district_kato
),
listed as (
    select
        *,
        concat_ws(
            '|',
            if(p25_1, 'p25_1', null), if(p25_2, 'p25_2', null),
            if(p25_3, 'p25_3', null), if(p25_4, 'p25_4', null),
            if(p25_5, 'p25_5', null)
        ) as grounds
    from met
),
sets as (
    select
        iin, region_kato, district_kato, grounds,
        unnest(
            if(
                policy('food_set.sets_per_person') = 'one',
                [grounds[:5]],
                string_split(grounds, '|')
            )
        ) as primary_ground
    from listed
)
select
    list_month() as list_month, iin, region_kato, district_kato, primary_ground,
    grounds, mode, set_cost
from sets
left join norm using (region_kato);

create table floor.region_status as
with counted as (
    select
        region_kato, count(*) as recipients,
        coalesce(sum(set_cost), 0)::decimal(18, 2) as amount_total
    from floor.food_set_recipients
    group by region_kato
),
region as (
    select kato as region_kato from kato_on_day where kato like '%0000000'
    union
    select region_kato from counted
),
judged as (
    select
        region_kato,
        coalesce(recipients, 0) as recipients,
        coalesce(amount_total, 0)::decimal(18, 2) as amount_total,
        set_cost as norm_cost,
        floor_cost() as floor_cost,
        case
            when set_cost is null then 'no_norm'
            when set_cost < floor_cost() then 'below_floor'
        end as blocked_by
    from region
    left join counted using (region_kato)
    left join norm using (region_kato)
)
select
    region_kato, recipients, amount_total, norm_cost, floor_cost,
    if(blocked_by is null, 'published', 'blocked') as publication,
    blocked_by
from judged;

-- ## p28 p29 p30
create temp table delivery as
select
    delivery_id, iin, status,
    row_number() over (partition by iin order by delivered_on, delivery_id) as number
from stg_deliveries
where list_drawn() and list_month = list_month() and delivered_on <= as_of();

create temp table contract as
with in_force as (
    select contract_id, kato as region_kato, signed_on, sets_total
    from stg_supply_contracts
    where
        list_drawn()
        and signed_on <= as_of()
        and within(as_of(), valid_from, valid_to)
),
used as (
    select contract_id, count(*) as sets_used
    from stg_deliveries
    where
        status = 'delivered'
        and delivered_on <= as_of()
        and list_month < list_month()
        and contract_id in (select contract_id from in_force)
    group by contract_id
),
remaining as (
    select
        in_force.*,
        greatest(sets_total - coalesce(sets_used, 0), 0) as sets_left
    from in_force
    left join used using (contract_id)
)
select
    contract_id, region_kato,
    sum(sets_left) over earlier - sets_left as after_number,
    sum(sets_left) over earlier as up_to_number
from remaining
window earlier as (
    partition by region_kato order by signed_on, contract_id
    rows between unbounded preceding and current row
);

-- Two digits for a letter, from A = 10; the country and the check digits go last.
create temp macro iban_number(iban) as
    array_to_string(
        list_transform(
            string_split(iban[5:] || iban[1:4], ''),
            lambda c: if(c between '0' and '9', c, (ascii(c) - 55)::varchar)
        ),
        ''
    )::hugeint;

create temp table account as
with cash_recipient as (
    select distinct iin
    from floor.food_set_recipients
    where mode = 'cash'
),
shaped as materialized (
    select iin, iban, confirmed_on
    from stg_bank_accounts
    where
        confirmed_on <= as_of()
        and iin in (from cash_recipient)
        and regexp_full_match(iban, 'KZ[0-9]{5}[0-9A-Z]{13}')
)
select iin, iban
from shaped
where iban_number(iban) % 97 = 1
qualify row_number() over (partition by iin order by confirmed_on desc, iban) = 1;

create temp table planned_set as
select
    *,
    row_number() over (partition by iin order by primary_ground) as number,
    row_number() over (
        partition by region_kato order by iin, primary_ground
    ) as region_number
from floor.food_set_recipients;

create table floor.delivery_plan as
select
    list_month, iin, planned_set.region_kato, mode, contract_id,
    case
        when mode = 'cash' then if(iban is null, 'no_account', 'account')
        when contract_id is not null then 'allocated'
        else 'unallocated'
    end as allocation,
    iban,
    set_cost as amount,
    coalesce(delivery.status, 'outstanding') as delivery_status,
    number
from planned_set
left join contract
    on mode = 'in_kind'
    and contract.region_kato = planned_set.region_kato
    and region_number > after_number
    and region_number <= up_to_number
left join account using (iin)
left join delivery using (iin, number);

create table floor.delivery_findings as
with sets as (
    select iin, max(number) as sets
    from planned_set
    group by iin
)
select
    delivery_id, iin,
    if(sets is null, 'not_on_list', 'repeated') as finding
from delivery
left join sets using (iin)
where sets is null or number > sets;
