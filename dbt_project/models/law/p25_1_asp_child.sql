-- p25, first ground: children from six to eighteen of families on targeted social
-- assistance. Candidates are the members of awards whose own or new period holds the day.
with candidates as (
    select
        members.iin,
        members.member_row,
        cover.award_row,
        cover.is_on,
        cover.renewal_row,
        people.birth_date,
        people.death_date,
        people.person_row,
        case
            when run_context.food_set__institution_scope = 'all_grounds'
                then stays.stay_row
        end as stay_row,
        run_context.as_of,
        {{ birthday('people.birth_date', 'run_context.asp_child_age_from') }}
            as old_enough_on,
        {{ birthday(
            'people.birth_date',
            "(run_context.asp_child_age_to + case run_context.food_set__age_upper"
            ~ " when 'through_age_18' then 1 else 0 end)"
        ) }} as too_old_on
    from {{ ref('asp_members') }} as members
    inner join {{ ref('p12_award_cover') }} as cover
        on members.award_id = cover.award_id
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('people') }} as people on members.iin = people.iin
    left join {{ ref('open_stays') }} as stays on members.iin = stays.iin
    where
        (
            run_context.as_of between cover.period_start and cover.period_end
            or run_context.as_of between cover.new_period_start and cover.new_period_end
        )
        and {{ in_force('p25_1_asp_child') }}
),

final as (
    select
        iin,
        'p25_1' as ground,
        {{ first_failure([
            ("person_row is null", 'not_in_population_register'),
            ("death_date is not null", 'deceased'),
            ("not is_on", 'award_not_active'),
            ("as_of < old_enough_on", 'under_6'),
            ("as_of >= too_old_on", 'age_18_or_over'),
            ("stay_row is not null", 'resident_in_institution'),
        ]) }},
        member_row,
        award_row,
        renewal_row,
        stay_row
    from candidates
)

select * from final
