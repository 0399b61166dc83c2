select
    'payout_schedule' as table_name,
    'award' as what,
    concat(award_id, '|', month) as key,
    iin as iin,
    null as own_region_kato,
    coalesce(amount, 0) as amount,
    null as set_of,
    cast({
        'benefit': benefit,
        'basis': basis,
        'amount': amount,
        'paid_amount': paid_amount,
        'due_amount': due_amount,
        'overpaid_amount': overpaid_amount,
        'pay_on': pay_on
    } as map(varchar, varchar)) as columns
from run.marts.payout_schedule
