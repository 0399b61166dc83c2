{{ config(materialized='table') }}

-- The one scan of the family links: those to the parents and guardians of everyone whom
-- another registry speaks of.
with final as (
    select
        links.child_iin,
        links.parent_iin,
        links.valid_from,
        links.valid_to,
        links.source_row
    from {{ ref('stg_family_links') }} as links
    where
        links.child_iin in (
            select spoken_of.iin from {{ ref('stg_spoken_of') }} as spoken_of
        )
)

select * from final
