-- Awards of targeted social assistance, as of the run's snapshot.
select
    award_id,
    family_id,
    applicant_iin,
    period_start,
    period_end,
    monthly_amount,
    status,
    source_row as award_row
from {{ ref('stg_asp_awards') }}
