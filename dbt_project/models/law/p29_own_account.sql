-- p29: where the norm is in cash, the set's cost goes to the recipient's account: of those
-- with a valid IBAN the one confirmed last, then the lowest IBAN.
with recipients as (
    select distinct iin
    from {{ ref('p28_planned_sets') }}
    where
        mode = 'cash'
        and not is_withdrawn
        and {{ in_force('p29_own_account') }}
),

accounts as (
    select
        recipients.iin,
        accounts.iban,
        accounts.source_row as account_row,
        row_number() over (
            partition by recipients.iin
            order by accounts.confirmed_on desc nulls last, accounts.iban asc nulls last
        ) as nth
    from recipients
    cross join {{ ref('run_context') }} as run_context
    inner join {{ ref('stg_bank_accounts') }} as accounts
        on recipients.iin = accounts.iin
    where
        accounts.confirmed_on <= run_context.as_of
        and {{ iban_is_valid('accounts.iban') }}
),

final as (
    select
        recipients.iin,
        accounts.iban,
        accounts.account_row
    from recipients
    left join accounts on recipients.iin = accounts.iin and accounts.nth = 1
)

select * from final
