-- A recipient rests on the person and the territory they are listed in (p26), on the norm
-- of the region (p27), and for every ground they meet on what its record was judged by
-- (p25), but for what ruled out an extension that it did not need. Who raises themselves
-- has one term for two grounds: it is named once.
with grounds as (
    select distinct
        sets.row_key,
        record_rows.source_row
    from {{ ref('list_sets') }} as sets
    inner join {{ ref('p25_ledger') }} as ledger on sets.iin = ledger.iin
    inner join {{ ref('p25_record_rows') }} as record_rows
        on
            ledger.iin = record_rows.iin
            and ledger.ground = record_rows.ground
            and ledger.record_row = record_rows.record_row
    where
        ledger.outcome = 'met'
        and record_rows.role not in ('renewal', 'newer_term', 'child_newer_term')
),

final as (
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
        source_row,
        'p25' as paragraph
    from grounds
)

select * from final
