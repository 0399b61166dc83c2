select
    list_month,
    iin,
    region_kato,
    ground as primary_ground,
    mode,
    contract_id,
    allocation,
    iban,
    account_iin,
    amount,
    delivery_status,
    list_no,
    standing,
    case mode when 'cash' then 'p29' else 'p28' end as paragraph
from {{ ref('p28_plan') }}
