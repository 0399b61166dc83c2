-- p10: the result is notified, and by a channel. One that went by SMS or to the cabinet is
-- not sent through the document system as well: nothing recorded is nothing sent. What was
-- decided before as_of is notified by then.
with applications as (
    select
        applications.*,
        run_context.as_of
    from {{ ref('governed_applications') }} as applications
    cross join {{ ref('run_context') }} as run_context
    where {{ in_force('p10_notification', 'applications.submitted_on') }}
),

findings as (
    select
        application_id,
        'duplicate_notification' as finding,
        application_row
    from applications
    where
        notified_on is not null
        and notification_channel in ('sms', 'cabinet')
        and reply_in_document_system = 'true'
    union all
    select
        application_id,
        'no_channel' as finding,
        application_row
    from applications
    where notified_on is not null and notification_channel is null
    union all
    select
        application_id,
        'not_notified' as finding,
        application_row
    from applications
    where decided_on < as_of and notified_on is null
),

final as (
    select
        application_id,
        finding,
        'p10' as paragraph,
        application_row
    from findings
)

select * from final
