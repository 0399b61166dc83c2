-- Who raises a child with a disability, by the family links in force on as_of (both ends
-- inclusive, any kind of link). Read only where the policy food_set.carer says so.
with children as (
    select distinct terms.iin
    from {{ ref('disability_terms') }} as terms
    cross join {{ ref('run_context') }} as run_context
    where
        terms.kind = 'disability'
        and run_context.food_set__carer in ('one_parent', 'both_parents')
),

final as (
    select
        links.child_iin,
        links.parent_iin,
        links.source_row as link_row
    from {{ ref('stg_referenced_links') }} as links
    inner join children on links.child_iin = children.iin
    cross join {{ ref('run_context') }} as run_context
    where
        links.valid_from <= run_context.as_of
        and (links.valid_to is null or links.valid_to >= run_context.as_of)
)

select * from final
