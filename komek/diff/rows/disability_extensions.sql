select
    'disability_extensions' as table_name,
    'term' as what,
    term_id as key,
    iin as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'kind': kind,
        'category': category,
        'outcome': outcome,
        'reason': reason,
        'old_valid_until': old_valid_until,
        'new_valid_until': new_valid_until
    } as map(varchar, varchar)) as columns
from run.marts.disability_extensions
