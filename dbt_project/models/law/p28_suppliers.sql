-- p28: the suppliers of the contracts in force, and whether the Government has determined
-- each (Resolution No. 22) by what is known on known_at; nobody, as long as no supplier was
-- entered at all.
with known as (
    select
        suppliers.bin,
        suppliers.valid_from <= run_context.as_of
        and (suppliers.valid_to is null or suppliers.valid_to >= run_context.as_of)
            as is_in_force
    from {{ ref('determined_suppliers') }} as suppliers
    cross join {{ ref('run_context') }} as run_context
    where suppliers.recorded_on <= run_context.known_at
),

contracted as (
    select distinct supplier_bin as bin
    from {{ ref('supply_contracts') }}
),

final as (
    select
        contracted.bin,
        max(
            case when known.bin = contracted.bin and known.is_in_force then 1 else 0 end
        ) as is_determined
    from contracted
    cross join known
    group by contracted.bin
)

select * from final
