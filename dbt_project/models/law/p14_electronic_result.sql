-- p14: the result of an application for targeted social assistance goes out by means of
-- communication; judged once it is notified.
with final as (
    select
        application_id,
        'result_not_electronic' as finding,
        'p14' as paragraph,
        application_row
    from {{ ref('governed_applications') }}
    where
        service_code = {{ asp_service() }}
        and notified_on is not null
        and coalesce(notification_channel, '')
        not in ('sms', 'cabinet', 'service_reply')
        and {{ in_force('p14_electronic_result', 'submitted_on') }}
)

select * from final
