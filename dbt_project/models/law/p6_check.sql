-- p6: the documents are checked within two working days of forwarding; there is nothing
-- to check before the application was forwarded.
with steps as (
    select
        application_id as case_id,
        forwarded_on as started_on,
        checked_on as done_on,
        application_row as case_row
    from {{ ref('applications') }}
    where
        forwarded_on is not null
        and {{ in_force('p6_check') }}
),

due as (
    {{ working_day_step('steps', 'check_working_days') }}
),

final as (
    select
        'application' as case_kind,
        case_id,
        'check' as step,
        'p6' as paragraph,
        started_on,
        due_on,
        done_on,
        {{ step_status('done_on', 'due_on', 'run_context.as_of') }} as status,
        case_row
    from due
    cross join {{ ref('run_context') }} as run_context
)

select * from final
