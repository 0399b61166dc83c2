-- p25: where a ground is not met, every record of the person for it failed: those beside
-- the one that the ledger names.
with final as (
    select
        records.iin,
        records.ground,
        records.record_row
    from {{ ref('p25_ledger') }} as ledger
    inner join {{ ref('p25_records') }} as records
        on
            ledger.iin = records.iin
            and ledger.ground = records.ground
            and ledger.record_row <> records.record_row
    where
        ledger.outcome = 'not_met'
        -- who has died meets no ground, whatever the records say
        and ledger.reason <> 'deceased'
)

select * from final
