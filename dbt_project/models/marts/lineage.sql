{%- set ledger_key = "concat(iin, '|', ground)" -%}
{%- set list_key = "case food_set__sets_per_person when 'one' then iin"
    ~ " else concat(iin, '|', primary_ground) end" -%}

-- Which source rows decided each row of the marts, from what the law models kept.
with list as (
    select
        list.*,
        run_context.food_set__sets_per_person,
        norms.norm_row,
        norms.mode,
        allocation.contract_row,
        case when norms.mode = 'cash' then accounts.account_row end as account_row,
        deliveries.delivery_row
    from {{ ref('p26_list') }} as list
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('p27_region_norm') }} as norms
        on list.region_kato = norms.region_kato
    left join {{ ref('p28_allocation') }} as allocation
        on list.iin = allocation.iin and list.primary_ground = allocation.primary_ground
    left join {{ ref('p29_account') }} as accounts on list.iin = accounts.iin
    left join {{ ref('p30_delivery') }} as deliveries
        on list.iin = deliveries.iin and list.primary_ground = deliveries.primary_ground
),

met as (
    select
        ledger.iin,
        ledger.ground as primary_ground,
        ledger.record_row,
        ledger.other_row,
        ledger.child_row,
        run_context.food_set__sets_per_person
    from {{ ref('p25_ledger') }} as ledger
    cross join {{ ref('run_context') }} as run_context
    where ledger.outcome = 'met'
),

evidence as (
    {{ evidence('food_set_decisions', 'p25', ledger_key, ref('p25_ledger'), [
        'person_row', 'record_row', 'other_row', 'child_row', 'stay_row',
        'child_stay_row', 'newer_row', 'kato_row',
    ]) }}
    union all
    {{ evidence('food_set_recipients', 'p26', list_key, 'list', [
        'person_row', 'kato_row', 'norm_row',
    ]) }}
    union all
    {{ evidence('food_set_recipients', 'p25', list_key, 'met', [
        'record_row', 'other_row', 'child_row',
    ]) }}
    union all
    {{ evidence('asp_extensions', 'p12', 'award_id', ref('p12_asp_extension'), [
        'award_row', 'renewal_row',
    ]) }}
    union all
    {{ evidence('asp_extensions', 'p12', 'award_id', ref('p12_asp_family'), [
        'person_row', 'member_row',
    ]) }}
    union all
    {{ evidence('disability_extensions', 'p17', 'term_id',
        ref('p17_disability_extension'), ['term_row', 'person_row', 'newer_row']) }}
    union all
    {{ evidence('mse_queue', 'p17', "concat(iin, '|', cause)",
        ref('p17_examination_queue'), ['term_row', 'person_row']) }}
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
        ref('application_findings_all'), ['application_row', 'other_row']) }}
    union all
    {{ evidence('delivery_plan', "case mode when 'cash' then 'p29' else 'p28' end",
        list_key, 'list', [
            'person_row', 'kato_row', 'norm_row', 'contract_row', 'account_row',
            'delivery_row',
        ]) }}
    union all
    {{ evidence('delivery_findings', 'p30', 'delivery_id',
        ref('p30_delivery') ~ ' as found', ['delivery_row'], 'finding is not null') }}
    union all
    {{ evidence('region_status', 'p27', 'region_kato', ref('p27_region_norm'), [
        'kato_row', 'norm_row', 'person_row',
    ]) }}
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
