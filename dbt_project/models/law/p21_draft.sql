-- p21: where no work was found in the term of p20, the draft decision is formed within one
-- working day after it. Where work was offered in time there is nothing to draft.
with matches as (
    select
        matches.case_id,
        matches.due_on as match_due_on,
        coalesce(matches.done_on <= matches.due_on, false) as is_matched,
        cases.draft_decision_on,
        matches.case_row
    from {{ ref('p20_match') }} as matches
    inner join {{ ref('jobseeker_cases') }} as cases on matches.case_id = cases.case_id
    where {{ in_force('p21_draft') }}
),

steps as (
    select
        case_id,
        is_matched,
        case when not is_matched then match_due_on end as started_on,
        case when not is_matched then draft_decision_on end as done_on,
        case_row
    from matches
),

due as (
    {{ working_day_step('steps', 'draft_working_days') }}
),

final as (
    select
        'jobseeker' as case_kind,
        due.case_id,
        'draft' as step,
        'p21' as paragraph,
        due.started_on,
        due.due_on,
        due.done_on,
        case
            when due.is_matched then 'not_applicable'
            else {{ step_status('due.done_on', 'due.due_on', 'run_context.as_of') }}
        end as status,
        due.case_row
    from due
    cross join {{ ref('run_context') }} as run_context
)

select * from final
