select
    list_month,
    iin,
    region_kato,
    district_kato,
    primary_ground,
    grounds,
    mode,
    set_cost,
    'p26' as paragraph
from {{ ref('list_sets') }}
