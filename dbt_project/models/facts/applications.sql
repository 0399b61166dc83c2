-- Applications submitted by as_of; what is dated later has not happened.
with applications as (
    select * from {{ ref('stg_applications') }}
),

final as (
    select
        applications.application_id,
        applications.iin,
        applications.last_name,
        applications.first_name,
        applications.postal_address,
        applications.phone,
        applications.email,
        applications.service_code,
        applications.region_kato,
        applications.addressee,
        applications.content,
        applications.attachment_count,
        applications.signed,
        applications.submitted_on,
        {{ event('applications.forwarded_on') }} as forwarded_on,
        applications.forwarded_to_kato,
        {{ event('applications.checked_on') }} as checked_on,
        {{ event('applications.case_formed_on') }} as case_formed_on,
        applications.survey_mode,
        {{ event('applications.decided_on') }} as decided_on,
        {{ event('applications.notified_on') }} as notified_on,
        applications.notification_channel,
        applications.reply_in_document_system,
        applications.source_row as application_row
    from applications
    cross join {{ ref('run_context') }} as run_context
    where applications.submitted_on <= run_context.as_of
)

select * from final
