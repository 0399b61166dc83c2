-- p28 to p30: how each set of the list's month reaches its recipient: the contract or the
-- account it comes from, at the cost of the region's norm.
with final as (
    select
        sets.*,
        allocation.contract_id,
        contracts.contract_row,
        accounts.iban,
        accounts.account_iin,
        case
            when sets.is_withdrawn then 'withdrawn'
            when accounts.iban is not null then 'account'
            when sets.mode = 'cash' then 'no_account'
            when allocation.contract_id is not null then 'allocated'
            else 'unallocated'
        end as allocation,
        case when not sets.is_withdrawn then sets.set_cost end as amount,
        accounts.account_row,
        accounts.person_row as minor_row,
        accounts.link_row,
        accounts.representative_row
    from {{ ref('p28_planned_sets') }} as sets
    left join {{ ref('p28_allocation') }} as allocation
        on sets.iin = allocation.iin and sets.ground = allocation.ground
    left join {{ ref('supply_contracts') }} as contracts
        on allocation.contract_id = contracts.contract_id
    left join {{ ref('p29_account') }} as accounts
        on
            case when sets.mode = 'cash' and not sets.is_withdrawn then sets.iin end
            = accounts.iin
)

select * from final
