-- p20: the centre looks for suitable work for a jobseeker within one working day of
-- registration. It owes help, not a job: that none was found in time is no breach, and
-- opens p21.
with steps as (
    select
        case_id,
        registered_on as started_on,
        work_offered_on as done_on,
        case_row
    from {{ ref('governed_cases') }}
    where {{ in_force('p20_match', 'registered_on') }}
),

final as (
    {{ deadline('steps', 'match_working_days', 'jobseeker', 'match', 'p20',
        overdue='no_match') }}
)

select * from final
