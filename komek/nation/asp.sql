-- Families with targeted social assistance, their awards and members.

create table asp_families as
with shared as (
    -- Where no share is published, what is left goes by population.
    select
        kato, coalesce(asp_families_share, (1 - sum(asp_families_share) over ())
            * thousand_people / sum(thousand_people)
                filter (where asp_families_share is null) over ()) as share
    from regions
),
cumulated as (
    select kato, sum(share) over (order by kato) as upto, share from shared
),
by_region as (
    select
        kato,
        round(scaled(getvariable('asp_families')) * upto)
        - round(scaled(getvariable('asp_families')) * (upto - share)) as families
    from cumulated
),
kinds as (
    select kind, any_value(asp_share) as share
    from marginal_households
    group by kind
),
kinds_cumulated as (
    select kind, share, sum(share) over (order by kind) as upto from kinds
),
wanted as (
    select
        kato as region, kind,
        round(families * upto) - round(families * (upto - share)) as families
    from by_region, kinds_cumulated
    where share > 0
),
candidates as (
    select
        p.region, p.hh, p.kind, p.i as applicant, p.iin, p.ghost, p.kato,
        w.families,
        row_number() over (
            partition by p.region, p.kind order by draw(p.hh, 'asp'), p.hh
        ) as n
    from people as p
    inner join wanted as w on w.region = p.region and w.kind = p.kind
    where p.member = 0
)
select
    * exclude (n, families), n > families as is_new,
    row_number() over (order by hh) as family_no
from candidates
where n <= families * (1 + getvariable('asp_new_share'));

create table asp_people as
select f.hh, f.is_new, p.i, p.iin, p.ghost, p.birth_date, p.region
from people as p
inner join asp_families as f on f.hh = p.hh
where p.member < 90
order by p.i;

-- One region's roll was not kept: every eighth member is dead, and of the families
-- every eighth has moved away.
update people
set
    death_on = getvariable('deaths_from') + pick(people.i, 'dead on the roll', 200)
from asp_people as m
where m.i = people.i and m.region = getvariable('stale_roll_region') and not m.is_new
    and draw(m.i, 'stale roll') < getvariable('stale_roll_dead_share')
    and people.birth_date < getvariable('deaths_from');

update people
set
    moved_on = getvariable('deaths_from') + pick(people.hh, 'moved off the roll', 200),
    moved_to = new_home(people.hh)
from asp_families as f
where f.hh = people.hh and f.region = getvariable('stale_roll_region')
    and not f.is_new
    and draw(f.hh, 'stale roll') < getvariable('stale_roll_moved_share');

create table asp_awards as
with drawn as (
    select
        *, draw(hh, 'asp start') as start_draw,
        case when draw(hh, 'asp end') < 0.02
            then getvariable('asp_year_start') + 30 + pick(hh, 'asp ended', 120)
        end as terminated_on,
        case when draw(hh, 'asp end') between 0.02 and 0.035
            then getvariable('asp_year_start') + 30 + pick(hh, 'asp paused', 120)
        end as suspended_on,
        if(draw(hh, 'asp kind') < 0.6, 'conditional', 'unconditional') as aid_kind,
        (6000 + pick(hh, 'asp amount', 60000) + pick(hh, 'asp tiyn', 100) / 100)
            ::decimal(18, 2) as monthly_amount
    from asp_families
),
current_awards as (
    select
        *, 2 as award,
        (getvariable('asp_year_start') + to_months(case
            when is_new then 3 + pick(hh, 'asp new', 2)
            when start_draw < getvariable('asp_start_march_share') then 2
            when start_draw < getvariable('asp_start_march_share')
                + getvariable('asp_start_february_share') then 1
            else 0
        end))::date as period_start
    from drawn
),
past_awards as (
    select
        * replace (null::date as terminated_on, null::date as suspended_on), 1 as award,
        (getvariable('asp_year_start') - to_months(3))::date as period_start
    from drawn
    where not is_new and draw(hh, 'asp before') < 0.3
),
renewals as (
    select
        * replace (3 as award,
            (getvariable('asp_year_start') + to_months(3))::date as period_start)
    from current_awards
    where period_start = getvariable('asp_year_start') and terminated_on is null
        and suspended_on is null and draw(hh, 'asp renewed') < 0.03
),
all_awards as (
    select * from current_awards
    union all by name select * from past_awards
    union all by name select * from renewals
)
select
    family_no * 10 + award as o, hh, family_no, is_new, region, kato, applicant, iin,
    ghost,
    'A' || lpad(family_no::varchar, 7, '0') || '-' || award as award_id,
    'F' || lpad(family_no::varchar, 7, '0') as family_id,
    award, aid_kind, period_start,
    (period_start + to_months(3))::date - 1 as period_end, monthly_amount,
    terminated_on, suspended_on,
    case
        when award = 3 or is_new
            then on_workday(period_start + pick(hh, 'asp made', 18))
        else period_start - 1 - pick(hh, 'asp made', 8)
    end as made_on
from all_awards
order by o;

-- A few families whose award runs since January and on which nobody lives any more:
-- a mother and her child.
update people
set death_on = getvariable('asp_year_start') + 50 + pick(people.hh, 'all died', 60)
from (
    select hh, row_number() over (order by draw(hh, 'all dead'), hh) as n
    from (
        select hh
        from asp_awards inner join asp_families using (hh)
        where kind = 'H' and award >= 2
        group by hh
        having count(*) = 1 and min(period_start) = getvariable('asp_year_start')
            and not bool_or(asp_families.is_new)
            and count(terminated_on) + count(suspended_on) = 0
    )
) as f
where f.hh = people.hh and people.member < 90
    and f.n <= greatest(2, scaled(getvariable('asp_families')
        * getvariable('asp_all_dead_share')));
