-- p25, third ground: people of disability group one, two or three, of any age, unless
-- they live in a medical and social institution for good.
with candidates as (
    select
        terms.iin,
        terms.is_in_force,
        terms.term_row,
        terms.newer_row as newer_term_row,
        people.death_date,
        people.person_row,
        stays.stay_row
    from {{ ref('p17_term_on_date') }} as terms
    left join {{ ref('people') }} as people on terms.iin = people.iin
    left join {{ ref('open_stays') }} as stays on terms.iin = stays.iin
    where
        terms.disability_category in ('group_1', 'group_2', 'group_3')
        and {{ in_force('p25_3_disability_group') }}
),

final as (
    select
        iin,
        'p25_3' as ground,
        {{ first_failure([
            ("person_row is null", 'not_in_population_register'),
            ("death_date is not null", 'deceased'),
            ("not is_in_force", 'term_not_in_force'),
            ("stay_row is not null", 'resident_in_institution'),
        ]) }},
        term_row,
        newer_term_row,
        stay_row
    from candidates
)

select * from final
