-- A term's extension rests on the term, the person, and the term that superseded it.
with final as (
    select
        term_id as row_key,
        term_row as source_row,
        'p17' as paragraph
    from {{ ref('p17_disability_extension') }}
    union all
    select
        term_id as row_key,
        person_row as source_row,
        'p17' as paragraph
    from {{ ref('p17_disability_extension') }}
    where person_row is not null
    union all
    select
        term_id as row_key,
        newer_row as source_row,
        'p17' as paragraph
    from {{ ref('p17_disability_extension') }}
    where newer_row is not null
)

select * from final
