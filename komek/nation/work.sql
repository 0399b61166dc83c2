-- Cases of jobseekers: their number follows data/marginals/unemployed.csv.

create table knots as
with stocks as (
    select
        "on", registered,
        -- With those that have left since, and those that found work instead or wait.
        (registered + (select registered from marginal_unemployed
            where "on" = getvariable('emergency_from'))
        * greatest(0, "on" - getvariable('emergency_from'))
        / getvariable('unemployed_left_days'))
        / (1 - getvariable('unemployed_offered_share') - (select rate
            from marginal_situations where situation = 'left_waiting')) as gross
    from marginal_unemployed
)
select
    "on" as starts_on, lead("on") over (order by "on") as ends_on,
    scaled(gross) as first_case, lead(scaled(gross)) over (order by "on") as end_case
from stocks;

create table cases as
with seekers as (
    select
        i, iin, region, kato, ghost,
        row_number() over (order by draw(i, 'work'), i) - 1 as n
    from people
    where role = 'adult' and birth_date between
        getvariable('reference_date') - to_years(60)
        and getvariable('reference_date') - to_years(18)
        and draw(i, 'work') < least(1, (600000 * getvariable('scale') + 100)
            / (getvariable('population') * getvariable('scale') * 0.5))
),
totals as (
    select
        min(first_case) as at_start,
        scaled(getvariable('unemployed_past')) as past
    from knots
),
numbered as (
    -- Past cases first, then those on the register, then those who come.
    select s.*, n - past as c, at_start from seekers as s, totals
),
decided as (
    select
        s.*, f.situation as flaw,
        case
            when c < 0 then knots_from - 60 - pick(i, 'decided', 120)
            when c < at_start then knots_from - 1 - pick(i, 'decided', 200)
            else k.starts_on + floor((c - k.first_case + 0.5)
                * (k.ends_on - k.starts_on) / (k.end_case - k.first_case))::integer
        end as decided_wish
    from numbered as s
    cross join (select min(starts_on) as knots_from from knots)
    left join knots as k on s.c >= k.first_case and s.c < k.end_case
    asof left join (select * from flaws where entity = 'jobseekers') as f
        on spread(s.n) >= f.from_share
),
workdays as (
    select
        * exclude (decided_wish),
        on_workday(decided_wish) as decided_on,
        draw(i, 'offer') as offer, draw(i, 'late') as late
    from decided
    where decided_wish <= getvariable('last') + 7
),
stepped as (
    -- Registered, a day later no work to offer, a day later the draft, then signed.
    select
        *,
        decided_on - case
            when isodow(decided_on) <= 3 then 5
            else 3
        end - case when late < 0.05 then 7 else 0 end as registered_on,
        offer < getvariable('unemployed_offered_share') and flaw is null as is_offered
    from workdays
),
first_cases as (
    select
        i, iin, ghost, region, kato, flaw, i * 2 as o, registered_on,
        case
            when is_offered then on_workday(registered_on + 1 + (late > 0.97)::integer)
            when flaw = 'signed_despite_offer' then on_workday(registered_on + 1)
            -- Work was found after all, when nobody needed it.
            when late > 0.97 and flaw is distinct from 'left_waiting'
                then on_workday(registered_on + 7)
        end as work_offered_on,
        case when not is_offered
            and (flaw is null or flaw not in ('signed_without_draft', 'left_waiting'))
            then greatest(on_workday(registered_on + 2), on_workday(decided_on - 1))
        end as draft_decision_on,
        case when not is_offered and flaw is distinct from 'left_waiting'
            then decided_on end as unemployed_decided_on,
        case
            when is_offered then on_workday(registered_on + 9 + pick(i, 'hired', 20))
            when flaw = 'left_waiting' then null
            when c < 0 then decided_on + 15 + pick(i, 'left', 45)
            when c < at_start and decided_on < getvariable('emergency_from')
                and pick(i, 'left', getvariable('unemployed_left_days')::integer)
                <= getvariable('last') - getvariable('emergency_from') + 7
                then getvariable('emergency_from') + 1
                    + pick(i, 'left', getvariable('unemployed_left_days')::integer)
        end as deregistered_on,
        case
            when is_offered then 'трудоустройство'
            else (['трудоустройство', 'собственное желание', 'неявка'])[1
                + pick(i, 'why', 3)]
        end as deregistration_reason
    from stepped
),
second_cases as (
    -- The work did not last: registered anew within a week or two.
    select
        * replace (
            o + 1 as o, null as flaw,
            on_workday(deregistered_on + 4 + pick(i, 'came back', 8)) as registered_on,
            null::date as work_offered_on,
            on_workday(on_workday(deregistered_on + 4 + pick(i, 'came back', 8)) + 2)
                as draft_decision_on,
            on_workday(on_workday(deregistered_on + 4 + pick(i, 'came back', 8)) + 3)
                as unemployed_decided_on,
            null::date as deregistered_on
        )
    from first_cases
    where deregistered_on > getvariable('emergency_from')
        and unemployed_decided_on is not null
        and draw(i, 'comes back') < getvariable('came_back_share')
)
select
    * exclude (deregistration_reason),
    'J' || lpad(o::varchar, 9, '0') as case_id,
    case when flaw is distinct from 'decision_without_centre'
        then 'C' || left(region, 2)
            || lpad((pick(i, 'centre', 12) + 1)::varchar, 2, '0')
    end as centre_id,
    deregistration_reason
from (select * from first_cases union all select * from second_cases)
order by o;
