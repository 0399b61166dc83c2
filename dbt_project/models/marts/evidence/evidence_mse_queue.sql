-- Whoever is examined for a cause is so for all their terms with that cause: the row of
-- the queue rests on each of them, and on the person.
with terms as (
    select
        concat(iin, '|', examined_for) as row_key,
        term_row,
        person_row
    from {{ ref('p17_disability_extension') }}
    where examined_for is not null
),

final as (
    select
        row_key,
        term_row as source_row,
        'p17' as paragraph
    from terms
    union all
    select distinct
        row_key,
        person_row as source_row,
        'p17' as paragraph
    from terms
)

select * from final
