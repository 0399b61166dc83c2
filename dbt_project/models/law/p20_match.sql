-- p20: the centre finds a jobseeker suitable work within one working day of registration.
with steps as (
    select
        case_id,
        registered_on as started_on,
        work_offered_on as done_on,
        case_row
    from {{ ref('jobseeker_cases') }}
    where {{ in_force('p20_match') }}
),

final as (
    {{ deadline('steps', 'match_working_days', 'jobseeker', 'match', 'p20') }}
)

select * from final
