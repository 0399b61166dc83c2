select
    recipients.list_month,
    recipients.iin,
    recipients.region_kato,
    recipients.district_kato,
    recipients.primary_ground,
    recipients.grounds,
    norms.mode,
    norms.set_cost,
    'p26' as paragraph
from {{ ref('p26_list') }} as recipients
left join {{ ref('p27_region_norm') }} as norms
    on recipients.region_kato = norms.region_kato
