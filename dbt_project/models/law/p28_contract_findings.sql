{%- set findings = [
    ('invalid_bin', 'p28', 'not bin_is_valid'),
    ('below_floor', 'p27', 'set_cost < floor_cost'),
    ('price_differs', 'p28', 'set_cost <> norm_cost'),
    ('over_delivered', 'p28', 'sets_delivered > sets_total'),
    ('supplier_not_determined', 'p28', 'is_not_determined'),
] -%}

-- p28: what is found in the contracts in force while a list is drawn: a supplier's BIN that
-- cannot be (its check digit is made like that of an IIN), a set below the floor of p27 or
-- of another cost than the region's norm in kind, more sets delivered than agreed, and a
-- supplier whom the Government has not determined, once anybody entered those it has.
with contracts as (
    select
        contracts.*,
        {{ packed_digits('contracts.supplier_bin') }} as packed_bin,
        {{ floor_cost() }} as floor_cost,
        norms.set_cost as norm_cost,
        norms.norm_row
    from {{ ref('supply_contracts') }} as contracts
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('region_norms') }} as norms
        on contracts.region_kato = norms.region_kato and norms.mode = 'in_kind'
    where
        run_context.list_drawn
        and {{ in_force('p28_contract_findings') }}
),

delivered as (
    select
        contract_id,
        count(*) as sets
    from {{ ref('deliveries') }}
    where status = 'delivered'
    group by contract_id
),

judged as (
    select
        contracts.*,
        {{ iin_is_valid('contracts.supplier_bin', 'contracts.packed_bin') }}
            as bin_is_valid,
        delivered.sets as sets_delivered,
        suppliers.is_determined = 0 as is_not_determined
    from contracts
    left join delivered on contracts.contract_id = delivered.contract_id
    left join {{ ref('p28_suppliers') }} as suppliers
        on contracts.supplier_bin = suppliers.bin
),

final as (
    {%- for finding, paragraph, condition in findings %}
    select
        contract_id,
        region_kato,
        '{{ finding }}' as finding,
        '{{ paragraph }}' as paragraph,
        contract_row,
        case when '{{ finding }}' = 'price_differs' then norm_row end as norm_row
    from judged
    where {{ condition }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from final
