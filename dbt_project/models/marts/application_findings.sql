select
    application_id,
    finding,
    paragraph
from {{ ref('application_findings_all') }}
