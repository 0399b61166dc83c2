-- A row of the lists rests on the row that the publication before left, on the person and
-- territory of who is entitled (p26), on what ended the right (p25), and on the deliveries
-- that came of it (p30).
with final as (
    select
        concat(iin, '|', list_month) as row_key,
        iin,
        list_row as source_row,
        'p26' as paragraph
    from {{ ref('p26_lists') }}
    where list_row is not null
    union all
    select
        concat(iin, '|', list_month) as row_key,
        iin,
        person_row as source_row,
        'p26' as paragraph
    from {{ ref('p26_lists') }}
    where person_row is not null
    union all
    select
        concat(iin, '|', list_month) as row_key,
        iin,
        kato_row as source_row,
        'p26' as paragraph
    from {{ ref('p26_lists') }}
    where kato_row is not null
    union all
    select
        concat(lists.iin, '|', lists.list_month) as row_key,
        lists.iin,
        evidence.source_row,
        'p25' as paragraph
    from {{ ref('p26_lists') }} as lists
    inner join {{ ref('p25_ledger') }} as ledger
        on
            lists.iin = ledger.iin
            and lists.list_month = ledger.list_month
            and lists.primary_ground = ledger.ground
    inner join {{ ref('p25_evidence') }} as evidence
        on ledger.iin = evidence.iin and ledger.ground = evidence.ground
    where lists.standing = 'ended'
    union all
    select
        concat(lists.iin, '|', lists.list_month) as row_key,
        lists.iin,
        deliveries.delivery_row as source_row,
        'p30' as paragraph
    from {{ ref('p26_lists') }} as lists
    inner join {{ ref('p30_deliveries') }} as deliveries
        on lists.iin = deliveries.iin and lists.list_month = deliveries.list_month
)

select * from final
