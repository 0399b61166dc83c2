{{ config(materialized='view') }}

-- p1 to p14: the applications that the Rules govern: submitted from their first day (or the
-- emergency's, policy procedure.from) to the last that the emergency covers. What was begun
-- in it is followed to its end.
with final as (
    select applications.*
    from {{ ref('applications') }} as applications
    cross join {{ ref('run_context') }} as run_context
    where
        applications.submitted_on between run_context.governed_from
        and run_context.covered_until
)

select * from final
