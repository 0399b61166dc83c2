select
    'mse_queue' as table_name,
    'person' as what,
    concat(iin, '|', cause) as key,
    iin as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'term_id': term_id,
        'due_on': due_on
    } as map(varchar, varchar)) as columns
from run.marts.mse_queue
