-- p26: the lists of every month, cumulative: one row per person and month, in the region and
-- with the grounds first listed; those listed before, and the newcomers.
with final as (
    select
        list_month,
        iin,
        list_no,
        listed_on,
        region_kato,
        district_kato,
        primary_ground,
        grounds,
        ended_on,
        ended_reason,
        list_row,
        person_row,
        kato_row,
        case when ended_on is null then 'entitled' else 'ended' end as standing
    from {{ ref('p26_continued') }}
    union all
    select
        list_month,
        iin,
        list_no,
        listed_on,
        region_kato,
        district_kato,
        primary_ground,
        grounds,
        cast(null as date) as ended_on,
        cast(null as string) as ended_reason,
        cast(null as bigint) as list_row,
        person_row,
        kato_row,
        case when list_no is null then 'held' else 'entitled' end as standing
    from {{ ref('p26_newcomers') }}
)

select * from final
