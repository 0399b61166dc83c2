select
    entity,
    snapshot_date,
    revision,
    sha256,
    rows_received,
    rows_accepted,
    rows_quarantined,
    rows_duplicate
from {{ ref('registry_profile') }}
