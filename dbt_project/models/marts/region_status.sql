-- blocked_by also takes `check:<expectation>`, once the result has been checked.
select
    region_kato,
    recipients,
    cast(coalesce(recipients * set_cost, 0) as decimal(18, 2)) as amount_total,
    set_cost as norm_cost,
    cast(floor_cost as decimal(18, 2)) as floor_cost,
    case
        when set_cost is null or set_cost < floor_cost then 'blocked'
        else 'published'
    end as publication,
    case
        when set_cost is null then 'no_norm'
        when set_cost < floor_cost then 'below_floor'
    end as blocked_by,
    'p27' as paragraph
from {{ ref('p27_region_norm') }}
