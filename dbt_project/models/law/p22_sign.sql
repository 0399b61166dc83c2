-- p22: the decision is signed within one working day of the draft; there is nothing to
-- sign before there is a draft, whether or not p21 asked for one.
with steps as (
    select
        case_id,
        draft_decision_on as started_on,
        unemployed_decided_on as done_on,
        case_row
    from {{ ref('jobseeker_cases') }}
    where
        draft_decision_on is not null
        and {{ in_force('p22_sign') }}
),

due as (
    {{ working_day_step('steps', 'sign_working_days') }}
),

final as (
    select
        'jobseeker' as case_kind,
        case_id,
        'sign' as step,
        'p22' as paragraph,
        started_on,
        due_on,
        done_on,
        {{ step_status('done_on', 'due_on', 'run_context.as_of') }} as status,
        case_row
    from due
    cross join {{ ref('run_context') }} as run_context
)

select * from final
