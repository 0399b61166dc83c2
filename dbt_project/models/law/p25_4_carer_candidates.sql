-- p25, fourth ground: who is a candidate for raising a child with a disability. By default
-- the recipients of the carer's allowance; by policy food_set.carer one parent (per child
-- the lowest IIN of those in the register and alive) or both, with no award needed.
with recipients as (
    select
        awards.iin,
        awards.dependant_iin as child_iin,
        awards.award_row as carer_row,
        awards.start_on <= run_context.as_of
        and (
            awards.stop_on is null or awards.stop_on >= run_context.as_of
        ) as is_awarded
    from {{ ref('benefit_awards') }} as awards
    cross join {{ ref('run_context') }} as run_context
    where
        awards.benefit = 'child_carer_allowance'
        and run_context.food_set__carer = 'allowance_recipient'
),

parents as (
    select
        links.parent_iin,
        links.child_iin,
        links.link_row,
        row_number() over (
            partition by links.child_iin
            order by
                case
                    when people.iin is not null and people.death_date is null then 0
                    else 1
                end asc nulls last,
                links.parent_iin asc nulls last
        ) as nth,
        people.iin is not null and people.death_date is null as is_alive
    from {{ ref('carer_links') }} as links
    left join {{ ref('people') }} as people on links.parent_iin = people.iin
),

final as (
    select
        iin,
        child_iin,
        carer_row,
        is_awarded
    from recipients
    union all
    select
        parents.parent_iin as iin,
        parents.child_iin,
        parents.link_row as carer_row,
        true as is_awarded
    from parents
    cross join {{ ref('run_context') }} as run_context
    where
        run_context.food_set__carer = 'both_parents'
        or (parents.nth = 1 and parents.is_alive)
)

select * from final
