-- p29: where the norm is in cash, the set's cost goes to the recipient's account: of those
-- with a valid IBAN the one confirmed last, then the lowest IBAN.
with recipients as (
    select distinct list.iin
    from {{ ref('p26_list') }} as list
    inner join {{ ref('p27_region_norm') }} as norms
        on list.region_kato = norms.region_kato
    where
        norms.mode = 'cash'
        and {{ in_force('p29_account') }}
),

accounts as (
    select
        accounts.iin,
        accounts.iban,
        accounts.source_row as account_row,
        row_number() over (
            partition by accounts.iin
            order by accounts.confirmed_on desc nulls last, accounts.iban asc nulls last
        ) as nth
    from {{ ref('stg_bank_accounts') }} as accounts
    inner join recipients on accounts.iin = recipients.iin
    cross join {{ ref('run_context') }} as run_context
    where
        accounts.confirmed_on <= run_context.as_of
        and {{ iban_is_valid('accounts.iban') }}
),

final as (
    select
        iin,
        iban,
        account_row
    from accounts
    where nth = 1
)

select * from final
