-- A recipient rests on the person and the territory they are listed in (p26), on the norm
-- of the region (p27), and for every ground they meet on what its record was judged by
-- (p25), but for what ruled out an extension that it did not need. Who raises themselves
-- has one term for two grounds: it is named once.
with recipients as (
    select
        recipients.iin,
        case run_context.food_set__sets_per_person
            when 'one' then recipients.iin
            else concat(recipients.iin, '|', recipients.primary_ground)
        end as row_key,
        recipients.person_row,
        recipients.kato_row,
        norms.norm_row
    from {{ ref('p26_list') }} as recipients
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('p27_region_norm') }} as norms
        on recipients.region_kato = norms.region_kato
),

grounds as (
    select distinct
        recipients.row_key,
        recipients.iin,
        record_rows.source_row
    from recipients
    inner join {{ ref('p25_ledger') }} as ledger on recipients.iin = ledger.iin
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
        iin,
        person_row as source_row,
        'p26' as paragraph
    from recipients
    union all
    select
        row_key,
        iin,
        kato_row as source_row,
        'p26' as paragraph
    from recipients
    where kato_row is not null
    union all
    select
        row_key,
        iin,
        norm_row as source_row,
        'p27' as paragraph
    from recipients
    where norm_row is not null
    union all
    select
        row_key,
        iin,
        source_row,
        'p25' as paragraph
    from grounds
)

select * from final
