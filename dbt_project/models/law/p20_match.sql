-- p20: the centre finds a jobseeker suitable work within one working day of registration.
with steps as (
    select
        case_id,
        registered_on as started_on,
        work_offered_on as done_on,
        case_row
    from {{ ref('jobseeker_cases') }}
    where {{ in_force('p20_match') }}
),

due as (
    {{ working_day_step('steps', 'match_working_days') }}
),

final as (
    select
        'jobseeker' as case_kind,
        case_id,
        'match' as step,
        'p20' as paragraph,
        started_on,
        due_on,
        done_on,
        {{ step_status('done_on', 'due_on', 'run_context.as_of') }} as status,
        case_row
    from due
    cross join {{ ref('run_context') }} as run_context
)

select * from final
