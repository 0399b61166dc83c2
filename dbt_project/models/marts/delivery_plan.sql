with plan as (
    select
        list.list_month,
        list.iin,
        list.region_kato,
        list.primary_ground,
        norms.mode,
        allocation.contract_id,
        case
            when norms.mode = 'cash' and accounts.iban is not null then 'account'
            when norms.mode = 'cash' then 'no_account'
            when allocation.contract_id is not null then 'allocated'
            else 'unallocated'
        end as allocation,
        case when norms.mode = 'cash' then accounts.iban end as iban,
        norms.set_cost as amount,
        coalesce(deliveries.status, 'outstanding') as delivery_status
    from {{ ref('p26_list') }} as list
    left join {{ ref('p27_region_norm') }} as norms
        on list.region_kato = norms.region_kato
    left join {{ ref('p28_allocation') }} as allocation
        on list.iin = allocation.iin and list.primary_ground = allocation.primary_ground
    left join {{ ref('p29_account') }} as accounts on list.iin = accounts.iin
    left join {{ ref('p30_delivery') }} as deliveries
        on list.iin = deliveries.iin and list.primary_ground = deliveries.primary_ground
),

final as (
    select
        plan.*,
        case plan.mode when 'cash' then 'p29' else 'p28' end as paragraph
    from plan
)

select * from final
