select
    term_id,
    iin,
    kind,
    category,
    outcome,
    reason,
    old_valid_until,
    new_valid_until,
    'p17' as paragraph
from {{ ref('p17_disability_extension') }}
