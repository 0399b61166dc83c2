select
    'contract_findings' as table_name,
    'contract' as what,
    concat(contract_id, '|', finding) as key,
    null as iin,
    region_kato as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'finding': finding
    } as map(varchar, varchar)) as columns
from run.marts.contract_findings
