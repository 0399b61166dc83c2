-- p30: what has come of the sets of each row of the lists by as_of, after the month and the
-- emergency too: as many as are in hand are delivered, at most the sets of the row; the
-- others have the status of the last delivery that failed or came back.
with in_hand as (
    select
        iin,
        list_month,
        max(case when nth_from_last = 1 then in_hand end) as in_hand,
        max_by(
            case when status in ('failed', 'returned') then status end,
            case when status in ('failed', 'returned') then -nth_from_last end
        ) as last_status,
        sum(
            case status when 'delivered' then amount when 'returned' then -amount end
        ) as amount
    from {{ ref('p30_deliveries') }}
    group by iin, list_month
),

final as (
    select
        sets.list_month,
        sets.iin,
        sets.sets,
        cast(least(coalesce(in_hand.in_hand, 0), sets.sets) as integer) as delivered,
        coalesce(in_hand.last_status, 'outstanding') as other_status,
        coalesce(in_hand.amount, 0) as amount
    from {{ ref('p26_sets') }} as sets
    left join in_hand
        on sets.iin = in_hand.iin and sets.list_month = in_hand.list_month
)

select * from final
