-- Awards of benefits, as of the run's snapshot.
select
    award_id,
    iin,
    benefit,
    dependant_iin,
    monthly_amount,
    start_on,
    stop_on,
    source_row as award_row
from {{ ref('stg_benefit_awards') }}
