select
    'mse_findings' as table_name,
    'term' as what,
    concat(term_id, '|', "check") as key,
    iin as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'outcome': outcome,
        'finding': finding,
        'due_on': due_on
    } as map(varchar, varchar)) as columns
from run.marts.mse_findings
