-- An extension rests on the award and, where one stands in its way, on the award that
-- renews it; one that is given, on everyone of the family it was looked over for.
with final as (
    select
        award_id as row_key,
        award_row as source_row,
        'p12' as paragraph
    from {{ ref('p12_asp_extension') }}
    union all
    select
        award_id as row_key,
        renewal_row as source_row,
        'p12' as paragraph
    from {{ ref('p12_asp_extension') }}
    where renewal_row is not null
    union all
    select
        award_id as row_key,
        member_row as source_row,
        'p12' as paragraph
    from {{ ref('p12_asp_family') }}
    where member_row is not null
    union all
    select
        award_id as row_key,
        person_row as source_row,
        'p12' as paragraph
    from {{ ref('p12_asp_family') }}
    where person_row is not null
)

select * from final
