-- Assistance, disability, and what is paid for them (p12, p16, p17, p24).

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
reviewed as (
    select
        candidate.award_id,
        -- A member who is not in the register is not known to be dead.
        bool_and(member.death_date is not null) as nobody_lives,
        bool_or(member.death_date is not null) as member_deceased,
        bool_or(
            birthday(member.birth_date, 18) between new_start and new_end
        ) as member_turns_18
    from candidate
    join asp_member using (award_id)
    left join person as member on member.iin = asp_member.iin
    group by candidate.award_id
)
select
    candidate.*,
    case
        when status = 'terminated' then 'terminated'
        when
            status = 'suspended' and policy('asp.base') = 'active_at_period_end'
            then 'suspended'
        when award_id in (from renewed) then 'already_renewed'
        when nobody_lives then 'no_living_member'
    end as reason,
    applicant.death_date is not null as applicant_deceased,
    coalesce(member_deceased, false) as member_deceased,
    coalesce(member_turns_18, false) as member_turns_18
from candidate
left join reviewed using (award_id)
left join person as applicant on applicant.iin = candidate.applicant_iin;

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
    person.iin is not null
    and person.death_date is null
    and latest.decided_on = candidate.decided_on
    and candidate.kind = 'disability' as may_turn,
    case
        when
            category = 'child'
            and birthday(birth_date, 16) between window_start() and covered_until()
            then 'turns_16'
        when
            category in ('group_1', 'group_2', 'group_3')
            and established_on < birthday(birth_date, 18)
            and birthday(birth_date, 18) between window_start() and covered_until()
            then 'turns_18'
    end as turns,
    case
        when person.iin is null then 'not_in_population_register'
        when person.death_date is not null then 'deceased'
        when latest.decided_on > candidate.decided_on then 'superseded'
        when may_turn and policy('disability.age_transition') = 'examine' then turns
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

-- Who turns 16 or 18 is examined in absentia, extended until then or not.
create table floor.mse_queue as
with due as (
    select
        term_outcome.iin, term_id, turns as cause,
        if(
            policy('disability.age_transition') = 'examine',
            greatest(valid_until, starts_on()),
            new_valid_until
        ) as due_on
    from term_outcome
    join floor.disability_extensions using (term_id)
    where may_turn and turns is not null
)
select
    iin, first(term_id order by due_on, term_id) as term_id, cause,
    min(due_on) as due_on
from due
group by iin, cause;

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
    where decided_on between procedure_from() and covered_until()
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
            when
                control_exam_on > established_on
                and control_exam_on <= exam_due_on
                then 'ok'
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
