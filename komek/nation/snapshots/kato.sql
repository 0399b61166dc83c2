select
    row_number() over (order by kato) as o, null::varchar as ghost, *
from (
    select
        kato, name_ru, name_kk, getvariable('classifier_from') as valid_from,
        null::date as valid_to
    from places
    union all by name
    select kato, name_ru, name_kk, valid_from, valid_to from marginal_kato_ended
)
