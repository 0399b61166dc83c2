-- The persons the run decides on: dates as the register has them, a death after as_of not
-- yet happened, and where they belong by their registered KATO code.
with persons as (
    select * from {{ ref('stg_referenced_persons') }}
),

final as (
    select
        persons.iin,
        persons.birth_date,
        persons.death_date as registered_death_date,
        {{ event('persons.death_date') }} as death_date,
        coalesce(territories.region_kato, 'unassigned') as region_kato,
        territories.district_kato,
        persons.source_row as person_row,
        territories.kato_row
    from persons
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('territories') }} as territories on persons.kato = territories.kato
)

select * from final
