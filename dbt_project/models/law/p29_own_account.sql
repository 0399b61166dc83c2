-- p29: where the norm is in cash, the set's cost goes to the recipient's account.
with recipients as (
    select distinct iin
    from {{ ref('p28_planned_sets') }}
    where
        mode = 'cash'
        and not is_withdrawn
        and {{ in_force('p29_own_account') }}
),

final as (
    select
        recipients.iin,
        accounts.iban,
        accounts.account_row
    from recipients
    left join {{ ref('p29_accounts') }} as accounts on recipients.iin = accounts.iin
)

select * from final
