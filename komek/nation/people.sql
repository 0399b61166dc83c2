-- Everyone of the nation, and where they live. Regions follow one another; within one,
-- people come in hundreds of households as data/marginals/households.csv lists them.

create table regions as
with cumulated as (
    select
        *,
        sum(thousand_people) over (order by kato) as upto,
        sum(thousand_people) over () as total
    from marginal_regions
)
select
    kato, name_ru, name_kk, centre_ru, centre_kk, cities, districts, asp_families_share,
    thousand_people,
    round(scaled(getvariable('population')) * (upto - thousand_people) / total)::bigint
        as first_person,
    round(scaled(getvariable('population')) * upto / total)::bigint as end_person
from cumulated;

create table pattern as
with copies as (
    select *, unnest(range(copies)) as copy from marginal_households
),
placed as (
    select *, row_number() over (order by kind, copy, member) - 1 as place from copies
)
select
    place, kind, member, role, sex, age_from, age_to,
    min(place) over (partition by kind, copy) as first_place
from placed;

create table blocks as
with numbered as (
    select
        kato, cities, districts, first_person, end_person,
        unnest(range((end_person - first_person + 99) // 100)) as n
    from regions
)
select
    kato as region, cities, districts, first_person + 100 * n as first_person,
    least(100, end_person - first_person - 100 * n) as size
from numbered;

-- The classifier: the regions and centres are real, the rest is made up on their plan.
create table places as
with cities as (
    select kato as region, unnest(range(cities)) as n, centre_ru, centre_kk, name_ru,
        name_kk, districts = 0 as is_capital
    from regions
),
districts as (
    select kato as region, unnest(range(districts)) as n, name_ru, name_kk from regions
),
rural_districts as (
    select *, unnest(range(10)) as m from districts
),
settlements as (
    select *, unnest(range(3)) as s from rural_districts
)
select kato as region, kato, name_ru, name_kk, null::boolean as is_urban from regions
union all
select
    region, left(region, 2) || (10 + n + is_capital::integer) || '00000',
    case
        when is_capital then 'район № ' || (n + 1) || ', ' || name_ru
        when n = 0 then 'город ' || centre_ru
        else 'город № ' || (n + 1) || ', ' || name_ru
    end,
    case
        when is_capital then '№ ' || (n + 1) || ' аудан, ' || name_kk
        when n = 0 then centre_kk || ' қаласы'
        else '№ ' || (n + 1) || ' қала, ' || name_kk
    end, true
from cities
union all
select
    region, left(region, 2) || (32 + 2 * n) || '00000',
    'район № ' || (n + 1) || ', ' || name_ru,
    '№ ' || (n + 1) || ' аудан, ' || name_kk, null
from districts
union all
select
    region, left(region, 2) || (32 + 2 * n) || (30 + 2 * m) || '000',
    'сельский округ № ' || (m + 1), '№ ' || (m + 1) || ' ауылдық округ', null
from rural_districts
union all
select
    region, left(region, 2) || (32 + 2 * n) || (30 + 2 * m) || (s + 1) || '00',
    'село № ' || (s + 1), '№ ' || (s + 1) || ' ауыл', false
from settlements;

set variable capitals = (select list(left(kato, 2) order by kato) from regions
    where districts = 0);

create table people_and_births as
with residents as (
    select
        b.first_person + p.place as i, b.region, b.cities, b.districts,
        b.first_person + p.first_place as hh,
        p.kind, p.member, p.role,
        coalesce(p.sex, case
            when p.role = 'elder'
                then if(draw(b.first_person + p.place, 'sex') < 0.25, 'M', 'F')
            else if(draw(b.first_person + p.place, 'sex') < 0.513, 'M', 'F')
        end) as sex,
        draw(b.first_person + p.place, 'age') as a, p.age_from, p.age_to
    from blocks as b
    inner join pattern as p on p.place < b.size
),
aged as (
    -- Of the older there are ever fewer by the year, of the others as many in each.
    select
        * exclude (a, age_from, age_to),
        getvariable('reference_date') - floor(365.25 * (age_from + (age_to - age_from)
            * if(role = 'elder', 1 - sqrt(1 - a), a)))::integer as birth_date
    from residents
),
full_blocks as (
    select
        region, cities, districts, first_person,
        row_number() over (order by first_person) - 1 as n
    from blocks
    where size = 100
),
births as (
    select
        range as j,
        pick(range, 'birth block', (select count(*) from full_blocks)) as n
    from range(greatest(0, scaled(getvariable('births_per_year')
        * (getvariable('last') - getvariable('reference_date')) / 365)))
    where (select count(*) from full_blocks) > 0
),
mothers as (
    select first_place, row_number() over (order by first_place) - 1 as n
    from pattern where kind = 'B' and member = 0
),
newborns as (
    select
        scaled(getvariable('population')) + births.j as i, full_blocks.region,
        full_blocks.cities, full_blocks.districts,
        full_blocks.first_person + mothers.first_place as hh,
        'B' as kind, 90 as member, 'newborn' as role,
        if(draw(births.j, 'newborn sex') < 0.513, 'M', 'F') as sex,
        getvariable('reference_date') + 1 + pick(births.j, 'born',
            getvariable('last') - getvariable('reference_date')) as birth_date
    from births
    inner join full_blocks on full_blocks.n = births.n
    inner join mothers on mothers.n = pick(births.j, 'mother', 4)
)
select * from aged union all select * from newborns;

create table people as
with ranked as (
    select
        *,
        row_number() over (partition by birth_date, sex order by i) - 1 as k,
        districts = 0 or draw(hh, 'urban') < getvariable('urban_share_of_regions')
            as is_urban,
        draw(hh, 'move') < getvariable('moving_share') as moves,
        draw(i, 'death') / (
            case role
                when 'elder' then getvariable('death_rate_elder')
                when 'adult' then getvariable('death_rate_adult')
                else getvariable('death_rate_child')
            end) as years_to_death
    from people_and_births
),
dated as (
    select
        *,
        case when moves
            then getvariable('reference_date') + 1 + pick(hh, 'moved', 365)
        end as moved_on,
        case
            when years_to_death < 2
                and getvariable('deaths_from') + (years_to_death * 365)::integer
                > birth_date
            then getvariable('deaths_from') + (years_to_death * 365)::integer
        end as death_on,
        iin_stem(birth_date, sex, k, 0)::bigint as stem,
        iin_stem(birth_date, sex, k, 4)::bigint as ghost_stem
    from ranked
),
stemmed as (
    -- In steps, for a macro repeats its arguments.
    select
        * replace (valid_stem(stem) as stem, valid_stem(ghost_stem) as ghost_stem)
    from dated
)
select
    i, hh, kind, member, role, region, sex, birth_date, k, sealed(stem) as iin,
    sealed(ghost_stem) as ghost,
    left(region, 2) || case
        when districts = 0 then (11 + pick(hh, 'home', cities)) || '00000'
        when is_urban then (10 + pick(hh, 'home', cities)) || '00000'
        else (32 + 2 * pick(hh, 'home', districts))::varchar
            || (30 + 2 * pick(hh, 'rural district', 10))
            || (1 + pick(hh, 'settlement', 3)) || '00'
    end as kato,
    moved_on,
    case when moved_on is not null then new_home(hh) end as moved_to,
    death_on
from stemmed
order by i;

drop table people_and_births;
