-- p25, second ground: children with a disability under sixteen, unless they live in a
-- medical and social institution for good.
with candidates as (
    select
        terms.iin,
        terms.is_in_force,
        terms.term_row,
        terms.newer_row as newer_term_row,
        people.death_date,
        people.person_row,
        stays.stay_row,
        run_context.as_of,
        {{ birthday('people.birth_date', 'run_context.disabled_child_age_to') }}
            as too_old_on
    from {{ ref('p17_term_on_date') }} as terms
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('people') }} as people on terms.iin = people.iin
    left join {{ ref('open_stays') }} as stays on terms.iin = stays.iin
    where
        terms.disability_category = 'child'
        and {{ in_force('p25_2_disabled_child') }}
),

final as (
    select
        iin,
        'p25_2' as ground,
        {{ first_failure([
            ("person_row is null", 'not_in_population_register'),
            ("death_date is not null", 'deceased'),
            ("not is_in_force", 'term_not_in_force'),
            ("as_of >= too_old_on", 'age_16_or_over'),
            ("stay_row is not null", 'resident_in_institution'),
        ]) }},
        term_row,
        newer_term_row,
        stay_row
    from candidates
)

select * from final
