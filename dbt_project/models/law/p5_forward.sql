-- p5: an application is forwarded to the district within two working days of submission.
with steps as (
    select
        application_id as case_id,
        submitted_on as started_on,
        forwarded_on as done_on,
        application_row as case_row
    from {{ ref('governed_applications') }}
    where {{ in_force('p5_forward', 'submitted_on') }}
),

final as (
    {{ deadline('steps', 'forward_working_days', 'application', 'forward', 'p5') }}
)

select * from final
