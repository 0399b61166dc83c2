-- A region's standing rests on its territory and norm (p27), and on everyone listed in it
-- (p26), once whatever sets they get: by the first of their grounds.
with final as (
    select
        region_kato as row_key,
        kato_row as source_row,
        'p27' as paragraph
    from {{ ref('p27_region_norm') }}
    where kato_row is not null
    union all
    select
        region_kato as row_key,
        norm_row as source_row,
        'p27' as paragraph
    from {{ ref('p27_region_norm') }}
    where norm_row is not null
    union all
    select
        region_kato as row_key,
        person_row as source_row,
        'p26' as paragraph
    from {{ ref('p26_list') }}
    where is_primary
)

select * from final
