-- p5: an application is forwarded to the district within two working days of submission.
with steps as (
    select
        application_id as case_id,
        submitted_on as started_on,
        forwarded_on as done_on,
        application_row as case_row
    from {{ ref('applications') }}
    where {{ in_force('p5_forward') }}
),

due as (
    {{ working_day_step('steps', 'forward_working_days') }}
),

final as (
    select
        'application' as case_kind,
        case_id,
        'forward' as step,
        'p5' as paragraph,
        started_on,
        due_on,
        done_on,
        {{ step_status('done_on', 'due_on', 'run_context.as_of') }} as status,
        case_row
    from due
    cross join {{ ref('run_context') }} as run_context
)

select * from final
