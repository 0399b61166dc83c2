select
    list_month,
    iin,
    ground,
    outcome,
    reason,
    'p25' as paragraph,
    region_kato
from {{ ref('p25_ledger') }}
