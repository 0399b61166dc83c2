-- A finding rests on the delivery; one after a death on the person as well, and a repeated
-- one on the person and on the deliveries told as delivered before it.
with found as (
    select
        findings.delivery_id,
        findings.finding,
        findings.delivery_row,
        findings.person_row,
        deliveries.iin,
        deliveries.list_month,
        deliveries.nth_delivered
    from {{ ref('p30_findings') }} as findings
    inner join {{ ref('p30_deliveries') }} as deliveries
        on findings.delivery_id = deliveries.delivery_id
),

final as (
    select
        delivery_id as row_key,
        delivery_row as source_row,
        'p30' as paragraph
    from found
    union all
    select
        delivery_id as row_key,
        person_row as source_row,
        'p30' as paragraph
    from found
    where finding <> 'not_on_list' and person_row is not null
    union all
    select
        found.delivery_id as row_key,
        earlier.delivery_row as source_row,
        'p30' as paragraph
    from found
    inner join {{ ref('p30_deliveries') }} as earlier
        on
            found.iin = earlier.iin
            and found.list_month = earlier.list_month
            and found.nth_delivered > earlier.nth_delivered
    where found.finding = 'repeated'
)

select * from final
