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
    inner join {{ ref('governed_cases') }} as cases on matches.case_id = cases.case_id
    where {{ in_force('p21_draft', 'cases.registered_on') }}
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

final as (
    {{ deadline('steps', 'draft_working_days', 'jobseeker', 'draft', 'p21',
        not_applicable='is_matched') }}
)

select * from final
