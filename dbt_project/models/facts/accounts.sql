-- The account on which each holder can be paid on as_of (p29): of those with a valid IBAN
-- that were confirmed by then the one confirmed last, then the lowest IBAN.
with valid as (
    select
        accounts.iin,
        accounts.iban,
        accounts.confirmed_on,
        accounts.source_row as account_row,
        row_number() over (
            partition by accounts.iin
            order by accounts.confirmed_on desc nulls last, accounts.iban asc nulls last
        ) as nth
    from {{ ref('stg_bank_accounts') }} as accounts
    cross join {{ ref('run_context') }} as run_context
    where
        accounts.confirmed_on <= run_context.as_of
        and {{ iban_is_valid('accounts.iban') }}
),

final as (
    select
        iin,
        iban,
        confirmed_on,
        account_row
    from valid
    where nth = 1
)

select * from final
