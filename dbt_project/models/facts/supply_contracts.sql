-- Contracts signed and in force on as_of.
with contracts as (
    select * from {{ ref('stg_supply_contracts') }}
),

final as (
    select
        contracts.contract_id,
        contracts.kato as region_kato,
        contracts.supplier_bin,
        contracts.signed_on,
        contracts.set_cost,
        contracts.sets_total,
        contracts.source_row as contract_row
    from contracts
    cross join {{ ref('run_context') }} as run_context
    where
        contracts.signed_on <= run_context.as_of
        and contracts.valid_from <= run_context.as_of
        and contracts.valid_to >= run_context.as_of
)

select * from final
