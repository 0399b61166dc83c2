{%- set ledger_key = "concat(iin, '|', ground)" -%}
{%- set sets = ref('list_sets') -%}
{%- set ground_rows = [
    'person_row', 'record_row', 'other_row', 'child_row', 'stay_row', 'child_stay_row',
    'newer_row', 'kato_row',
] -%}

-- Which source rows decided each row of the marts, from what the law models kept.
with ledger_met as (
    select * from {{ ref('p25_ledger') }}
    where outcome = 'met'
),

met as (
    select
        sets.row_key,
        ledger_met.record_row,
        -- who raises themselves has one term for two grounds: it is named once
        case when own.iin is null then ledger_met.other_row end as other_row,
        ledger_met.child_row
    from {{ sets }} as sets
    inner join ledger_met on sets.iin = ledger_met.iin
    left join ledger_met as own
        on
            ledger_met.iin = own.iin
            and ledger_met.other_row = own.record_row
),

-- what decided beside the ledger's own record, where it does not name the row already
beside as (
    {%- for row in ground_rows[1:7] %}
    {{ beside_row('p25_other_records', row) }}
    union
    {%- endfor %}
    {{ beside_row('p25_4_other_rows', 'record_row') }}
    union
    {{ beside_row('p25_4_other_rows', 'other_row') }}
),

beside_only as (
    select beside.*
    from beside
    inner join {{ ref('p25_ledger') }} as ledger
        on beside.iin = ledger.iin and beside.ground = ledger.ground
    where
        beside.source_row is distinct from ledger.record_row
        and beside.source_row is distinct from ledger.other_row
        and beside.source_row is distinct from ledger.child_row
        and beside.source_row is distinct from ledger.stay_row
        and beside.source_row is distinct from ledger.child_stay_row
        and beside.source_row is distinct from ledger.newer_row
        and beside.source_row is distinct from ledger.person_row
),

evidence as (
    {{ evidence('food_set_decisions', 'p25', ledger_key, ref('p25_ledger'),
        ground_rows) }}
    union all
    {{ evidence('food_set_decisions', 'p25', ledger_key, 'beside_only',
        ['source_row']) }}
    union all
    {{ evidence('food_set_recipients', 'p26', 'row_key', sets,
        ['person_row', 'kato_row']) }}
    union all
    {{ evidence('food_set_recipients', 'p27', 'row_key', sets, ['norm_row']) }}
    union all
    {{ evidence('food_set_recipients', 'p25', 'row_key', 'met',
        ['record_row', 'other_row', 'child_row']) }}
    union all
    {{ evidence('asp_extensions', 'p12', 'award_id', ref('p12_asp_extension'),
        ['award_row', 'renewal_row']) }}
    union all
    {{ evidence('asp_extensions', 'p12', 'award_id', ref('p12_asp_family'),
        ['person_row', 'member_row']) }}
    union all
    {{ evidence('disability_extensions', 'p17', 'term_id',
        ref('p17_disability_extension'), ['term_row', 'person_row', 'newer_row']) }}
    union all
    {{ evidence('mse_queue', 'p17', "concat(iin, '|', reason)",
        ref('p17_disability_extension'), ['term_row', 'person_row'],
        "reason in ('turns_16', 'turns_18')", distinct=true) }}
    union all
    {{ evidence('mse_findings', 'p16', "concat(term_id, '|', check_name)",
        ref('p16_in_absentia'), ['term_row']) }}
    union all
    {{ evidence('payout_schedule', 'p24', "concat(award_id, '|', month)",
        ref('p24_payout'), ['award_row', 'term_row', 'person_row']) }}
    union all
    {{ evidence('payout_schedule', 'p24',
        "concat(payouts.award_id, '|', payouts.month)",
        ref('p24_payout') ~ ' as payouts inner join ' ~ ref('benefit_payments')
        ~ ' as payments on payouts.award_id = payments.award_id'
        ~ ' and payouts.month = payments.month', ['payments.payment_row']) }}
    union all
    {%- for step in ['p5_forward', 'p6_check', 'p20_match', 'p21_draft', 'p22_sign'] %}
    {{ evidence('case_deadlines', none, "concat(case_kind, '|', case_id, '|', step)",
        ref(step), ['case_row']) }}
    union all
    {%- endfor %}
    {{ evidence('application_findings', none, "concat(application_id, '|', finding)",
        ref('application_findings_all'), ['application_row']) }}
    union all
    {{ evidence('application_findings', none, "concat(application_id, '|', finding)",
        ref('p12_needless_application'), ['award_row', 'member_row']) }}
    union all
    {{ evidence('delivery_plan', 'p26', 'row_key', sets, ['person_row', 'kato_row']) }}
    union all
    {{ evidence('delivery_plan', 'p27', 'row_key', sets, ['norm_row']) }}
    union all
    {{ evidence('delivery_plan', 'p28', 'row_key', sets, ['contract_row']) }}
    union all
    {{ evidence('delivery_plan', 'p29', 'row_key', sets, ['account_row']) }}
    union all
    {{ evidence('delivery_plan', 'p30', 'row_key', sets, ['delivery_row']) }}
    union all
    {{ evidence('delivery_findings', 'p30', 'delivery_id',
        ref('p30_delivery') ~ ' as found', ['delivery_row'], 'finding is not null') }}
    union all
    {{ evidence('delivery_findings', 'p30', 'found.delivery_id',
        ref('p30_delivery') ~ ' as found inner join ' ~ sets ~ ' as sets'
        ~ ' on found.iin = sets.iin', ['sets.person_row', 'sets.delivery_row'],
        "found.finding = 'repeated'", distinct=true) }}
    union all
    {{ evidence('region_status', 'p27', 'region_kato', ref('p27_region_norm'),
        ['kato_row', 'norm_row']) }}
    union all
    {#- a person of several sets counts once: by the first of their grounds #}
    {{ evidence('region_status', 'p26', 'region_kato', sets, ['person_row'],
        'primary_ground = substring(grounds, 1, 5)') }}
),

final as (
    select
        evidence.table_name,
        evidence.row_key,
        files.entity,
        files.file,
        evidence.source_row % {{ rows_per_file() }} as row_number,
        evidence.paragraph
    from evidence
    inner join {{ source('landing', 'landed_files') }} as files
        on {{ quotient('evidence.source_row', rows_per_file()) }} = files.file_no
)

select * from final
