select
    list_month,
    iin,
    region_kato,
    primary_ground,
    mode,
    contract_id,
    case
        when mode = 'cash' and iban is not null then 'account'
        when mode = 'cash' then 'no_account'
        when contract_id is not null then 'allocated'
        else 'unallocated'
    end as allocation,
    iban,
    set_cost as amount,
    coalesce(delivery_status, 'outstanding') as delivery_status,
    case mode when 'cash' then 'p29' else 'p28' end as paragraph
from {{ ref('list_sets') }}
