select
    award_id,
    iin,
    benefit,
    month,
    basis,
    cast(amount as decimal(18, 2)) as amount,
    cast(paid_amount as decimal(18, 2)) as paid_amount,
    cast(greatest(amount - paid_amount, 0) as decimal(18, 2)) as due_amount,
    cast(greatest(paid_amount - amount, 0) as decimal(18, 2)) as overpaid_amount,
    pay_on,
    'p24' as paragraph
from {{ ref('p24_payout') }}
