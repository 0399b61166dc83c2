-- Cases registered by as_of; what is dated later has not happened.
with cases as (
    select * from {{ ref('stg_jobseekers') }}
),

final as (
    select
        cases.case_id,
        cases.iin,
        cases.centre_id,
        cases.registered_on,
        {{ event('cases.work_offered_on') }} as work_offered_on,
        {{ event('cases.draft_decision_on') }} as draft_decision_on,
        {{ event('cases.unemployed_decided_on') }} as unemployed_decided_on,
        {{ event('cases.deregistered_on') }} as deregistered_on,
        cases.source_row as case_row
    from cases
    cross join {{ ref('run_context') }} as run_context
    where cases.registered_on <= run_context.as_of
)

select * from final
