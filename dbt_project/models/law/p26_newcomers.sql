{{ config(materialized='view') }}

-- p26: recipients who are not yet on the list of their month are a numbered supplement to
-- it: all newcomers of a day have one number. In a region that is not published they are
-- held back, without one.
with listed as (
    select
        list_month,
        iin,
        list_no
    from {{ ref('listed_before') }}
),

last_lists as (
    select
        list_month,
        max(list_no) as list_no
    from listed
    group by list_month
),

final as (
    select
        recipients.list_month,
        recipients.iin,
        case
            when regions.blocked_by is null then coalesce(last_lists.list_no, 0) + 1
        end as list_no,
        case when regions.blocked_by is null then run_context.as_of end as listed_on,
        recipients.region_kato,
        recipients.district_kato,
        recipients.primary_ground,
        recipients.grounds,
        recipients.person_row,
        recipients.kato_row
    from {{ ref('p26_list') }} as recipients
    inner join {{ ref('p27_region_norm') }} as regions
        on recipients.region_kato = regions.region_kato
    cross join {{ ref('run_context') }} as run_context
    left join listed
        on recipients.iin = listed.iin and recipients.list_month = listed.list_month
    left join last_lists on recipients.list_month = last_lists.list_month
    where recipients.is_primary and listed.iin is null
)

select * from final
