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
-- Contracts are signed a week before; March and April grow as one.
where n < 3 or starts_on <= getvariable('last') + 8;

-- From when to when each would be on a list, by ground; a new one from the next export.
create table spells as
with residents as (
    select i, min(admitted_on) as admitted_on,
        case when bool_and(discharged_on is not null) then max(discharged_on) end
            as discharged_on
    from stays
    where stay_kind = 'permanent'
    group by i
),
grounds as (
    select
        a.i, 'p25_1' as ground,
        greatest((a.birth_date + to_years(6))::date, exported(w.made_on)) as from_on,
        least((a.birth_date + to_years(18))::date, w.terminated_on, w.suspended_on) - 1
            as to_on
    from asp_people as a
    inner join asp_awards as w on w.hh = a.hh and w.award = 2
    union all
    select
        t.i, if(category = 'child', 'p25_2', 'p25_3'),
        greatest(
            exported(on_workday(t.established_on)),
            case when r.admitted_on <= getvariable('reference_date')
                then exported(r.discharged_on) end
        ),
        least(
            case when category = 'child'
                then (t.birth_date + to_years(16))::date - 1 end,
            case when r.admitted_on > getvariable('reference_date')
                then r.admitted_on - 1 end
        )
    from main_terms as t
    left join residents as r on r.i = t.i
    where (t.valid_until is null
            or t.valid_until >= getvariable('emergency_from') - to_months(1))
        and (r.i is null or r.admitted_on > getvariable('reference_date')
            or r.discharged_on is not null)
    union all
    select i, 'p25_4', exported(start_on), stop_on
    from awards
    where benefit = 'child_carer_allowance'
    union all
    select i, 'p25_5', unemployed_decided_on, deregistered_on - 1
    from cases
    where unemployed_decided_on is not null
)
select
    g.i, g.ground, g.from_on,
    coalesce(least(g.to_on, p.death_on - 1), date '9999-12-31') as to_on
from grounds as g
inner join people as p on p.i = g.i;

-- A month's list is drawn when it begins and supplemented in its middle and at its end.
create table listed as
with months as (
    select
        n, date_trunc('month', starts_on)::date as list_month, starts_on,
        last_day(starts_on) as ends_on,
        greatest(starts_on, date_trunc('month', starts_on)::date + 19) as drawn_on,
        greatest(starts_on, date_trunc('month', starts_on)::date + 1) as first_on,
        date_trunc('month', starts_on)::date + 13 as second_on,
        date_trunc('month', starts_on)::date + 27 as third_on
    from list_months
),
in_time as (
    select
        m.*, s.* exclude (from_on),
        case
            when s.from_on <= first_on then first_on
            when s.from_on <= second_on and first_on < second_on then second_on
            when s.from_on <= third_on then third_on
        end as listed_on,
        drawn_on between s.from_on and s.to_on as is_on_drawn
    from months as m
    inner join spells as s on s.from_on <= m.third_on and s.to_on >= m.first_on
),
by_person as (
    select
        n, list_month, starts_on, ends_on, drawn_on, i,
        min(listed_on) as listed_on, max(to_on) as ended_on,
        min(ground) filter (where is_on_drawn) as ground
    from in_time
    where listed_on <= to_on
    group by n, list_month, starts_on, ends_on, drawn_on, i
)
select
    g.*, p.iin, p.ghost, p.hh, p.death_on,
    coalesce(g.ended_on = p.death_on - 1, false) as is_ended_by_death,
    if(p.moved_on <= g.listed_on, left(p.moved_to, 2) || '0000000', p.region) as region
from by_person as g
inner join people as p on p.i = g.i;

create table expected as
select list_month, ground from listed where ground is not null;

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
    from listed as e
    inner join marginal_food_sets as f on f.kato = e.region and f.mode = 'in_kind'
    group by e.region, e.n, e.list_month, e.starts_on, e.ends_on
),
parts as (
    select *, unnest([1, 2]) as part, unnest([0.6, 0.4]) as size from needs
),
agreed as (
    select
        p.* replace (if(c.flaw = 'over_delivered' and p.n > 1, 0.1, p.size) as size),
        case when p.n > 1 then c.flaw end as flaw
    from parts as p
    left join marginal_contracts as c on c.kato = p.region and c.part = p.part
    union all
    -- What the small contract lacks is bought of a third supplier.
    select p.* replace (3 as part, 0.3 as size), null
    from parts as p
    inner join marginal_contracts as c
        on c.kato = p.region and c.part = p.part and c.flaw = 'over_delivered'
        and p.n > 1
),
suppliers as (
    select
        *, bin_stem(region::bigint + part)::bigint as stem,
        if(n = 1, 'march', 'april') as step
    from agreed
),
priced as (
    -- The price is the norm's; once that is decided anew, a supplement says so.
    select
        s.*, sealed(valid_stem(stem)) as bin, opening.set_cost as first_cost,
        case when s.n > 1 and s.flaw is distinct from 'price_kept'
            then raised.set_cost + if(s.flaw = 'price_above', 144, 0) end as later_cost,
        case when s.n > 1 then raised.decided_on end as redecided_on
    from suppliers as s
    inner join norms as opening
        on opening.kato = s.region and opening.step = s.step
    left join norms as raised
        on raised.kato = s.region and raised.step = 'redecided'
)
select
    row_number() over (order by n, region, part) as o, n, region, part, flaw,
    'K' || left(region, 2) || '-' || n || '-' || part as contract_id,
    case when flaw = 'invalid_bin'
        then left(bin, 11) || (right(bin, 1)::integer + 1) % 10 else bin end
        as supplier_bin,
    on_workday(starts_on - [0, 6, 8][n] + part - 1) as signed_on,
    starts_on as valid_from, ends_on as valid_to, first_cost, later_cost, redecided_on,
    case
        when n = 1 then ceil(sets * 0.4 * size)
        when cover < 1 then floor(sets * cover * size)
        else ceil(sets * cover * size)
    end::bigint as sets_total
from priced
order by o;

create table delivered as
with ordered as (
    select
        e.*, f.mode,
        row_number() over (partition by e.n order by draw(e.i, 'delivery' || e.n), e.i)
            as place,
        row_number() over (partition by e.n, e.region
            order by draw(e.i, 'delivery' || e.n), e.i) as region_place
    from listed as e
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
        end as wished_on
    from measured
),
befallen as (
    -- Nobody is served before they are listed.
    select
        d.* exclude (wished_on), f.situation as flaw,
        greatest(wished_on, listed_on
            + if(d.n = 1 or day(listed_on) = 2, 0, 1 + pick(i, 'wait', 4))) as due_on
    from dated as d
    asof left join (select * from flaws where entity = 'deliveries') as f
        on spread(d.region_place) >= f.from_share
),
handed as (
    -- Of those who have ended by their day some are served all the same.
    select
        * replace (
            case
                when ended_on >= due_on and flaw = 'late_for_the_month'
                    then ends_on + 1 + pick(i, 'late', 8)
                else due_on
            end as due_on,
            case
                when ended_on >= due_on then if(flaw in (
                    'no_contract', 'foreign_contract') and (mode = 'cash'
                    or draw(hh, 'no home') < 0.001), null, flaw)
            end as flaw
        )
    from befallen
    where ended_on >= due_on or draw(i, 'after the end' || n) < if(is_ended_by_death,
        getvariable('delivered_after_death_share'),
        getvariable('delivered_after_end_share'))
),
under_contract as (
    select
        h.*, h.due_on as delivered_on, k.contract_id, x.set_cost
    from handed as h
    left join contracts as k
        on h.mode = 'in_kind' and k.n = h.n and k.region = h.region
        and k.part = if(h.region_place % 5 < 3, 1, 2)
    asof left join (
        select kato, step = 'march' as is_march, decided_on, set_cost from norms
    ) as x
        on x.kato = h.region and x.is_march = (h.n = 1) and h.due_on >= x.decided_on
),
first_ones as (
    select
        (i * 10 + n) * 8 as o, n, i, iin, ghost, death_on, region, list_month, ends_on,
        mode,
        case
            when flaw = 'foreign_contract' then (
                select min(k.contract_id) from contracts as k
                where k.n = u.n and k.region > u.region
            )
            when flaw is distinct from 'no_contract' then contract_id
        end as contract_id,
        delivered_on,
        case when flaw = 'failed' then 'failed'
            when flaw = 'returned_only' then 'returned'
            else 'delivered' end as status,
        set_cost::decimal(18, 2) as amount, flaw
    from under_contract as u
),
later_ones as (
    -- What follows: a second attempt, a set brought back, a second set.
    select
        f.* replace (f.o + s.step as o, f.delivered_on + 4 * s.step as delivered_on,
            s.status as status)
    from first_ones as f
    inner join (values
        ('failed', 1, 'delivered', 0.0, 0.5), ('failed', 1, 'failed', 0.5, 0.6),
        ('failed', 2, 'delivered', 0.5, 0.6), ('returned', 1, 'returned', 0.0, 1.0),
        ('returned', 2, 'delivered', 0.0, 0.5), ('repeated', 1, 'delivered', 0.0, 1.0)
    ) as s(flaw, step, status, above, below)
        on s.flaw = f.flaw and draw(f.i, 'later' || f.n) >= s.above
        and draw(f.i, 'later' || f.n) < s.below
),
on_rolls as (
    select i from asp_people union select i from disabled
    union select i from cases union select i from awards
),
strangers as (
    select f.* replace (f.o + 4 as o, p.i as i, p.iin as iin,
        p.ghost as ghost, p.death_on as death_on, 'delivered' as status,
        'not_on_list' as flaw)
    from first_ones as f
    inner join regions as r on r.kato = f.region
    inner join people as p
        on p.i = r.first_person + pick(f.i, 'stranger', r.end_person - r.first_person)
    where draw(f.o, 'stranger') < getvariable('strangers_share')
        and p.moved_on is null and p.i not in (select i from on_rolls)
    qualify row_number() over (partition by p.i order by f.o) = 1
)
select *, 'D' || lpad(o::varchar, 11, '0') as delivery_id
from (
    select * from first_ones
    union all select * from later_ones
    union all select * from strangers
)
order by o;
