select
    delivery_id,
    iin,
    finding,
    'p30' as paragraph
from {{ ref('p30_findings') }}
