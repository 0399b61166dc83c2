-- p25, fourth ground: what else decided on a person who raises a child: every term of a
-- child with none in force; and, where one parent is a candidate (policy food_set.carer),
-- the parents of a lower IIN who are dead or not in the register.
with carers as (
    select
        judged.iin,
        judged.ground,
        judged.child_iin,
        judged.reason
    from {{ ref('p25_4_carer') }} as judged
    inner join {{ ref('p25_ledger') }} as ledger
        on
            judged.iin = ledger.iin
            and judged.ground = ledger.ground
            -- a ground that is met rests on one record, one that is not on all
            and (
                judged.carer_row = ledger.record_row
                or ledger.outcome = 'not_met'
            )
),

terms as (
    select
        carers.iin,
        carers.ground,
        terms.term_row,
        terms.newer_row
    from carers
    inner join {{ ref('p17_term_on_date') }} as terms on carers.child_iin = terms.iin
    where carers.reason = 'child_not_disabled'
),

parents as (
    select
        carers.iin,
        carers.ground,
        links.link_row,
        people.person_row
    from carers
    cross join {{ ref('run_context') }} as run_context
    inner join {{ ref('carer_links') }} as links
        on carers.child_iin = links.child_iin and carers.iin > links.parent_iin
    left join {{ ref('people') }} as people on links.parent_iin = people.iin
    where run_context.food_set__carer = 'one_parent'
),

final as (
    select
        iin,
        ground,
        'child_term' as role,
        term_row as source_row
    from terms
    union all
    select
        iin,
        ground,
        'child_newer_term' as role,
        newer_row as source_row
    from terms
    where newer_row is not null
    union all
    select
        iin,
        ground,
        'other_parent_link' as role,
        link_row as source_row
    from parents
    union all
    select
        iin,
        ground,
        'other_parent' as role,
        person_row as source_row
    from parents
    where person_row is not null
)

select * from final
