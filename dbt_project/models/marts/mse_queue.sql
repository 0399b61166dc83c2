select
    iin,
    term_id,
    cause,
    due_on,
    'p17' as paragraph
from {{ ref('p17_examination_queue') }}
