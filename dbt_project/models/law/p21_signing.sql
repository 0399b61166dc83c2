-- p21: a decision on unemployment is drafted before it is signed, and only where no work was
-- offered in the term of p20.
with signed as (
    select
        cases.case_id,
        cases.iin,
        cases.draft_decision_on,
        matches.done_on <= matches.due_on as was_offered_in_time,
        cases.case_row
    from {{ ref('governed_cases') }} as cases
    inner join {{ ref('p20_match') }} as matches on cases.case_id = matches.case_id
    where
        cases.unemployed_decided_on is not null
        and {{ in_force('p21_signing', 'cases.registered_on') }}
),

findings as (
    select
        case_id,
        iin,
        'signed_without_draft' as finding,
        case_row
    from signed
    where draft_decision_on is null
    union all
    select
        case_id,
        iin,
        'signed_despite_offer' as finding,
        case_row
    from signed
    where was_offered_in_time
),

final as (
    select
        case_id,
        iin,
        finding,
        'p21' as paragraph,
        case_row
    from findings
)

select * from final
