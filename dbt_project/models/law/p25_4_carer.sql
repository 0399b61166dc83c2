-- p25, fourth ground: those who raise a child with a disability: the child is in the
-- register and alive, a child still (policy food_set.carer_child_age_limit), with a
-- disability in force, and does not live in an institution.
with disabilities as (
    select
        *,
        row_number() over (
            partition by iin
            order by
                case when is_in_force then 0 else 1 end asc nulls last,
                term_row asc nulls last
        ) as nth
    from {{ ref('p17_term_on_date') }}
),

candidates as (
    select
        carers.*,
        people.death_date,
        people.person_row,
        case
            when run_context.food_set__institution_scope = 'all_grounds'
                then stays.stay_row
        end as stay_row,
        children.person_row as child_person_row,
        children.death_date as child_death_date,
        coalesce(disabilities.is_in_force, false) as is_disabled,
        disabilities.term_row as child_term_row,
        disabilities.newer_row as child_newer_term_row,
        case
            when run_context.food_set__carer_child_in_institution = 'exclude'
                then child_stays.stay_row
        end as child_stay_row,
        run_context.as_of,
        {{ birthday(
            'children.birth_date', 'run_context.food_set__carer_child_age_limit'
        ) }} as too_old_on
    from {{ ref('p25_4_carer_candidates') }} as carers
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('people') }} as people on carers.iin = people.iin
    left join {{ ref('open_stays') }} as stays on carers.iin = stays.iin
    left join {{ ref('people') }} as children on carers.child_iin = children.iin
    left join disabilities
        on carers.child_iin = disabilities.iin and disabilities.nth = 1
    left join {{ ref('open_stays') }} as child_stays
        on carers.child_iin = child_stays.iin
    where {{ in_force('p25_4_carer') }}
),

final as (
    select
        iin,
        'p25_4' as ground,
        {{ first_failure([
            ("person_row is null", 'not_in_population_register'),
            ("death_date is not null", 'deceased'),
            ("not is_awarded", 'award_not_active'),
            ("child_person_row is null or child_death_date is not null", 'child_deceased'),
            ("as_of >= too_old_on", 'child_age_over_limit'),
            ("not is_disabled", 'child_not_disabled'),
            ("child_stay_row is not null", 'child_in_institution'),
            ("stay_row is not null", 'resident_in_institution'),
        ]) }},
        child_iin,
        carer_row,
        -- who raises themselves is named once
        nullif(child_person_row, person_row) as child_row,
        child_term_row,
        child_newer_term_row,
        nullif(child_stay_row, stay_row) as child_stay_row,
        stay_row
    from candidates
)

select * from final
