{{ config(materialized='view') }}

-- p25: the source rows that each row of the ledger rests on, each once, by its role: the
-- record that the ledger names and what it was judged by, what else failed, the person,
-- and the territory they are registered in.
with final as (
    select
        ledger.iin,
        ledger.ground,
        record_rows.role,
        record_rows.source_row
    from {{ ref('p25_ledger') }} as ledger
    inner join {{ ref('p25_record_rows') }} as record_rows
        on
            ledger.iin = record_rows.iin
            and ledger.ground = record_rows.ground
            and ledger.record_row = record_rows.record_row
    union all
    select
        iin,
        ground,
        role,
        source_row
    from {{ ref('p25_other_rows') }}
    union all
    select
        iin,
        ground,
        'person' as role,
        person_row as source_row
    from {{ ref('p25_ledger') }}
    where person_row is not null
    union all
    select
        iin,
        ground,
        'territory' as role,
        kato_row as source_row
    from {{ ref('p25_ledger') }}
    where kato_row is not null
)

select * from final
