{%- set grounds = [
    'p25_1_asp_child', 'p25_2_disabled_child', 'p25_3_disability_group', 'p25_4_carer',
    'p25_5_unemployed',
] -%}

-- p25: where a ground is not met, every record of the person for it failed: those beside
-- the one that the ledger names, with what each failed by.
with judged as (
    {%- for ground in grounds %}
    select * from {{ ref(ground) }}
    where reason is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        judged.iin,
        judged.ground,
        judged.record_row,
        judged.other_row,
        judged.child_row,
        judged.stay_row,
        judged.child_stay_row,
        judged.newer_row
    from {{ ref('p25_ledger') }} as ledger
    inner join judged
        on
            ledger.iin = judged.iin
            and ledger.ground = judged.ground
            and ledger.record_row <> judged.record_row
    where
        ledger.outcome = 'not_met'
        -- who has died meets no ground, whatever the records say
        and ledger.reason <> 'deceased'
)

select * from final
