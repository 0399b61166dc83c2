-- People and tenge of two runs, `before` and `after`: of the country, by region,
-- district and ground. A person counts once in each, with what all their sets cost.
with

recipients as (
    select
        'before' as side,
        iin,
        region_kato,
        district_kato,
        primary_ground,
        set_cost
    from before.marts.food_set_recipients
    union all
    select
        'after' as side,
        iin,
        region_kato,
        district_kato,
        primary_ground,
        set_cost
    from after.marts.food_set_recipients
),

counted as (
    select
        side,
        iin,
        set_cost,
        unnest([
            {'kind': 'country', 'code': 'KZ'},
            {'kind': 'region', 'code': region_kato},
            {'kind': 'district', 'code': coalesce(district_kato, 'unassigned')},
            {'kind': 'ground', 'code': primary_ground}
        ]) as place
    from recipients
),

persons as (
    select
        place.kind as kind,
        place.code as code,
        iin,
        bool_or(side = 'before') as was,
        bool_or(side = 'after') as is_now,
        coalesce(sum(set_cost) filter (where side = 'before'), 0) as tenge_before,
        coalesce(sum(set_cost) filter (where side = 'after'), 0) as tenge_after
    from counted
    group by place.kind, place.code, iin
),

territories as (
    select
        kato,
        name_ru
    from before.facts.territories
),

final as (
    select
        persons.kind,
        persons.code,
        any_value(territories.name_ru) as name,
        count(*) filter (where was) as people_before,
        count(*) filter (where is_now) as people_after,
        count(*) filter (where is_now and not was) as gained,
        count(*) filter (where was and not is_now) as lost,
        sum(tenge_before) as tenge_before,
        sum(tenge_after) as tenge_after
    from persons
    left join territories
        on persons.code = territories.kato
    group by persons.kind, persons.code
)

select *
from final
order by
    list_position(['country', 'region', 'district', 'ground'], kind),
    code
