-- p19: it is the employment centre that decides: a decision on unemployment names the
-- centre. The case itself stands.
with final as (
    select
        case_id,
        iin,
        'decision_without_centre' as finding,
        'p19' as paragraph,
        case_row
    from {{ ref('governed_cases') }}
    where
        unemployed_decided_on is not null
        and centre_id is null
        and {{ in_force('p19_centre', 'registered_on') }}
)

select * from final
