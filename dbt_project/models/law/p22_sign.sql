-- p22: the decision is signed within one working day of the draft; there is nothing to
-- sign before there is a draft, whether or not p21 asked for one.
with steps as (
    select
        case_id,
        draft_decision_on as started_on,
        unemployed_decided_on as done_on,
        case_row
    from {{ ref('governed_cases') }}
    where
        draft_decision_on is not null
        and {{ in_force('p22_sign', 'registered_on') }}
),

final as (
    {{ deadline('steps', 'sign_working_days', 'jobseeker', 'sign', 'p22') }}
)

select * from final
