-- People with an open permanent stay in an institution on as_of: admitted, and not
-- discharged or discharged later. Of several stays the first row stands for all.
with stays as (
    select * from {{ ref('stg_institution_stays') }}
),

final as (
    select
        stays.iin,
        min(stays.source_row) as stay_row
    from stays
    cross join {{ ref('run_context') }} as run_context
    where
        stays.stay_kind = 'permanent'
        and stays.admitted_on <= run_context.as_of
        and (stays.discharged_on is null or stays.discharged_on > run_context.as_of)
    group by stays.iin
)

select * from final
