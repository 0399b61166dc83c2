-- On every day of the spring of 2020, for a run that decides for it and knows no more than
-- it, exactly one version of each parameter, policy, paragraph and emergency row applies,
-- or the table of gaps says why none does; never both, never neither, never two.
with days as (
    select calendar_on
    from {{ source('reference', 'working_days') }}
    where calendar_on between date '2020-03-01' and date '2020-06-30'
),

versions as (
    select
        'parameters' as law_table,
        name,
        act_id,
        valid_from,
        cast(null as date) as valid_to,
        recorded_on
    from {{ ref('parameters') }}
    union all
    select
        'policies' as law_table,
        policy as name,
        act_id,
        valid_from,
        cast(null as date) as valid_to,
        recorded_on
    from {{ ref('policies') }}
    union all
    select
        'paragraphs' as law_table,
        paragraph as name,
        act_id,
        valid_from,
        valid_to,
        recorded_on
    from {{ ref('paragraphs') }}
    union all
    select
        'emergency_periods' as law_table,
        'emergency' as name,
        act_id,
        -- each act restates the whole period: the act known last is the one in force
        recorded_on as valid_from,
        cast(null as date) as valid_to,
        recorded_on
    from {{ ref('emergency_periods') }}
),

named as (
    -- a gap is before the first version of a row, and named after the act that set it
    select
        law_table,
        name,
        min_by(act_id, valid_from) as first_act
    from versions
    group by law_table, name
),

applying as (
    select
        days.calendar_on,
        versions.law_table,
        versions.name,
        rank() over (
            partition by days.calendar_on, versions.law_table, versions.name
            order by
                versions.valid_from desc nulls last, versions.recorded_on desc nulls last
        ) as place
    from days
    inner join versions
        on
            versions.valid_from <= days.calendar_on
            and versions.recorded_on <= days.calendar_on
            and (versions.valid_to is null or versions.valid_to >= days.calendar_on)
),

counted as (
    select
        days.calendar_on,
        named.law_table,
        named.name,
        count(distinct gaps.reason) as gaps,
        count(applying.name) as applying
    from days
    cross join named
    left join {{ ref('gaps') }} as gaps
        on
            named.law_table = gaps.law_table
            and gaps.name in ('*', named.name, named.first_act)
            and days.calendar_on between gaps.first_day and gaps.last_day
    left join applying
        on
            days.calendar_on = applying.calendar_on
            and named.law_table = applying.law_table
            and named.name = applying.name
            and applying.place = 1
    group by days.calendar_on, named.law_table, named.name
)

select
    {{ fail(
        "concat(law_table, ' ', name, ' on ', calendar_on, ': ', applying,"
        ~ " ' versions apply, and ', gaps, ' reasons of gaps.csv why none does')"
    ) }} as told
from counted
where gaps + applying <> 1
