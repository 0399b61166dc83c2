-- A finding rests on the application; that it was needless (p12), on the award that
-- covered it and the person's membership in it as well.
with final as (
    select
        concat(application_id, '|', finding) as row_key,
        application_row as source_row,
        paragraph
    from {{ ref('application_findings_all') }}
    union all
    select
        concat(application_id, '|', finding) as row_key,
        award_row as source_row,
        paragraph
    from {{ ref('p12_needless_application') }}
    union all
    select
        concat(application_id, '|', finding) as row_key,
        member_row as source_row,
        paragraph
    from {{ ref('p12_needless_application') }}
    where member_row is not null
)

select * from final
