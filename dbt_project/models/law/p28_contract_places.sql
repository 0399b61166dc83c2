{{ config(materialized='view') }}

-- p28: which places in the queue of its region each contract in force serves: the contracts
-- in the order they were signed, each until it is used up, by its sets less those delivered
-- for earlier months and less those of the month that keep it. One that is used up serves
-- none.
with used as (
    select deliveries.contract_id
    from {{ ref('deliveries') }} as deliveries
    cross join {{ ref('run_context') }} as run_context
    where
        deliveries.status = 'delivered'
        and deliveries.list_month < run_context.list_month
    union all
    select delivered_contract_id as contract_id
    from {{ ref('p28_planned_sets') }}
    where mode = 'in_kind'
),

left_over as (
    select
        contracts.region_kato,
        contracts.contract_id,
        contracts.signed_on,
        greatest(contracts.sets_total - count(used.contract_id), 0) as sets_left
    from {{ ref('supply_contracts') }} as contracts
    left join used on contracts.contract_id = used.contract_id
    group by
        contracts.region_kato,
        contracts.contract_id,
        contracts.signed_on,
        contracts.sets_total
),

places as (
    select
        region_kato,
        contract_id,
        sets_left,
        sum(sets_left) over (
            partition by region_kato
            order by signed_on asc nulls last, contract_id asc nulls last
            rows between unbounded preceding and current row
        ) as last_place
    from left_over
),

final as (
    select
        region_kato,
        contract_id,
        cast(last_place - sets_left + 1 as bigint) as first_place,
        cast(last_place as bigint) as last_place
    from places
    where sets_left > 0
)

select * from final
