-- Members of the families with an award.
select
    award_id,
    iin,
    source_row as member_row
from {{ ref('stg_asp_members') }}
