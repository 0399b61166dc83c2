-- p10: a result that was notified by SMS or to the cabinet is not sent through the document
-- system as well; a reply that nobody recorded as not sent is a finding too.
with final as (
    select
        application_id,
        'duplicate_notification' as finding,
        'p10' as paragraph,
        application_row
    from {{ ref('applications') }}
    where
        notified_on is not null
        and notification_channel in ('sms', 'cabinet')
        and coalesce(reply_in_document_system, 'true') <> 'false'
        and {{ in_force('p10_notification') }}
)

select * from final
