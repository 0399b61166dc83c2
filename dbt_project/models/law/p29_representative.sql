-- p29: a recipient under 18 on as_of without an account of their own is paid on that of a
-- parent or guardian by the family links in force, who is in the register and alive: of all
-- theirs with a valid IBAN the one confirmed last, then the lowest IBAN, then the lowest IIN
-- (policy food_set.account_of). Who is not in the register is not known to be under 18.
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

representatives as (
    select
        minors.iin,
        minors.person_row,
        links.parent_iin,
        links.source_row as link_row,
        people.person_row as representative_row
    from minors
    cross join {{ ref('run_context') }} as run_context
    inner join {{ ref('stg_family_links') }} as links on minors.iin = links.child_iin
    inner join {{ ref('people') }} as people on links.parent_iin = people.iin
    where
        links.valid_from <= run_context.as_of
        and (links.valid_to is null or links.valid_to >= run_context.as_of)
        and people.death_date is null
),

accounts as (
    select
        representatives.*,
        accounts.iban,
        accounts.source_row as account_row,
        row_number() over (
            partition by representatives.iin
            order by
                accounts.confirmed_on desc nulls last,
                accounts.iban asc nulls last,
                representatives.parent_iin asc nulls last
        ) as nth
    from representatives
    cross join {{ ref('run_context') }} as run_context
    inner join {{ ref('stg_bank_accounts') }} as accounts
        on representatives.parent_iin = accounts.iin
    where
        accounts.confirmed_on <= run_context.as_of
        and {{ iban_is_valid('accounts.iban') }}
),

final as (
    select
        iin,
        parent_iin as account_iin,
        iban,
        account_row,
        person_row,
        link_row,
        representative_row
    from accounts
    where nth = 1
)

select * from final
