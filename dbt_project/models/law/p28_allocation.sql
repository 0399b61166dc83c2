-- p28: sets in kind come from the region's contracts in force. Recipients by IIN take the
-- contracts in the order they were signed, each until it is used up: its sets less those
-- delivered for earlier months.
with used as (
    select
        deliveries.contract_id,
        count(*) as sets_used
    from {{ ref('deliveries') }} as deliveries
    cross join {{ ref('run_context') }} as run_context
    where
        deliveries.status = 'delivered'
        and deliveries.list_month < run_context.list_month
    group by deliveries.contract_id
),

left_over as (
    select
        contracts.*,
        greatest(contracts.sets_total - coalesce(used.sets_used, 0), 0) as sets_left
    from {{ ref('supply_contracts') }} as contracts
    left join used on contracts.contract_id = used.contract_id
    where {{ in_force('p28_allocation') }}
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
        list.iin,
        list.primary_ground,
        list.region_kato,
        row_number() over (
            partition by list.region_kato
            order by list.iin asc nulls last, list.primary_ground asc nulls last
        ) as place
    from {{ ref('p26_list') }} as list
    inner join {{ ref('p27_region_norm') }} as norms
        on list.region_kato = norms.region_kato
    where norms.mode = 'in_kind'
),

final as (
    select
        queue.iin,
        queue.primary_ground,
        ranges.contract_id,
        ranges.contract_row
    from queue
    inner join ranges
        on
            queue.region_kato = ranges.region_kato
            and queue.place > ranges.last_place - ranges.sets_left
            and queue.place <= ranges.last_place
)

select * from final
