select
    'delivery_findings' as table_name,
    'delivery' as what,
    delivery_id as key,
    iin as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'finding': finding
    } as map(varchar, varchar)) as columns
from run.marts.delivery_findings
