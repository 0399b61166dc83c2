-- Applications through "Electronic Appeal", with what the Rules ask of them.

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
        *, draw(o, 'service') as s,
        draw(o, 'applicant') as a
    from numbered
),
chosen as (
    select
        *,
        case
            when s < 0.30 then 15 when s < 0.45 then 20 when s < 0.57 then 25
            when s < 0.65 then 17 when s < 0.71 then 5 when s < 0.76 then 1
            else 1 + pick(o, 'any service', 25)
        end as service_code
    from asked
),
called as (
    select
        *,
        case when service_code = 15 and a < 0.25
            then 1 + pick(o, 'family', (select count(*) from asp_families)) end
            as family_no
    from chosen
),
applicants as (
    select
        c.*,
        coalesce(f.applicant, pick(c.o, 'who', scaled(getvariable('population')))) as i
    from called as c
    left join asp_families as f on f.family_no = c.family_no
),
grown_ups as (
    -- A child's application is handed in by the mother.
    select a.* replace (if(p.role in ('adult', 'elder'), p.i, p.hh) as i)
    from applicants as a
    inner join people as p on p.i = a.i
),
forwarded as (
    select
        *,
        on_workday(day + [0, 1, 1, 1, 2, 2, 3, 6][1 + pick(o, 'forwarding', 8)])
            as forwarded_on
    from grown_ups
),
checked as (
    select
        *, on_workday(forwarded_on + [0, 1, 1, 1, 2, 2, 4][1 + pick(o, 'checking', 7)])
            as checked_on
    from forwarded
),
formed as (
    select
        *, on_workday(checked_on + pick(o, 'contacting', 3)) as contacted_on,
        case when draw(o, 'too early') < 0.01 then forwarded_on
            else on_workday(checked_on + pick(o, 'forming', 4)) end as case_formed_on
    from checked
),
decided as (
    select
        *,
        on_workday(greatest(case_formed_on, checked_on) + 2 + pick(o, 'deciding', 8))
            as decided_on
    from formed
)
select
    d.*, p.iin, p.ghost, p.sex, p.hh,
    p.region, p.kato,
    on_workday(decided_on + pick(o, 'notifying', 3)) as notified_on
from decided as d
inner join people as p on p.i = d.i
order by o;
