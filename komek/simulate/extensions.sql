-- What two runs, `before` and `after`, extend without an application, and what is paid.
with

extended as (
    select
        'before' as side,
        'asp_extensions' as kind,
        award_id as key,
        monthly_amount as tenge
    from before.marts.asp_extensions
    where outcome = 'extended'
    union all
    select
        'after' as side,
        'asp_extensions' as kind,
        award_id as key,
        monthly_amount as tenge
    from after.marts.asp_extensions
    where outcome = 'extended'
    union all
    select
        'before' as side,
        'disability_extensions' as kind,
        term_id as key,
        null as tenge
    from before.marts.disability_extensions
    where outcome = 'extended'
    union all
    select
        'after' as side,
        'disability_extensions' as kind,
        term_id as key,
        null as tenge
    from after.marts.disability_extensions
    where outcome = 'extended'
    union all
    select
        'before' as side,
        'payout_schedule' as kind,
        concat(award_id, '|', month) as key,
        amount as tenge
    from before.marts.payout_schedule
    union all
    select
        'after' as side,
        'payout_schedule' as kind,
        concat(award_id, '|', month) as key,
        amount as tenge
    from after.marts.payout_schedule
),

keys as (
    select
        kind,
        key,
        bool_or(side = 'before') as was,
        bool_or(side = 'after') as is_now,
        sum(tenge) filter (where side = 'before') as tenge_before,
        sum(tenge) filter (where side = 'after') as tenge_after
    from extended
    group by kind, key
),

final as (
    select
        kind,
        count(*) filter (where was) as rows_before,
        count(*) filter (where is_now) as rows_after,
        count(*) filter (where is_now and not was) as gained,
        count(*) filter (where was and not is_now) as lost,
        coalesce(sum(tenge_before), 0) as tenge_before,
        coalesce(sum(tenge_after), 0) as tenge_after
    from keys
    group by kind
)

select *
from final
order by kind
