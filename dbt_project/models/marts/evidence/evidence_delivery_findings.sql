-- A finding rests on the delivery; that it was repeated, on the person listed and on the
-- deliveries that their sets took before it as well.
with repeated as (
    select
        found.delivery_id,
        sets.person_row,
        sets.delivery_row
    from {{ ref('p30_delivery') }} as found
    inner join {{ ref('list_sets') }} as sets on found.iin = sets.iin
    where found.finding = 'repeated'
),

final as (
    select
        delivery_id as row_key,
        delivery_row as source_row,
        'p30' as paragraph
    from {{ ref('p30_delivery') }}
    where finding is not null
    union all
    select distinct
        delivery_id as row_key,
        person_row as source_row,
        'p30' as paragraph
    from repeated
    union all
    select
        delivery_id as row_key,
        delivery_row as source_row,
        'p30' as paragraph
    from repeated
    where delivery_row is not null
)

select * from final
