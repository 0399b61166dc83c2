-- p28: sets in kind come from contracts. One that was handed over keeps the contract of its
-- delivery. The rest, people by IIN, take the places of the region's contracts in force.
with queue as (
    select
        iin,
        ground,
        region_kato,
        row_number() over (
            partition by region_kato
            order by iin asc nulls last, ground asc nulls last
        ) as place
    from {{ ref('p28_planned_sets') }}
    where
        mode = 'in_kind'
        and not is_withdrawn
        and delivered_contract_id is null
),

final as (
    select
        iin,
        ground,
        delivered_contract_id as contract_id
    from {{ ref('p28_planned_sets') }}
    where
        mode = 'in_kind'
        and delivered_contract_id is not null
        and {{ in_force('p28_allocation') }}
    union all
    select
        queue.iin,
        queue.ground,
        places.contract_id
    from queue
    inner join {{ ref('p28_contract_places') }} as places
        on
            queue.region_kato = places.region_kato
            and queue.place between places.first_place and places.last_place
    where {{ in_force('p28_allocation') }}
)

select * from final
