-- The persons the run decides on: dates as the register has them, a death after as_of not
-- yet happened, and where they belong by their registered KATO code.
with referenced as (
    select * from {{ ref('stg_referenced_persons') }}
),

parents as (
    select distinct links.parent_iin
    from {{ ref('carer_links') }} as links
    where links.parent_iin not in (select referenced.iin from referenced)
),

persons as (
    select * from referenced
    union all
    select
        persons.iin,
        persons.birth_date,
        persons.death_date,
        persons.kato,
        persons.source_row
    from {{ ref('stg_persons') }} as persons
    inner join parents on persons.iin = parents.parent_iin
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
