-- p17: whose category ends with their age in the time in which terms are extended: a child
-- with disability who turns 16, a person with a group established before they were 18 who
-- turns 18. A category on a term of another kind is ignored.
with birthdays as (
    select
        terms.term_id,
        terms.disability_category = 'child' as is_child,
        terms.established_on,
        {{ birthday('people.birth_date', 'run_context.child_category_age') }}
            as turns_16_on,
        {{ birthday('people.birth_date', 'run_context.group_category_age') }}
            as turns_18_on,
        run_context.window_starts_on,
        run_context.covered_until
    from {{ ref('disability_terms') }} as terms
    inner join {{ ref('people') }} as people on terms.iin = people.iin
    cross join {{ ref('run_context') }} as run_context
    where
        terms.disability_category in ('child', 'group_1', 'group_2', 'group_3')
        and terms.valid_until between run_context.window_starts_on
        and run_context.covered_until
),

final as (
    select
        term_id,
        case when is_child then 'turns_16' else 'turns_18' end as cause
    from birthdays
    where
        (is_child and turns_16_on between window_starts_on and covered_until)
        or (
            not is_child
            and turns_18_on between window_starts_on and covered_until
            and established_on < turns_18_on
        )
)

select * from final
