-- Applications through "Electronic Appeal", with what the Rules ask of them. What is
-- wrong with one is its `flaw`; it has one at most.

create table submitted as
with days as (
    select
        d::date as day,
        floor(getvariable('applications_per_day') * getvariable('scale')
            * if(d::date >= getvariable('emergency_from'), 1.2, 1)
            * if(isodow(d) >= 6, 0.3, 1)
            + draw(datediff('day', getvariable('applications_from'), d::date), 'day'))
            ::integer as applications
    from generate_series(getvariable('applications_from')::timestamp,
        getvariable('last')::timestamp, interval 1 day) as t(d)
),
numbered as (
    select
        day, row_number() over (order by day, n) as o
    from (select day, unnest(range(applications)) as n from days)
),
asked as (
    select
        n.day, n.o, f.situation as flaw, draw(n.o, 'service') as s
    from numbered as n
    asof left join (select * from flaws where entity = 'applications') as f
        on spread(n.o) >= f.from_share
),
chosen as (
    select
        *,
        case
            when flaw in ('extended_automatically', 'survey_not_remote',
                'result_not_electronic') then 15
            when s < 0.30 then 15 when s < 0.45 then 20 when s < 0.57 then 25
            when s < 0.65 then 17 when s < 0.71 then 5 when s < 0.76 then 1
            else 1 + pick(o, 'any service', 25)
        end as wished_service
    from asked
),
on_assistance as (
    -- Mothers whose family's award runs since January and goes on by itself in April.
    select
        applicant, row_number() over (order by a.hh) as n
    from asp_awards as a
    inner join people as p on p.i = a.applicant
    where a.award = 2 and a.period_start = getvariable('asp_year_start')
        and a.terminated_on is null and a.suspended_on is null and p.death_on is null
),
called as (
    select
        *,
        case when flaw = 'extended_automatically'
            then 1 + pick(o, 'family', (select count(*) from on_assistance)) end
            as family_no
    from chosen
),
applicants as (
    select
        c.* exclude (family_no),
        case when c.flaw = 'extended_automatically' then f.applicant
            else pick(c.o, 'who', scaled(getvariable('population'))) end as i
    from called as c
    left join on_assistance as f on f.n = c.family_no
),
grown_ups as (
    -- A child's application is handed in by the mother.
    select a.* replace (if(p.role in ('adult', 'elder'), p.i, p.hh) as i)
    from applicants as a
    inner join people as p on p.i = a.i
),
at_home as (
    -- Who is on assistance asks for it only as a flaw; who has moved or has no home is
    -- not sent elsewhere.
    select
        g.* replace (
            case
                when f.hh is not null and g.flaw in ('survey_not_remote',
                    'result_not_electronic') then null
                when g.flaw = 'wrong_office' and (p.moved_on is not null
                    or draw(p.hh, 'no home') < 0.001) then null
                else g.flaw
            end as flaw
        ),
        f.hh is not null as is_on_assistance,
        p.iin, p.ghost, p.sex, p.hh, p.region, p.kato, p.moved_on, p.moved_to
    from grown_ups as g
    inner join people as p on p.i = g.i
    left join asp_families as f on f.hh = p.hh
),
served as (
    select
        * exclude (wished_service),
        if(wished_service = 15 and is_on_assistance
            and flaw is distinct from 'extended_automatically', 25, wished_service)
            as service_code
    from at_home
),
forwarded as (
    select
        *,
        on_workday(day + [0, 1, 1, 1, 2, 2, 3, 6][1 + pick(o, 'forwarding', 8)])
            as forwarded_on
    from served
),
checked as (
    select
        *,
        on_workday(forwarded_on + case when flaw = 'case_before_check' then 1 else
            [0, 1, 1, 1, 2, 2, 4][1 + pick(o, 'checking', 7)] end) as checked_on
    from forwarded
),
formed as (
    select
        *, on_workday(checked_on + pick(o, 'contacting', 3)) as contacted_on,
        case when flaw = 'case_before_check' then forwarded_on
            else on_workday(checked_on + pick(o, 'forming', 4)) end as case_formed_on
    from checked
),
decided as (
    select
        *,
        on_workday(greatest(case_formed_on, checked_on) + 2 + pick(o, 'deciding', 8))
            as decided_on
    from formed
),
notified as (
    select *, on_workday(decided_on + pick(o, 'notifying', 3)) as notified_on
    from decided
)
select
    * replace (
        case when flaw <> 'case_before_check' or pick(o, 'unchecked', 2) = 0
            or flaw is null then checked_on end as checked_on,
        case when flaw is distinct from 'not_notified' then notified_on end
            as notified_on
    ),
    case
        when flaw = 'wrong_office'
            then if(list_contains(getvariable('capitals'), left(kato, 2)), '1110',
                left(new_home(o), 4))
        else left(if(moved_on <= greatest(forwarded_on, getvariable('reference_date')),
            moved_to, kato), 4)
    end || '00000' as forwarded_to_kato,
    case when service_code <> 15 then null
        when flaw = 'survey_not_remote' and pick(o, 'not surveyed', 4) = 0 then null
        when flaw = 'survey_not_remote' or day < getvariable('emergency_from')
            and draw(o, 'survey') < 0.7 then 'in_person'
        else 'remote' end as survey_mode
from notified
order by o;
