-- The sets of the list, one per recipient (or per recipient and ground), each with what
-- p27 to p30 found for it: the region's norm, the contract or the account it comes from,
-- the delivery that came back.
with final as (
    select
        list.list_month,
        list.iin,
        list.region_kato,
        list.district_kato,
        list.primary_ground,
        list.grounds,
        norms.mode,
        norms.set_cost,
        allocation.contract_id,
        case when norms.mode = 'cash' then accounts.iban end as iban,
        deliveries.status as delivery_status,
        case run_context.food_set__sets_per_person
            when 'one' then list.iin
            else concat(list.iin, '|', list.primary_ground)
        end as row_key,
        list.person_row,
        list.kato_row,
        norms.norm_row,
        allocation.contract_row,
        case when norms.mode = 'cash' then accounts.account_row end as account_row,
        deliveries.delivery_row
    from {{ ref('p26_list') }} as list
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('p27_region_norm') }} as norms
        on list.region_kato = norms.region_kato
    left join {{ ref('p28_allocation') }} as allocation
        on list.iin = allocation.iin and list.primary_ground = allocation.primary_ground
    left join {{ ref('p29_account') }} as accounts on list.iin = accounts.iin
    left join {{ ref('p30_delivery') }} as deliveries
        on list.iin = deliveries.iin and list.primary_ground = deliveries.primary_ground
)

select * from final
