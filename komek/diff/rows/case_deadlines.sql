select
    'case_deadlines' as table_name,
    'case' as what,
    concat_ws('|', steps.case_kind, steps.case_id, steps.step) as key,
    coalesce(applications.iin, cases.iin) as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'started_on': steps.started_on,
        'due_on': steps.due_on,
        'done_on': steps.done_on,
        'status': steps.status
    } as map(varchar, varchar)) as columns
from run.marts.case_deadlines as steps
left join run.facts.applications as applications
    on
        steps.case_kind = 'application'
        and steps.case_id = applications.application_id
left join run.facts.jobseeker_cases as cases
    on steps.case_kind = 'jobseeker' and steps.case_id = cases.case_id
