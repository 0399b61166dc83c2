-- The values of law that the run knows: of each parameter the one in force on as_of (of
-- the index, by p27, on the first day of the list month), and of several recorded for one
-- day the last.
with known as (
    select
        name,
        value,
        row_number() over (
            partition by name
            order by valid_from desc nulls last, recorded_on desc nulls last
        ) as nth
    from {{ ref('parameters') }}
    where
        recorded_on <= {{ run_day('known_at') }}
        and valid_from <= case
            when name = 'monthly_calculation_index'
                then {{ month_start(run_day('as_of')) }}
            else {{ run_day('as_of') }}
        end
),

final as (
    select
        name,
        value
    from known
    where nth = 1
)

select * from final
