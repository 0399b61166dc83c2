-- p25: the source rows that decided beside those of the record that the ledger names,
-- each once: of the other records that failed, and of what was looked at for them.
with beside as (
    select
        others.iin,
        others.ground,
        record_rows.role,
        record_rows.source_row
    from {{ ref('p25_other_records') }} as others
    inner join {{ ref('p25_record_rows') }} as record_rows
        on
            others.iin = record_rows.iin
            and others.ground = record_rows.ground
            and others.record_row = record_rows.record_row
    union all
    select
        iin,
        ground,
        role,
        source_row
    from {{ ref('p25_4_other_rows') }}
),

once as (
    select
        iin,
        ground,
        min(role) as role,
        source_row
    from beside
    group by iin, ground, source_row
),

final as (
    select
        once.iin,
        once.ground,
        once.role,
        once.source_row
    from once
    inner join {{ ref('p25_ledger') }} as ledger
        on once.iin = ledger.iin and once.ground = ledger.ground
    where not exists (
        select 1
        from {{ ref('p25_record_rows') }} as named
        where
            named.iin = ledger.iin
            and named.ground = ledger.ground
            and named.record_row = ledger.record_row
            and named.source_row = once.source_row
    )
)

select * from final
