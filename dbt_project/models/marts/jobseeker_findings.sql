select
    case_id,
    iin,
    finding,
    paragraph
from {{ ref('jobseeker_findings_all') }}
