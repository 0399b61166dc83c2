select
    list.list_month,
    list.iin,
    list.region_kato,
    list.district_kato,
    list.primary_ground,
    list.grounds,
    norms.mode,
    norms.set_cost,
    'p26' as paragraph
from {{ ref('p26_list') }} as list
left join {{ ref('p27_region_norm') }} as norms on list.region_kato = norms.region_kato
