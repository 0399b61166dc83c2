-- Kazakhstan's working-day calendar with transferred days, each working day numbered; a
-- day off carries the number of the last working day before it.
with landed as (
    select
        calendar_on,
        is_working
    from {{ source('reference', 'working_days') }}
),

final as (
    select
        calendar_on,
        is_working,
        cast(sum(case when is_working then 1 else 0 end) over (
            order by calendar_on asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as working_number
    from landed
)

select * from final
