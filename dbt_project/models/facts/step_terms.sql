-- The terms of the steps in working days (p5, p6, p20 to p22) as known on known_at, each
-- with the days on which a step starts to which it applies: what changes later does not
-- shorten a term that is running.
with known as (
    select
        name,
        value,
        valid_from,
        row_number() over (
            partition by name, valid_from order by recorded_on desc nulls last
        ) as nth
    from {{ ref('parameters') }}
    where
        name like '%_working_days'
        and recorded_on <= {{ run_day('known_at') }}
),

final as (
    select
        name,
        cast(value as integer) as working_days,
        valid_from,
        lead(valid_from) over (
            partition by name order by valid_from asc nulls last
        ) as valid_before
    from known
    where nth = 1
)

select * from final
