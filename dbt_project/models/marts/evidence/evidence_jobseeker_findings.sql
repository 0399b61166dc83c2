-- A finding rests on the row of the case.
select
    concat(case_id, '|', finding) as row_key,
    case_row as source_row,
    paragraph
from {{ ref('jobseeker_findings_all') }}
