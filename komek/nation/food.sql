-- Who will be on the lists, roughly as the Rules have it: it sizes the contracts and
-- makes the deliveries. The lists themselves are the pipeline's business.

create table list_months as
with numbered as (
    select
        unnest([1, 2, 3]) as n,
        unnest([
            getvariable('sets_march_from'),
            (date_trunc('month', getvariable('sets_march_from')) + to_months(1))::date,
            (date_trunc('month', getvariable('sets_march_from')) + to_months(2))::date
        ]) as starts_on
)
select * from numbered
-- Contracts are signed a few days before; March and April grow as one.
where n < 3 or starts_on <= getvariable('last') + 7;

create table expected as
with months as (
    select
        n, date_trunc('month', starts_on)::date as list_month, starts_on,
        last_day(starts_on) as ends_on,
        greatest(starts_on, date_trunc('month', starts_on)::date + 19) as drawn_on
    from list_months
),
residents as (
    select * from stays where stay_kind = 'permanent'
),
grounds as (
    select m.n, a.i, 'p25_1' as ground
    from months as m
    inner join asp_people as a
        on (a.birth_date + to_years(6))::date <= m.drawn_on
        and (a.birth_date + to_years(18))::date > m.drawn_on
    inner join asp_awards as w
        on w.hh = a.hh and w.award = 2 and w.made_on <= m.drawn_on
        and (w.terminated_on is null or w.terminated_on > m.drawn_on)
        and (w.suspended_on is null or w.suspended_on > m.drawn_on)
    union
    select m.n, t.i, if(category = 'child', 'p25_2', 'p25_3')
    from months as m
    inner join main_terms as t
        on (t.valid_until is null
            or t.valid_until >= getvariable('emergency_from') - to_months(1)
            and not (t.age in ('7 to 15', '16 to 17') and t.valid_until <= m.ends_on))
        and t.established_on <= m.drawn_on
        and (category <> 'child'
            or (t.birth_date + to_years(16))::date > m.drawn_on)
    left join residents as r
        on r.i = t.i and r.admitted_on <= m.drawn_on
        and (r.discharged_on is null or r.discharged_on > m.drawn_on)
    where r.i is null
    union
    select m.n, a.i, 'p25_4'
    from months as m
    inner join awards as a
        on a.benefit = 'child_carer_allowance' and a.start_on <= m.drawn_on
        and (a.stop_on is null or a.stop_on >= m.drawn_on)
    union
    select m.n, c.i, 'p25_5'
    from months as m
    inner join cases as c
        on c.unemployed_decided_on <= m.drawn_on
        and (c.deregistered_on is null or c.deregistered_on > m.drawn_on)
),
people_grounds as (
    select n, i, min(ground) as ground from grounds group by n, i
)
select
    g.n, m.list_month, m.starts_on, m.ends_on, m.drawn_on, g.i, g.ground, p.iin,
    p.ghost,
    if(p.moved_on <= m.drawn_on, left(p.moved_to, 2) || '0000000', p.region) as region
from people_grounds as g
inner join months as m on m.n = g.n
inner join people as p on p.i = g.i
where (p.death_on is null or p.death_on > m.drawn_on);

create table norms as
with steps as (
    select
        f.kato, coalesce(f.mode, 'in_kind') as mode, s.step, s.set_cost, s.valid_from,
        s.valid_to,
        case when s.step = 'redecided' then f.redecided
            else s.decided_from + pick(f.kato::bigint, s.step, 2) end as decided_on
    from marginal_food_sets as f
    cross join marginal_norms as s
    where f.mode is not null or s.step = 'redecided'
)
select
    row_number() over (order by decided_on, kato, step) as o, *,
    'N' || left(kato, 2) || '-' || row_number() over (
        partition by kato order by decided_on, step) as norm_id
from steps
order by o;

create table contracts as
with needs as (
    select e.region, e.n, e.list_month, e.starts_on, e.ends_on, count(*) as sets,
        any_value(f.contract_cover) as cover
    from expected as e
    inner join marginal_food_sets as f on f.kato = e.region and f.mode = 'in_kind'
    group by e.region, e.n, e.list_month, e.starts_on, e.ends_on
),
parts as (
    select *, unnest([1, 2]) as part, unnest([0.6, 0.4]) as size from needs
),
costs as (
    select max(set_cost) as set_cost from marginal_norms
)
select
    row_number() over (order by n, region, part) as o, n, region, part,
    'K' || left(region, 2) || '-' || n || '-' || part as contract_id,
    lpad((100000000000 + bits(region::bigint + part, 'bin') % 800000000000)::varchar,
        12, '0') as supplier_bin,
    on_workday(starts_on - if(n = 1, 0, 3) + part - 1) as signed_on,
    starts_on as valid_from, ends_on as valid_to, set_cost,
    case
        when n = 1 then ceil(sets * 0.4 * size)
        when cover < 1 then floor(sets * cover * size)
        else ceil(sets * cover * size)
    end::bigint as sets_total
from parts, costs
order by o;

create table delivered as
with ordered as (
    select
        e.*, f.mode,
        row_number() over (partition by e.n order by draw(e.i, 'delivery' || e.n), e.i)
            as place,
        row_number() over (partition by e.n, e.region
            order by draw(e.i, 'delivery' || e.n), e.i) as region_place
    from expected as e
    inner join marginal_food_sets as f on f.kato = e.region and f.mode is not null
),
queued as (
    -- March's sets, as many as were published, then April's; May's by themselves.
    select
        * replace (if(n = 2, place + scaled(getvariable('sets_march')), place) as place)
    from ordered
    where n > 1 or place <= scaled(getvariable('sets_march'))
),
measured as (
    select
        *, max(place) over (partition by n = 3) as last_place,
        scaled(getvariable('sets_first_days')) as at_once,
        max(ends_on) filter (where n = 2) over () - getvariable('sets_march_from') - 1
            as days
    from queued
),
dated as (
    -- After the first two days what is delivered grows by the same share each day.
    select
        *,
        case
            when n = 3 then starts_on + floor((place - 1)::double / last_place
                * (ends_on - starts_on + 1))::integer
            when place <= at_once then getvariable('sets_march_from')
                + (2 * place > at_once)::integer
            else getvariable('sets_march_from') + 1 + least(days, ceil(
                days * ln(place / at_once) / ln(last_place / at_once)))::integer
        end as delivered_on
    from measured
),
costed as (
    select d.*, x.set_cost
    from dated as d
    asof left join (
        select kato, step = 'march' as is_march, decided_on, set_cost from norms
    ) as x
        on x.kato = d.region and x.is_march = (d.n = 1)
        and d.delivered_on >= x.decided_on
),
first_ones as (
    select
        (c.i * 10 + c.n) * 4 as o, c.i, c.iin, c.ghost, c.list_month, c.mode,
        k.contract_id, c.delivered_on,
        case when draw(c.i, 'status' || c.n) < 0.025 then 'failed'
            when draw(c.i, 'status' || c.n) < 0.04 then 'returned'
            else 'delivered' end as status,
        coalesce(c.set_cost, k.set_cost)::decimal(18, 2) as amount
    from costed as c
    left join contracts as k
        on c.mode = 'in_kind' and k.n = c.n and k.region = c.region
        and k.part = if(c.region_place % 5 < 3, 1, 2)
),
repeated as (
    select * replace (o + 1 as o, delivered_on + 4 as delivered_on,
        'delivered' as status)
    from first_ones
    where draw(o, 'repeated') < if(status = 'delivered', 0.004, 0.5)
),
strangers as (
    select f.* replace (f.o + 2 as o, p.i as i, p.iin as iin,
        p.ghost as ghost)
    from first_ones as f
    inner join people as p
        on p.i = pick(f.i, 'stranger', scaled(getvariable('population')))
    where draw(f.o, 'stranger') < 0.003
)
select *, 'D' || lpad(o::varchar, 10, '0') as delivery_id
from (
    select * from first_ones
    union all select * from repeated
    union all select * from strangers
)
order by o;
