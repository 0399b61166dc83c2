{%- set fields = [
    'iin', 'last_name', 'first_name', 'postal_address', 'phone', 'region_kato', 'addressee',
    'content',
] -%}

-- p2: an application is filled in as the annex has it, has at least one file attached, and
-- is signed with the digital signature.
with applications as (
    select * from {{ ref('applications') }}
    where {{ in_force('p2_completeness') }}
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
