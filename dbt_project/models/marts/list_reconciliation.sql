select
    list_month,
    region_kato,
    listed,
    ended,
    sets,
    delivered,
    failed,
    returned,
    outstanding,
    withdrawn,
    amount_delivered,
    'p30' as paragraph
from {{ ref('p30_reconciliation') }}
