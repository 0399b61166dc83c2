-- The lists that the newest publication before as_of left: one row per person and list
-- month, as first listed. A home that has published none starts anew.
with lists as (
    select * from {{ ref('stg_lists') }}
),

final as (
    select
        list_month,
        iin,
        cast(list_no as integer) as list_no,
        listed_on,
        region_kato,
        district_kato,
        primary_ground,
        grounds,
        ended_on,
        ended_reason,
        source_row as list_row
    from lists
)

select * from final
