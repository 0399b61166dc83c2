-- p29: a recipient under 18 on as_of without an account of their own is paid on that of a
-- parent or guardian by the family links in force, who is in the register and alive: of all
-- theirs the one confirmed last, then the lowest IBAN, then the lowest IIN (policy
-- food_set.account_of). Who is not in the register is not known to be under 18.
with minors as (
    select
        own.iin,
        people.person_row
    from {{ ref('p29_own_account') }} as own
    inner join {{ ref('people') }} as people on own.iin = people.iin
    cross join {{ ref('run_context') }} as run_context
    where
        own.iban is null
        and run_context.food_set__account_of = 'own_or_representative'
        and {{ birthday('people.birth_date', 'run_context.account_age') }}
        > run_context.as_of
),

represented as (
    select
        minors.iin,
        links.parent_iin as account_iin,
        accounts.iban,
        accounts.account_row,
        minors.person_row,
        links.source_row as link_row,
        people.person_row as representative_row,
        row_number() over (
            partition by minors.iin
            order by
                accounts.confirmed_on desc nulls last,
                accounts.iban asc nulls last,
                links.parent_iin asc nulls last
        ) as nth
    from minors
    cross join {{ ref('run_context') }} as run_context
    inner join {{ ref('stg_referenced_links') }} as links
        on minors.iin = links.child_iin
    inner join {{ ref('people') }} as people
        on links.parent_iin = people.iin
    inner join {{ ref('p29_accounts') }} as accounts
        on links.parent_iin = accounts.iin
    where
        links.valid_from <= run_context.as_of
        and (links.valid_to is null or links.valid_to >= run_context.as_of)
        and people.death_date is null
),

final as (
    select
        iin,
        account_iin,
        iban,
        account_row,
        person_row,
        link_row,
        representative_row
    from represented
    where nth = 1
)

select * from final
