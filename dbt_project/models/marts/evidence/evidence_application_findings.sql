-- A finding rests on the application; that it was needless (p12), on the award that
-- covered it and the person's membership in it as well; that it went to the wrong office
-- (p5), on the person and the two territories.
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
    {%- for row in ['person_row', 'kato_row', 'office_row'] %}
    union all
    select
        concat(application_id, '|', finding) as row_key,
        {{ row }} as source_row,
        paragraph
    from {{ ref('p5_office') }}
    {%- endfor %}
)

select * from final
