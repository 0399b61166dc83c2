-- The classifier of territorial units in force on as_of, with each unit's region and
-- district: KATO digits 1-2 are the region, 3-4 the district. What is not nine digits
-- is no code of the classifier, and its first two characters no region.
with units as (
    select * from {{ ref('stg_kato') }}
),

final as (
    select
        units.kato,
        concat(substring(units.kato, 1, 2), '0000000') as region_kato,
        concat(substring(units.kato, 1, 4), '00000') as district_kato,
        units.name_ru,
        units.name_kk,
        units.source_row as kato_row
    from units
    cross join {{ ref('run_context') }} as run_context
    where
        {{ matches('units.kato', '^[0-9]{9}$') }}
        and units.valid_from <= run_context.as_of
        and (units.valid_to is null or units.valid_to >= run_context.as_of)
)

select * from final
