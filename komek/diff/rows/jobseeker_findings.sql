select
    'jobseeker_findings' as table_name,
    'case' as what,
    concat(case_id, '|', finding) as key,
    iin as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'finding': finding
    } as map(varchar, varchar)) as columns
from run.marts.jobseeker_findings
