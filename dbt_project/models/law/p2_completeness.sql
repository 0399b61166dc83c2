{%- set fields = [
    'iin', 'last_name', 'first_name', 'postal_address', 'region_kato', 'addressee',
    'content',
] -%}

-- p2: an application is filled in as the annex has it, has at least one file attached, and
-- is signed with the digital signature. To contact the applicant (p7) takes a phone or an
-- e-mail: only where there is neither is the phone missing.
with applications as (
    select * from {{ ref('governed_applications') }}
    where {{ in_force('p2_completeness', 'submitted_on') }}
),

findings as (
    {%- for field in fields %}
    select
        application_id,
        'incomplete:{{ field }}' as finding,
        application_row
    from applications
    where {{ field }} is null
    union all
    {%- endfor %}
    select
        application_id,
        'incomplete:phone' as finding,
        application_row
    from applications
    where phone is null and email is null
    union all
    select
        application_id,
        'no_attachment' as finding,
        application_row
    from applications
    where coalesce(attachment_count, 0) = 0
    union all
    select
        application_id,
        'not_signed' as finding,
        application_row
    from applications
    where coalesce(signed, 'false') <> 'true'
),

final as (
    select
        application_id,
        finding,
        'p2' as paragraph,
        application_row
    from findings
)

select * from final
