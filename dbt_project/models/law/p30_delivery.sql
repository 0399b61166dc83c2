-- p30: deliveries of the list month come back per person; the first of a set gives its
-- status, whatever it is, later ones are repeated, and one to a person who is not on the
-- list is only that. A person's n-th set takes the n-th delivery.
with sets as (
    select
        list.iin,
        list.primary_ground,
        row_number() over (
            partition by list.iin order by list.primary_ground asc nulls last
        ) as nth
    from {{ ref('p26_list') }} as list
),

recipients as (
    select
        iin,
        count(*) as sets
    from sets
    group by iin
),

month_deliveries as (
    select
        deliveries.*,
        row_number() over (
            partition by deliveries.iin
            order by
                deliveries.delivered_on asc nulls last,
                deliveries.delivery_id asc nulls last
        ) as nth
    from {{ ref('deliveries') }} as deliveries
    cross join {{ ref('run_context') }} as run_context
    where
        deliveries.list_month = run_context.list_month
        and run_context.as_of between run_context.emergency_starts_on
        and run_context.covered_until
        and {{ in_force('p30_delivery') }}
),

final as (
    select
        month_deliveries.delivery_id,
        month_deliveries.iin,
        sets.primary_ground,
        month_deliveries.status,
        case
            when recipients.iin is null then 'not_on_list'
            when month_deliveries.nth > recipients.sets then 'repeated'
        end as finding,
        month_deliveries.delivery_row
    from month_deliveries
    left join recipients on month_deliveries.iin = recipients.iin
    left join sets
        on month_deliveries.iin = sets.iin and month_deliveries.nth = sets.nth
)

select * from final
