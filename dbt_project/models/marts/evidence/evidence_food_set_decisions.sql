-- The source rows of a decision are those that its row of the ledger rests on (p25).
select
    concat(iin, '|', ground) as row_key,
    iin,
    source_row,
    'p25' as paragraph
from {{ ref('p25_evidence') }}
