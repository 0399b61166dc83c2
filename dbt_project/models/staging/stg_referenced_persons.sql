{{ config(materialized='table') }}

-- The one scan of the population register: everyone whom another registry speaks of, and
-- the parents and guardians of those.
with final as (
    select
        persons.iin,
        persons.birth_date,
        persons.death_date,
        persons.kato,
        persons.source_row
    from {{ ref('stg_persons') }} as persons
    where
        persons.iin in (
            select spoken_of.iin from {{ ref('stg_spoken_of') }} as spoken_of
        )
        or persons.iin in (
            select links.parent_iin from {{ ref('stg_referenced_links') }} as links
        )
)

select * from final
