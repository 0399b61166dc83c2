-- Deliveries that came back by as_of.
with deliveries as (
    select * from {{ ref('stg_deliveries') }}
),

final as (
    select
        deliveries.delivery_id,
        deliveries.iin,
        deliveries.list_month,
        deliveries.contract_id,
        deliveries.status,
        deliveries.delivered_on,
        deliveries.amount,
        deliveries.source_row as delivery_row
    from deliveries
    cross join {{ ref('run_context') }} as run_context
    where deliveries.delivered_on <= run_context.as_of
)

select * from final
