-- p6: the documents are checked within two working days of forwarding; there is nothing
-- to check before the application was forwarded.
with steps as (
    select
        application_id as case_id,
        forwarded_on as started_on,
        checked_on as done_on,
        application_row as case_row
    from {{ ref('governed_applications') }}
    where
        forwarded_on is not null
        and {{ in_force('p6_check', 'submitted_on') }}
),

final as (
    {{ deadline('steps', 'check_working_days', 'application', 'check', 'p6') }}
)

select * from final
