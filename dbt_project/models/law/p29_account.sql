-- p29: the account that each recipient in cash is paid on, and whose it is: their own, or
-- that of who represents them; none where there is neither.
with final as (
    select
        own.iin,
        coalesce(own.iban, representatives.iban) as iban,
        case when own.iban is not null then own.iin else representatives.account_iin end
            as account_iin,
        coalesce(own.account_row, representatives.account_row) as account_row,
        representatives.person_row,
        representatives.link_row,
        representatives.representative_row
    from {{ ref('p29_own_account') }} as own
    left join {{ ref('p29_representative') }} as representatives
        on own.iin = representatives.iin
)

select * from final
