-- p28: sets in kind come from contracts. One that was handed over keeps the contract of its
-- delivery. The rest, people by IIN, take the region's contracts in force in the order they
-- were signed, each until it is used up: its sets less those delivered for earlier months
-- and less those that keep it.
with kept as (
    select
        iin,
        ground,
        delivered_contract_id as contract_id
    from {{ ref('p28_planned_sets') }}
    where
        mode = 'in_kind'
        and delivered_contract_id is not null
),

used as (
    select deliveries.contract_id
    from {{ ref('deliveries') }} as deliveries
    cross join {{ ref('run_context') }} as run_context
    where
        deliveries.status = 'delivered'
        and deliveries.list_month < run_context.list_month
    union all
    select contract_id from kept
),

left_over as (
    select
        contracts.region_kato,
        contracts.contract_id,
        contracts.signed_on,
        greatest(contracts.sets_total - count(used.contract_id), 0) as sets_left
    from {{ ref('supply_contracts') }} as contracts
    left join used on contracts.contract_id = used.contract_id
    where {{ in_force('p28_allocation') }}
    group by
        contracts.region_kato,
        contracts.contract_id,
        contracts.signed_on,
        contracts.sets_total
),

ranges as (
    select
        *,
        sum(sets_left) over (
            partition by region_kato
            order by signed_on asc nulls last, contract_id asc nulls last
            rows between unbounded preceding and current row
        ) as last_place
    from left_over
),

queue as (
    select
        iin,
        ground,
        region_kato,
        row_number() over (
            partition by region_kato
            order by iin asc nulls last, ground asc nulls last
        ) as place
    from {{ ref('p28_planned_sets') }}
    where
        mode = 'in_kind'
        and not is_withdrawn
        and delivered_contract_id is null
),

final as (
    select
        iin,
        ground,
        contract_id
    from kept
    where {{ in_force('p28_allocation') }}
    union all
    select
        queue.iin,
        queue.ground,
        ranges.contract_id
    from queue
    inner join ranges
        on
            queue.region_kato = ranges.region_kato
            and queue.place > ranges.last_place - ranges.sets_left
            and queue.place <= ranges.last_place
)

select * from final
