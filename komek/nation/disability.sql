-- People with disability, their terms, and stays in institutions.

create table disabled as
with aged as (
    select
        i, iin, ghost, hh, birth_date,
        case
            when birth_date > getvariable('reference_date') - to_years(7) then 'under 7'
            when birth_date > getvariable('reference_date') - to_years(16)
                then '7 to 15'
            when birth_date > getvariable('reference_date') - to_years(18)
                then '16 to 17'
            when role = 'elder' then 'elder'
            else 'adult'
        end as age
    from people
    where birth_date <= getvariable('reference_date')
),
adults as (
    select (getvariable('disability_group_1_share')
        + getvariable('disability_group_2_share')
        + getvariable('disability_group_3_share')) as share
),
wanted as (
    select 'under 7' as age, getvariable('disability_children_under_7') as people
    union all select '7 to 15', getvariable('disability_children_7_to_15')
    union all select '16 to 17', getvariable('disability_children_16_to_17')
    union all select 'elder', getvariable('disability_people')
        * getvariable('disability_elder_share')
    union all select 'adult', getvariable('disability_people')
        * (share - getvariable('disability_elder_share')) from adults
),
available as (
    select age, count(*) as people from aged group by age
),
likely as (
    -- A first cut that surely holds enough, so that few are ranked.
    select
        a.*, scaled(w.people) as wanted, draw(a.i, 'disability') as d
    from aged as a
    inner join wanted as w on w.age = a.age
    inner join available as n on n.age = a.age
    where draw(a.i, 'disability')
        < (w.people * getvariable('scale') * 1.1
            + 8 * sqrt(w.people * getvariable('scale')) + 20) / n.people
),
ranked as (
    select *, row_number() over (partition by age order by d, i) as n from likely
),
placed as (
    select *, n > wanted as is_new, draw(i, 'group') as g,
        greatest(0, least(1, (n - 0.5) / wanted)) as place
    from ranked
    where n <= wanted * (1 + getvariable('disability_new_share'))
)
select
    p.* exclude (d, wanted, n, g, place),
    case
        when p.age in ('under 7', '7 to 15') then 'child'
        when p.age = '16 to 17' and g < 0.2 then 'group_1'
        when p.age = '16 to 17' and g < 0.6 then 'group_2'
        when p.age = '16 to 17' then 'group_3'
        when if(is_new, g, place) < getvariable('disability_group_1_share') / share
            then 'group_1'
        when if(is_new, g, place) < (getvariable('disability_group_1_share')
            + getvariable('disability_group_2_share')) / share then 'group_2'
        else 'group_3'
    end as category,
    row_number() over (partition by p.is_new order by draw(p.i, 'benefit'), p.i)
        as benefit_rank,
    row_number() over (partition by p.is_new, p.age order by draw(p.i, 'loss'), p.i)
        as loss_rank
from placed as p, adults
order by p.i;

-- The term that counts on the reference date: how long, until when.
create table main_terms as
with drawn as (
    select
        disabled.*, draw(i, 'term') as d, draw(i, 'term end') as e,
        not is_new and draw(i, 'lapsed') < getvariable('disability_lapsed_share')
            as is_lapsed,
        (birth_date + to_years(16))::date as turns_16_on,
        (birth_date + to_years(18))::date as turns_18_on,
        (getvariable('emergency_from') - to_months(1))::date as window_from
    from disabled
),
near_birthdays as (
    -- Terms that run out in the emergency, of those who turn 16 or 18 in its window,
    -- just before or just after it; who turned 16 stays registered as a child.
    select
        *,
        not is_new and draw(i, 'across birthday')
            < getvariable('terms_across_birthday_share')
            and (turns_16_on between window_from - 31
                    and getvariable('emergency_until') + 31
                or turns_18_on between window_from - 31
                    and getvariable('emergency_until') + 31)
            as is_near_birthday
    from drawn
),
lengths as (
    select
        * replace (
            is_lapsed and not is_near_birthday as is_lapsed,
            if(is_near_birthday and turns_16_on between window_from - 31
                and getvariable('reference_date'), 'child', category) as category
        ),
        case
            when is_near_birthday then 1
            when is_new then if(d < 0.7, 1, 2)
            when category = 'child' then case
                when d < 0.2 then 1 when d < 0.4 then 2 when d < 0.55 then 5 end
            when age = '16 to 17' then case when d < 0.4 then 1 when d < 0.6 then 2 end
            when age = 'elder' then case when d < 0.1 then 1 end
            when category = 'group_1' then case
                when d < 0.3 then 1 when d < 0.4 then 5 end
            when category = 'group_2' then case
                when d < 0.4 then 1 when d < 0.5 then 5 end
            when d < 0.5 then 1
            when d < 0.6 then 5
        end as years
    from near_birthdays
),
ended as (
    select
        *,
        case
            when is_near_birthday then window_from
                + (e * (getvariable('emergency_until') - window_from))::integer
            when is_new then (getvariable('reference_date') + 1
                + (e * 91)::integer + to_years(years))::date - 1
            when years is not null and is_lapsed
                then getvariable('reference_date') - 1 - (e * 200)::integer
            -- As many fall due on each day, from two weeks before the reference date.
            when years is not null then getvariable('reference_date') - 14
                + (e * years * 365)::integer
            when category = 'child' then (birth_date + to_years(16))::date - 1
            when age = '16 to 17' then (birth_date + to_years(18))::date - 1
        end as valid_until
    from lengths
),
started as (
    select
        *,
        case
            when years is not null then (valid_until + 1 - to_years(years))::date
            when category = 'child' then birth_date
                + (draw(i, 'start')
                    * (getvariable('reference_date') - birth_date))::integer
            when age = '16 to 17' then (birth_date + to_years(16))::date
                + pick(i, 'start', 20)
            else getvariable('reference_date')
                - (draw(i, 'start') * (getvariable('reference_date') - birth_date
                    - 18 * 365))::integer
        end as wished_on
    from ended
)
select
    * exclude (d, e, wished_on, valid_until, turns_16_on, turns_18_on, window_from,
        is_near_birthday),
    greatest(wished_on, birth_date + 1) as established_on,
    -- Nobody is examined before birth, nor is a term over before it begins.
    case when valid_until is not null then greatest(valid_until, birth_date + 1) end
        as valid_until
from started;

create table terms as
with disability as (
    -- Of the first terms some are decided half a year after they began.
    select
        i * 10 + 1 as o, i, iin, ghost, 'disability' as kind, category,
        null::integer as degree_pct, established_on - backdated as established_on,
        valid_until - backdated as valid_until,
        on_workday(established_on) as decided_on
    from (
        select
            *,
            if(is_new and birth_date < established_on - 210
                and draw(i, 'backdated') < getvariable('term_backdated_share'), 200, 0)
                as backdated
        from main_terms
    )
),
earlier as (
    select
        i * 10 as o, i, iin, ghost, 'disability' as kind,
        if(established_on >= birth_date + to_years(17), category, 'child') as category,
        null::integer as degree_pct,
        greatest(birth_date, (established_on - to_years(years))::date)
            as established_on,
        established_on - 1 as valid_until,
        on_workday(greatest(birth_date, (established_on - to_years(years))::date))
            as decided_on
    from main_terms
    where years is not null and not is_new and established_on > birth_date + 400
        and draw(i, 'earlier') < 0.6
),
again as (
    -- Examined again, in absentia, about when the term would have run out.
    select
        i * 10 + 2 as o, i, iin, ghost, 'disability' as kind, category,
        null::integer as degree_pct,
        on_workday(greatest(valid_until - 5 + pick(i, 'again', 20),
            getvariable('emergency_from'))) as established_on,
        null::date as valid_until, null::date as decided_on
    from main_terms
    where not is_new and not is_lapsed and years is not null
        and valid_until >= getvariable('reference_date') - 14
        and draw(i, 'examined again') < 0.08
),
general as (
    select
        i * 10 + 3 as o, i, iin, ghost, 'general_capacity_loss' as kind,
        null::varchar as category,
        case category when 'group_1' then 80 when 'group_2' then 60 else 30 end
            + pick(i, 'degree', 20) as degree_pct,
        established_on, valid_until, on_workday(established_on) as decided_on
    from main_terms
    where not is_new and age = 'adult'
        and loss_rank <= scaled(getvariable('capacity_loss_payments'))
),
professional as (
    select
        i * 10 + 4 as o, i, iin, ghost, 'professional_capacity_loss' as kind,
        null::varchar as category, 5 + pick(i, 'degree', 85) as degree_pct,
        established_on, valid_until, on_workday(established_on) as decided_on
    from main_terms
    where not is_new and age = 'adult'
        and loss_rank - scaled(getvariable('capacity_loss_payments'))
        between 1 and scaled(getvariable('professional_capacity_losses'))
),
programme as (
    select
        i * 10 + 5 as o, i, iin, ghost, 'rehabilitation_programme' as kind,
        null::varchar as category, null::integer as degree_pct,
        established_on, valid_until, on_workday(established_on) as decided_on
    from main_terms
    where draw(i, 'programme') < getvariable('rehabilitation_share')
),
all_terms as (
    select * from disability
    union all by name select * from earlier
    union all by name select * replace (
        (established_on + to_years(if(draw(i, 'long') < 0.05, 2, 1)))::date - 1
            as valid_until,
        established_on as decided_on
    ) from again
    union all by name select * from general
    union all by name select * from professional
    union all by name select * from programme
)
select
    *,
    case
        when decided_on < getvariable('emergency_from') then 'in_person'
        when draw(o, 'mode') < 0.05 then 'in_person'
        else 'in_absentia'
    end as decision_mode,
    case
        when decided_on < getvariable('emergency_from') then null
        when draw(o, 'control') < getvariable('exam_before_term_share')
            then established_on - 3
        -- Of the backdated ones a third was examined in time, a third too early.
        when decided_on - established_on > 150 then (
            [null, established_on - 3, established_on + 100])[1 + pick(o, 'control', 3)]
        when draw(o, 'control') < 0.06
            then on_workday(established_on + 20 + pick(o, 'controlled', 40))
    end as control_exam_on,
    'МСЭ-' || (1 + pick(i, 'unit', 140)) as mse_unit
from all_terms
order by o;

create table stays as
with kinds as (
    select *,
        row_number() over (partition by category = 'child', category = 'group_3',
            is_new order by draw(i, 'resident'), i) as n
    from disabled
    where age not in ('16 to 17')
),
elders as (
    select i, iin, ghost, birth_date,
        row_number() over (order by draw(i, 'resident'), i) as n
    from people
    where role = 'elder' and draw(i, 'resident') < 0.05
        and i not in (select i from disabled)
),
chosen as (
    select i, iin, ghost, birth_date, n - scaled(getvariable('residents')
        * getvariable('residents_group_share')) as over
    from kinds where category in ('group_1', 'group_2') and not is_new
    union all
    select i, iin, ghost, birth_date, n - scaled(getvariable('residents')
        * getvariable('residents_child_share'))
    from kinds where category = 'child' and not is_new
        and birth_date < getvariable('reference_date') - to_years(3)
    union all
    select i, iin, ghost, birth_date,
        n - scaled(getvariable('residents') * (1 - getvariable('residents_group_share')
            - getvariable('residents_child_share')))
    from elders
),
permanent as (
    -- Beyond the residents of the reference date come those who left before or came
    -- after it.
    select
        i, iin, ghost, 'permanent' as stay_kind,
        case
            when over > 0 and pick(i, 'came', 2) = 0
                then getvariable('reference_date') + 1 + pick(i, 'admitted', 90)
            else greatest(birth_date,
                getvariable('reference_date') - 100 - pick(i, 'admitted', 4000))
        end as admitted_on,
        over,
        pick(i, 'came', 2) = 0 as came_later
    from chosen
    where over <= scaled(getvariable('residents')) * 0.1
),
visits as (
    select
        i, iin, ghost, if(draw(i, 'visit kind') < 0.4, 'temporary', 'day') as stay_kind,
        getvariable('reference_date') - 300 + pick(i, 'visit', 390) as admitted_on,
        row_number() over (order by draw(i, 'visitor'), i) as n
    from disabled
    where not is_new
),
all_stays as (
    select
        i, iin, ghost, stay_kind, admitted_on,
        case
            when over > 0 and not came_later
                then getvariable('reference_date') - 1 - pick(i, 'left', 90)
            when over <= 0 and draw(i, 'leaves') < 0.06
                then getvariable('reference_date') + 1 + pick(i, 'left', 92)
        end as discharged_on
    from permanent
    union all
    select i, iin, ghost, stay_kind, admitted_on,
        case when draw(i, 'visit over') < 0.6
            then admitted_on + 5 + pick(i, 'visit length', 90) end
    from visits
    where n <= scaled(getvariable('visitors'))
)
select
    *, row_number() over (order by i, stay_kind) as o,
    'I' || lpad((pick(i, 'institution', 112) + 1)::varchar, 3, '0') as institution_id
from all_stays
order by o;
