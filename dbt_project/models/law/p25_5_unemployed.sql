-- p25, fifth ground: the unemployed registered with the local employment authority: the
-- decision is signed, and they have not been deregistered by the day.
with candidates as (
    select
        cases.iin,
        cases.unemployed_decided_on,
        cases.deregistered_on,
        cases.case_row,
        people.death_date,
        people.person_row,
        case
            when run_context.food_set__institution_scope = 'all_grounds'
                then stays.stay_row
        end as stay_row
    from {{ ref('jobseeker_cases') }} as cases
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('people') }} as people on cases.iin = people.iin
    left join {{ ref('open_stays') }} as stays on cases.iin = stays.iin
    where {{ in_force('p25_5_unemployed') }}
),

final as (
    select
        iin,
        'p25_5' as ground,
        {{ first_failure([
            ("person_row is null", 'not_in_population_register'),
            ("death_date is not null", 'deceased'),
            ("unemployed_decided_on is null", 'not_registered_unemployed'),
            ("deregistered_on is not null", 'deregistered'),
            ("stay_row is not null", 'resident_in_institution'),
        ]) }},
        case_row,
        stay_row
    from candidates
)

select * from final
