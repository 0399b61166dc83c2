select
    term_id,
    iin,
    check_name as {{ adapter.quote('check') }},
    outcome,
    finding,
    due_on,
    'p16' as paragraph
from {{ ref('p16_in_absentia') }}
