-- Applications (p1 to p14) and jobseekers (p18 to p22): what happened, and when it had to.

-- ## p5 p6 p20 p21 p22
create temp table worked as
select
    row_number() over (order by day) as number, day
from calendar
where is_working;

-- How many working days are over where the count of a term that starts on a day begins.
create temp table days_over as
with counted as (
    select
        day, is_working,
        count(*) filter (is_working) over (order by day) as until_now
    from calendar
)
select
    day,
    until_now - if(is_working and policy('sla.start') = 'same_day', 1, 0) as over
from counted;

-- Of several records of one value the last one known.
create temp table step_days as
select step, valid_from, last(days order by recorded_on) as days
from law_step_days
where recorded_on <= known_at()
group by step, valid_from;

-- A step has the term in force on the day it starts, or on the edition's first day where
-- that is later: a later amendment does not shorten what is running.
create temp macro days_of(wanted, started) as coalesce(
    (
        select max_by(step_days.days, step_days.valid_from)
        from step_days
        where
            step_days.step = wanted
            and step_days.valid_from <= greatest(started, edition_from())
    ),
    error('no number of working days covers the start of a step')
);
create temp macro due(started, wanted) as (
    select worked.day
    from days_over
    join worked on worked.number = days_over.over + days_of(wanted, started)
    where days_over.day = started
);

-- The cases that began in the emergency, under the Rules.
create temp table judged_jobseeker as
with matched as (
    select *, due(registered_on, 'match') as match_due_on
    from jobseeker
    where registered_on between procedure_from() and covered_until()
)
select *, coalesce(work_offered_on <= match_due_on, false) as offered_in_time
from matched;

create table floor.case_deadlines as
with step as (
    select
        'application' as case_kind, application_id as case_id, 'forward' as step,
        'p5' as paragraph, submitted_on as started_on,
        due(submitted_on, 'forward') as due_on,
        forwarded_on as done_on
    from application
    union all
    select
        'application', application_id, 'check', 'p6', forwarded_on,
        due(forwarded_on, 'check'), checked_on
    from application
    where forwarded_on is not null
    union all
    select
        'jobseeker', case_id, 'match', 'p20', registered_on, match_due_on,
        work_offered_on
    from judged_jobseeker
    union all
    select
        'jobseeker', case_id, 'draft', 'p21', match_due_on, due(match_due_on, 'draft'),
        draft_decision_on
    from judged_jobseeker
    where not offered_in_time
    union all
    select 'jobseeker', case_id, 'draft', 'p21', null, null, null
    from judged_jobseeker
    where offered_in_time
    union all
    select
        'jobseeker', case_id, 'sign', 'p22', draft_decision_on,
        due(draft_decision_on, 'sign'), unemployed_decided_on
    from judged_jobseeker
    where draft_decision_on is not null
)
select
    *,
    case
        when due_on is null then 'not_applicable'
        when done_on <= due_on then 'met'
        when done_on is not null then 'late'
        when due_on >= as_of() then 'open'
        -- The centre owes help, not a job.
        when step = 'match' then 'no_match'
        else 'overdue'
    end as status
from step;

create table floor.jobseeker_findings as
with judged as (
    select
        case_id, iin,
        unnest([
            if(centre_id is null, ['decision_without_centre', 'p19'], null),
            if(draft_decision_on is null, ['signed_without_draft', 'p21'], null),
            if(offered_in_time, ['signed_despite_offer', 'p21'], null)
        ]) as found
    from judged_jobseeker
    where unemployed_decided_on is not null
)
select case_id, iin, found[1] as finding, found[2] as paragraph
from judged
where found is not null;

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
        -- A service may have several addressees, any of which is right.
        coalesce(
            service_code between 1 and 25
            and addressee not in (
                select unnest(string_split(law_addressee.addressees, '|'))
                from law_addressee
                where law_addressee.service_code = application.service_code
            ),
            false
        ) as is_misaddressed,
        -- Judged where the classifier knows both places.
        coalesce(
            forwarded_on is not null
            and forwarded_to_kato in (select kato from kato_on_day)
            and person.kato in (select kato from kato_on_day)
            and left(forwarded_to_kato, 4) <> left(person.kato, 4),
            false
        ) as is_elsewhere
    from application
    left join auto_extended using (application_id)
    left join person on person.iin = application.iin
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
            -- p7 asks for a telephone or an e-mail.
            if(
                phone is null and email is null, ['incomplete:phone', 'p2'], null
            ),
            if(region_kato is null, ['incomplete:region_kato', 'p2'], null),
            if(addressee is null, ['incomplete:addressee', 'p2'], null),
            if(content is null, ['incomplete:content', 'p2'], null),
            if(signed = 'true', null, ['not_signed', 'p2']),
            if(attachment_count >= 1, null, ['no_attachment', 'p2']),
            if(is_misaddressed, ['wrong_addressee', 'p3'], null),
            if(is_elsewhere, ['wrong_office', 'p5'], null),
            if(
                case_formed_on is not null
                and (checked_on is null or checked_on > case_formed_on),
                ['case_before_check', 'p8'],
                null
            ),
            if(
                notified_on is not null
                and notification_channel in ('sms', 'cabinet')
                and reply_in_document_system = 'true',
                ['duplicate_notification', 'p10'],
                null
            ),
            if(
                notified_on is not null and notification_channel is null,
                ['no_channel', 'p10'],
                null
            ),
            if(
                decided_on < as_of() and notified_on is null,
                ['not_notified', 'p10'],
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
