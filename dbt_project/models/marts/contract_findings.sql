select
    contract_id,
    region_kato,
    finding,
    paragraph
from {{ ref('p28_contract_findings') }}
