-- A month's settlement of a region rests on the rows of its lists that have a number: on
-- what the publication before left of each, or on the person newly listed (p26), and on
-- their deliveries of the month (p30).
with final as (
    select
        concat(list_month, '|', region_kato) as row_key,
        coalesce(list_row, person_row) as source_row,
        'p26' as paragraph
    from {{ ref('p26_lists') }}
    where list_no is not null
    union all
    select
        concat(lists.list_month, '|', lists.region_kato) as row_key,
        deliveries.delivery_row as source_row,
        'p30' as paragraph
    from {{ ref('p26_lists') }} as lists
    inner join {{ ref('p30_deliveries') }} as deliveries
        on lists.iin = deliveries.iin and lists.list_month = deliveries.list_month
    where lists.list_no is not null
)

select * from final
