{{ config(materialized='view') }}

-- p19 to p22: the cases of jobseekers that the Rules govern: registered from their first
-- day (or the emergency's, policy procedure.from) to the last that the emergency covers.
with final as (
    select cases.*
    from {{ ref('jobseeker_cases') }} as cases
    cross join {{ ref('run_context') }} as run_context
    where
        cases.registered_on between run_context.governed_from
        and run_context.covered_until
)

select * from final
