select
    'application_findings' as table_name,
    'application' as what,
    concat(findings.application_id, '|', findings.finding) as key,
    applications.iin as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'finding': findings.finding
    } as map(varchar, varchar)) as columns
from run.marts.application_findings as findings
left join run.facts.applications as applications
    on findings.application_id = applications.application_id
