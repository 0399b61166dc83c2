-- p30: deliveries of a person and month in their order, and after each the sets in hand: one
-- delivered adds a set, one returned takes one back (there are never fewer than none), a
-- failed attempt changes nothing.
with moves as (
    select
        *,
        case status when 'delivered' then 1 when 'returned' then -1 else 0 end as move
    from {{ ref('deliveries') }}
    where {{ in_force('p30_deliveries') }}
),

running as (
    select
        *,
        sum(move) over in_order as moved,
        sum(case when status = 'delivered' then 1 else 0 end) over in_order
            as nth_delivered
    from moves
    window in_order as (
        partition by iin, list_month
        order by delivered_on asc nulls last, delivery_id asc nulls last
        rows between unbounded preceding and current row
    )
),

final as (
    select
        delivery_id,
        iin,
        list_month,
        contract_id,
        status,
        delivered_on,
        amount,
        case when status = 'delivered' then nth_delivered end as nth_delivered,
        moved - least(
            min(moved) over (
                partition by iin, list_month
                order by delivered_on asc nulls last, delivery_id asc nulls last
                rows between unbounded preceding and current row
            ),
            0
        ) as in_hand,
        row_number() over (
            partition by iin, list_month
            order by delivered_on desc nulls last, delivery_id desc nulls last
        ) as nth_from_last,
        delivery_row
    from running
)

select * from final
