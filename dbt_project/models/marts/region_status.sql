select
    region_kato,
    recipients,
    cast(coalesce(recipients * set_cost, 0) as decimal(18, 2)) as amount_total,
    set_cost as norm_cost,
    cast(floor_cost as decimal(18, 2)) as floor_cost,
    case when blocked_by is null then 'published' else 'blocked' end as publication,
    blocked_by,
    'p27' as paragraph
from {{ ref('p27_region_norm') }}
