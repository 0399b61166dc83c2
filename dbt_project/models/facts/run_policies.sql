-- The policies of the run: the table's value known on known_at, or the run's own.
with known as (
    select
        policy,
        value,
        row_number() over (
            partition by policy
            order by valid_from desc nulls last, recorded_on desc nulls last
        ) as nth
    from {{ ref('policies') }}
    where
        recorded_on <= {{ run_day('known_at') }}
        and valid_from <= {{ run_day('as_of') }}
),

final as (
    select
        policy,
        case policy
            when '' then ''
            {%- for policy, value in var('policy_overrides').items() %}
            when '{{ policy }}' then '{{ value }}'
            {%- endfor %}
            else value
        end as value
    from known
    where nth = 1
)

select * from final
