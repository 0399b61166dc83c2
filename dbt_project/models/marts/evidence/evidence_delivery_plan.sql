-- A planned set rests on the person and their territory (p26), the norm of the region
-- (p27), and the contract (p28), account (p29) or delivery (p30) it has.
with final as (
    select
        row_key,
        person_row as source_row,
        'p26' as paragraph
    from {{ ref('list_sets') }}
    union all
    select
        row_key,
        kato_row as source_row,
        'p26' as paragraph
    from {{ ref('list_sets') }}
    where kato_row is not null
    union all
    select
        row_key,
        norm_row as source_row,
        'p27' as paragraph
    from {{ ref('list_sets') }}
    where norm_row is not null
    union all
    select
        row_key,
        contract_row as source_row,
        'p28' as paragraph
    from {{ ref('list_sets') }}
    where contract_row is not null
    union all
    select
        row_key,
        account_row as source_row,
        'p29' as paragraph
    from {{ ref('list_sets') }}
    where account_row is not null
    union all
    select
        row_key,
        delivery_row as source_row,
        'p30' as paragraph
    from {{ ref('list_sets') }}
    where delivery_row is not null
)

select * from final
