-- One join by the key of a case, not one per kind of case: those take minutes.
with cases as (
    select 'application' as case_kind, application_id as case_id, iin
    from run.facts.applications
    union all
    select 'jobseeker' as case_kind, case_id, iin
    from run.facts.jobseeker_cases
)

select
    'case_deadlines' as table_name,
    'case' as what,
    concat_ws('|', steps.case_kind, steps.case_id, steps.step) as key,
    cases.iin,
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
left join cases
    on
        steps.case_kind = cases.case_kind
        and steps.case_id = cases.case_id
