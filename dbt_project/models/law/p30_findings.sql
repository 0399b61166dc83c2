-- p30: what a delivery of the list's month shows, the first that holds: it went to someone
-- who is not on the list of the month; it is told as delivered after the person's death; it
-- was one set too many.
with found as (
    select
        deliveries.delivery_id,
        deliveries.iin,
        case
            when settled.iin is null then 'not_on_list'
            when deliveries.status <> 'delivered' then null
            when people.registered_death_date < deliveries.delivered_on
                then 'after_death'
            when deliveries.in_hand > settled.sets then 'repeated'
        end as finding,
        deliveries.delivery_row,
        people.person_row
    from {{ ref('p30_deliveries') }} as deliveries
    inner join {{ ref('run_context') }} as run_context
        on deliveries.list_month = run_context.list_month
    left join {{ ref('p30_settled') }} as settled
        on deliveries.iin = settled.iin and deliveries.list_month = settled.list_month
    left join {{ ref('people') }} as people on deliveries.iin = people.iin
    where
        run_context.list_drawn
        and {{ in_force('p30_findings') }}
),

final as (
    select * from found
    where finding is not null
)

select * from final
