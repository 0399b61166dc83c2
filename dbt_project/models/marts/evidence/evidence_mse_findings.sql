-- A check of a term decided in the emergency rests on the term alone.
select
    concat(term_id, '|', check_name) as row_key,
    term_row as source_row,
    'p16' as paragraph
from {{ ref('p16_in_absentia') }}
